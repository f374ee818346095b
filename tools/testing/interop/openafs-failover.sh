#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 900
#
# Two real file servers, one of them with two addresses: afsx reads on when one
# of them, or one way to it, is silent, refuses or is gone, and finds a volume
# that moved. All of it with the volumes mounted before.
set -euo pipefail
tools/testing/interop/openafs-snapshot >/dev/null
. tools/testing/vm/in-guest.sh --timeout 800

# shellcheck disable=SC2034	# read by client.sh
client=afsx
. tools/testing/interop/client.sh
. tools/testing/interop/check.sh
cell=openafs.example
address=10.7.0.1
beside=(10.9.1.2 10.9.2.2)
cell_command=tools/testing/interop/openafs-cell
next_file=0

# The second file server's namespace is reached over two links.
make_namespace()
{
	local i

	ip netns add beside
	for i in 1 2; do
		ip link add "veth$i" type veth peer name eth0 netns beside
		ip -n beside link set eth0 name "eth$i"
		ip address add "10.9.$i.1/24" dev "veth$i"
		ip link set "veth$i" up
		ip -n beside address add "10.9.$i.2/24" dev "eth$i"
		ip -n beside link set "eth$i" up
	done
	ip -n beside link set lo up
	ip -n beside route add "$address" via 10.9.1.1
}

signal()
{
	kill "-$1" "$(</run/openafs-cell/"$2.pid")"
}

# read_on WHAT: three files that nobody read before can be read.
read_on()
{
	local i start=$SECONDS

	for i in 1 2 3; do
		check "$1: file $next_file" "file number $next_file" \
			"$(cat "/mnt/ro/thousand/file-$next_file" 2>&1)"
		next_file=$((next_file + 1))
	done
	progress "$1: read on after $((SECONDS - start)) s"
}


moved_volume()
{
	client_mount "%$cell:moving" /mnt/moving
	check "before the move" there "$(ls /mnt/moving)"
	"$cell_command" move moving "${beside[0]}" >&2
	check "after the move" three "$(cat /mnt/moving/there/state)"
	check "df after the move" 5000 \
		"$(df --output=size -k /mnt/moving | tail -n 1 | tr -d ' ')"
	umount /mnt/moving
	progress "moved volume found"
}

silent_servers()
{
	signal STOP fileserver
	read_on "first server silent"
	signal CONT fileserver
	signal STOP fileserver-beside
	read_on "second server silent"
	signal CONT fileserver-beside
}

# From here on the first server is gone for good.
lost_links()
{
	signal KILL fileserver
	read_on "first server gone"
	ip link set veth1 down
	read_on "first link down"
	ip link set veth1 up
	ip link set veth2 down
	read_on "second link down"
	ip link set veth2 up
	tc qdisc add dev veth1 root netem loss 100%
	read_on "first link silent"
	tc qdisc del dev veth1 root
	tc qdisc add dev veth2 root netem loss 100%
	read_on "second link silent"
	tc qdisc del dev veth2 root
}

nobody_left()
{
	ip link set veth1 down
	ip link set veth2 down
	check "nothing left" '.*(unreachable|refused|timed out|No route).*' \
		"$(error_of cat /mnt/ro/thousand/file-999)"
	check "df with nothing left" '.*(unreachable|refused|timed out|No route).*' \
		"$(error_of df /mnt/ro)"
	check "what was read before" three "$(cat /mnt/ro/state)"
	ip link set veth1 up
	ip link set veth2 up
	read_on "links are back"
}

# The first address of the cell is a machine without a VL server.
other_vlserver()
{
	client_add_cell "other.example" "${beside[0]}:$address"
	client_mount "#other.example:data" /mnt/other
	check "second VL server" three "$(cat /mnt/other/state)"
	umount /mnt/other
}

"$cell_command" start "$(tools/testing/interop/openafs-snapshot)"
make_namespace
"$cell_command" file-server beside "${beside[@]}"
"$cell_command" volume moving >&2
"$cell_command" acl moving rl
"$cell_command" mkmount moving there "#data."
"$cell_command" site data "${beside[0]}" >&2
"$cell_command" release data >&2
progress "two file servers"
client_load
client_add_cell "$cell" "$address"
client_mount "#$cell:data" /mnt/ro
check "released" three "$(cat /mnt/ro/state)"
check "sites" 2 "$(awk '$NF == "data" { print $4 }' "/proc/fs/afsx/$cell/volumes")"
moved_volume
silent_servers
lost_links
nobody_left
other_vlserver
umount /mnt/ro
client_unload
finish "failover between OpenAFS's file servers"
