# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Clients beside the servers of a guest, each in a network namespace of its own.
# kafs and afsx have one instance per namespace, so every one of these is a
# client by itself: an address, a cache, promises. Sourced; they need client.sh.
#
# A file system that was mounted in a namespace belongs to its client whoever uses
# it: the mounts are seen everywhere.

# add_client NAME NUMBER: the namespace, and the way to it and back. The addresses of
# the link's ends are known beforehand: who is cut off is silent, and not unreachable.
add_client()
{
	local here=02:00:00:00:0$2:01 there=02:00:00:00:0$2:02

	ip netns add "$1"
	ip link add "veth-$1" address "$here" type veth \
		peer name eth0 address "$there" netns "$1"
	ip address add "10.8.$2.1/24" dev "veth-$1"
	ip link set "veth-$1" up
	ip neighbour add "10.8.$2.2" lladdr "$there" dev "veth-$1"
	ip -n "$1" address add "10.8.$2.2/24" dev eth0
	ip -n "$1" link set lo up
	ip -n "$1" link set eth0 up
	ip -n "$1" neighbour add "10.8.$2.1" lladdr "$here" dev eth0
	ip -n "$1" route add default via "10.8.$2.1"
}

# mount_as NAME SOURCE DIRECTORY. OpenAFS's client has the first namespace alone.
mount_as()
{
	if [[ ${client:?} = openafs ]]; then
		client_mount "$2" "$3"
		return
	fi
	mkdir -p "$3"
	nsenter "--net=/run/netns/$1" mount -t "${client_type:?}" "$2" "$3"
}

# cut_off NAME, connect NAME: packets vanish, in both directions, or no longer do.
cut_off()
{
	tc qdisc add dev "veth-$1" root netem loss 100%
	tc -n "$1" qdisc add dev eth0 root netem loss 100%
}

connect()
{
	tc qdisc delete dev "veth-$1" root
	tc -n "$1" qdisc delete dev eth0 root
}
