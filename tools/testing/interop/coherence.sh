#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 1200
#
# Another client changes files of a real OpenAFS cell, and afsx sees it at the next
# access: through read, through an open file, through a mapping, in lists. The
# other client is kafs in a network namespace of its own.
set -euo pipefail
tools/testing/interop/openafs-snapshot >/dev/null
. tools/testing/vm/in-guest.sh --timeout 900

. tools/testing/interop/check.sh
cell=openafs.example
address=10.7.0.1
cell_command=tools/testing/interop/openafs-cell

# The cell's servers are in the first namespace, kafs in one beside it.
make_namespace()
{
	ip netns add other
	ip link add veth0 type veth peer name veth1 netns other
	ip address add 10.8.0.1/24 dev veth0
	ip link set veth0 up
	ip -n other address add 10.8.0.2/24 dev veth1
	ip -n other link set lo up
	ip -n other link set veth1 up
	ip -n other route add default via 10.8.0.1
}

# Functions of client.sh, for one client or the other.
with_client()
{
	client=$1 bash -euc '. tools/testing/interop/client.sh; "$@"' - "${@:2}"
}

mount_both()
{
	with_client kafs client_load
	with_client kafs client_add_cell "$cell" "$address"
	mkdir -p /mnt/kafs
	nsenter --net=/run/netns/other mount -t afs "%$cell:data" /mnt/kafs
	with_client afsx client_load
	with_client afsx client_add_cell "$cell" "$address"
	with_client afsx client_mount "%$cell:data" /mnt/afsx
}

# put NAME TEXT: write a file through kafs and wait until the server has it.
put()
{
	echo "$2" >"/mnt/kafs/$1"
	sync -f "/mnt/kafs/$1"
}

# The line a mapping of the file begins with; the mapping was made long ago.
mapped_line()
{
	local line

	echo >&"$ask"
	IFS= read -r line <&"$answer"
	echo "$line"
}

contents()
{
	local ask answer fd pid text

	put file 'version 0'
	exec {fd}</mnt/afsx/file
	mkfifo /tmp/ask /tmp/answer
	build/bin/map-lines /mnt/afsx/file </tmp/ask >/tmp/answer &
	pid=$!
	exec {ask}>/tmp/ask {answer}</tmp/answer
	check "mapping" 'version 0' "$(mapped_line)"
	for text in 'version 1' 'version 2, longer' 'v3'; do
		put file "$text"
		check "read" "$text" "$(cat /mnt/afsx/file)"
		check "size" $((${#text} + 1)) "$(stat -c %s /mnt/afsx/file)"
		check "open file" "$text" "$(cat "/proc/self/fd/$fd")"
		check "mapping" "$text" "$(mapped_line)"
	done
	truncate -s 1 /mnt/kafs/file
	sync -f /mnt/kafs/file
	check "truncated" v "$(cat /mnt/afsx/file)"
	exec {ask}>&- {answer}<&- {fd}<&-
	wait "$pid"
}

names_and_modes()
{
	local fd

	mv /mnt/kafs/file /mnt/kafs/moved
	check "old name" 'No such file or directory' "$(error_of cat /mnt/afsx/file)"
	check "new name" v "$(cat /mnt/afsx/moved)"
	ln /mnt/kafs/moved /mnt/kafs/second
	check "links" '2 yes' "$(stat -c %h /mnt/afsx/second) $(
		[[ /mnt/afsx/moved -ef /mnt/afsx/second ]] && echo yes)"
	chmod 0 /mnt/kafs/moved
	check "mode 0" 'Permission denied' "$(error_of cat /mnt/afsx/moved)"
	chmod 0644 /mnt/kafs/moved
	check "mode 0644" v "$(cat /mnt/afsx/moved)"
	exec {fd}</mnt/afsx/moved
	rm /mnt/kafs/moved /mnt/kafs/second
	check "removed" 'No such file or directory' "$(error_of cat /mnt/afsx/moved)"
	check "removed, but open" 'Stale file handle' "$(error_of cat <&"$fd")"
	exec {fd}<&-
	mkdir /mnt/kafs/moved
	check "another kind" directory "$(stat -c %F /mnt/afsx/moved)"
	rmdir /mnt/kafs/moved
	check "and gone" 'No such file or directory' "$(error_of stat /mnt/afsx/moved)"
}

# An ACL belongs to the directory, but decides about files whose status is cached.
rights()
{
	check "allowed" three "$(cat /mnt/afsx/state)"
	"$cell_command" acl data l >&2
	check "no right to read" 'Permission denied' "$(error_of cat /mnt/afsx/state)"
	check "the right to list" 0 "$(error_of ls /mnt/afsx | grep -vc 'no error')"
	"$cell_command" acl data '' >&2
	check "no right at all" 'Permission denied' "$(error_of ls /mnt/afsx)"
	"$cell_command" acl data rlidwk >&2
	check "allowed again" three "$(cat /mnt/afsx/state)"
}

# What a client says is in the busy directory. The shell only lists it.
listed()
{
	(cd "/mnt/$1/busy" && printf '%s\n' *)
}

# What is there all the time is listed exactly once, whatever else comes and goes.
lists()
{
	local i list pid rounds=0

	mkdir /mnt/kafs/busy
	for i in {1..200}; do
		: >"/mnt/kafs/busy/stays-$i"
	done
	(for i in {1..60}; do
		: >"/mnt/kafs/busy/comes-$i"
		rm -f "/mnt/kafs/busy/comes-$((i / 2))"
	done) &
	pid=$!
	while kill -0 "$pid" 2>/dev/null || ((rounds == 0)); do
		rounds=$((rounds + 1))
		list=$(listed afsx)
		check "names that stay" 200 "$(grep -c '^stays-' <<<"$list")"
		check "names listed twice" '' "$(uniq -d <<<"$list")"
	done
	wait "$pid"
	check "the list in the end" "$(listed kafs | cksum)" "$(listed afsx | cksum)"
}

"$cell_command" start "$(tools/testing/interop/openafs-snapshot)"
make_namespace
"$cell_command" acl data rlidwk
mount_both
contents
progress "contents done"
names_and_modes
progress "names and modes done"
rights
progress "rights done"
lists
progress "lists done"
umount /mnt/afsx /mnt/kafs
with_client afsx client_unload
finish "coherence"
