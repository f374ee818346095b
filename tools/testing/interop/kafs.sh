# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# kafs, the AFS client of the stock kernel, as a test client in a guest.
# Sourced by tests.

interop_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# kafs_load: the module, with its questions about cells answered from our file.
kafs_load()
{
	mkdir -p /etc/request-key.d
	echo "create dns_resolver afsdb:* * $interop_dir/kafs-vlservers %k %d" \
		>/etc/request-key.d/kafs.conf
	touch /run/kafs-cells
	modprobe kafs
}

# kafs_add_cell CELL ADDRESS [PORT]
kafs_add_cell()
{
	echo "$1 $2 ${3:-7003}" >>/run/kafs-cells
}

# kafs_mount SOURCE DIRECTORY [OPTIONS]
kafs_mount()
{
	mkdir -p "$2"
	mount -t afs ${3:+-o "$3"} "$1" "$2"
}

kafs_unload()
{
	rmmod kafs
}
