# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# An AFS client in a guest, ours, kafs of the stock kernel, or OpenAFS's, under one
# set of functions. Sourced; $client says which: afsx, kafs or openafs.
#
# OpenAFS's client has one mount for everything, /afs: what the others mount is there a
# directory bound to its place, and needs a mount point in the root of its cell.

interop_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
client=${client:-kafs}
declare -A client_types=([afsx]=afsx [kafs]=afs [openafs]=afs)
# shellcheck disable=SC2034	# for whoever sources this file
client_type=${client_types[$client]}

load_afsx()
{
	modprobe afsx
}

# kafs asks DNS about a cell even when it was told the address, so its questions are
# answered from a file.
load_kafs()
{
	mkdir -p /etc/request-key.d
	echo "create dns_resolver afsdb:* * $interop_dir/kafs-vlservers %k %d" \
		>/etc/request-key.d/kafs.conf
	touch /run/kafs-cells
	modprobe kafs
}

# It knows the cell of openafs-cell from that one's files. Its cache is in memory: a
# guest has no disk.
load_openafs()
{
	mkdir -p /afs
	echo /afs:/nonexistent:30000 >/etc/openafs/cacheinfo
	insmod "$("$interop_dir/../vm/openafs-module")/openafs.ko"
	"$AFSX_CACHE/openafs/sbin/afsd" -memcache -dynroot >/dev/null
}

add_cell_afsx()
{
	echo "add $1 $2" >/proc/fs/afsx/cells
}

add_cell_kafs()
{
	echo "$1 $2 7003" >>/run/kafs-cells
}

add_cell_openafs()
{
	"$AFSX_CACHE/openafs/usr/bin/fs" newcell "$1" "$2"
}

# client_load: the module
client_load()
{
	"load_$client"
}

# client_add_cell CELL ADDRESS
client_add_cell()
{
	"add_cell_$client" "$@"
}

# client_mount SOURCE DIRECTORY [OPTIONS]
client_mount()
{
	local path=${1#[%#]}

	mkdir -p "$2"
	if [[ $client = openafs ]]; then
		mount --bind "/afs/.${path/://}" "$2"
	else
		mount -t "$client_type" ${3:+-o "$3"} "$1" "$2"
	fi
}

client_unload()
{
	if [[ $client = openafs ]]; then
		umount /afs
		rmmod openafs
	else
		modprobe -r "$client"
	fi
}
