#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 2400
#
# OpenAFS's own client module changes files on afsxd and on OpenAFS's file server, with
# the same steps, and afsx sees each change at once: it is the other client of the
# scripts. (kafs cannot be beside OpenAFS's client, both are the file system type afs.)
# Locks, and what a quota leaves, are of two processes of OpenAFS's client.
set -euo pipefail
export AFSX_CLIENT=openafs
tools/testing/interop/writing-needs
. tools/testing/vm/in-guest.sh --timeout 600 --mem 1536

. tools/testing/interop/servers.sh

# mount_afsx SERVER VOLUME: as client b
mount_afsx()
{
	# shellcheck disable=SC2016	# for the other shell
	nsenter --net=/run/netns/b bash -euc \
		'echo "add $1 $2" >/proc/fs/afsx/cells; mount -t afsx "%$1:$3" "$4"' - \
		"$1.example" "${server_address[$1]}" "$2" "${directory[b]}"
}

start_servers 16384
modprobe afsx
add_volumes work 0
add_volumes small 3000
for server in openafs afsxd; do
	mkdir -p "${directory[@]}"
	mount_as a "%$server.example:work" "${directory[a]}"
	mount_afsx "$server" work
	for script in names data; do
		run_calls "$server" "$script" "$script"
	done
	umount_both

	mount_both "$server" work
	run_calls "$server" locks locks
	umount_both

	mount_both "$server" small
	run_calls "$server" quota
	set_quota "$server" small 10000
	run_calls "$server" more-quota
	umount_both
done
compare_answers
check "the store" "no problems found" "$(afsxd_cell vol check)"
rmmod afsx
stop_servers
finish "OpenAFS's client writes"
