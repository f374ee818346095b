# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# An AFS client in a guest, ours or kafs of the stock kernel, under one set of
# functions. Sourced; $client says which: afsx or kafs.

interop_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
client=${client:-kafs}
declare -A client_types=([afsx]=afsx [kafs]=afs)
# shellcheck disable=SC2034	# for whoever sources this file
client_type=${client_types[$client]}

# client_load: the module. kafs asks DNS about a cell even when it was told the
# address, so its questions are answered from a file.
client_load()
{
	if [[ $client = kafs ]]; then
		mkdir -p /etc/request-key.d
		echo "create dns_resolver afsdb:* * $interop_dir/kafs-vlservers %k %d" \
			>/etc/request-key.d/kafs.conf
		touch /run/kafs-cells
	fi
	modprobe "$client"
}

# client_add_cell CELL ADDRESS
client_add_cell()
{
	if [[ $client = kafs ]]; then
		echo "$1 $2 7003" >>/run/kafs-cells
	else
		echo "add $1 $2" >/proc/fs/afsx/cells
	fi
}

# client_mount SOURCE DIRECTORY [OPTIONS]
client_mount()
{
	mkdir -p "$2"
	mount -t "$client_type" ${3:+-o "$3"} "$1" "$2"
}

client_unload()
{
	modprobe -r "$client"
}
