#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 900
#
# The limits of a server, on afsxd and on OpenAFS's own file server with the same
# steps: the quota of a volume, and a full device.
set -euo pipefail
tools/testing/interop/writing-needs
. tools/testing/vm/in-guest.sh --timeout 600 --mem 1536 \
	${AFSX_CLIENT:+--env AFSX_CLIENT="$AFSX_CLIENT"}

. tools/testing/interop/servers.sh

# fill DIRECTORY: until not even a small file fits; the servers differ in how many.
fill()
{
	local size i

	for size in 1M 64K 4K; do
		for ((i = 0; i < 32; i++)); do
			dd if=/dev/zero "of=$1/$size-$i" "bs=$size" count=1 conv=fsync \
				status=none 2>/dev/null || break
		done
	done
}

start_servers 32
add_volumes small 3000
add_volumes device 0
for server in openafs afsxd; do
	mount_both "$server" small
	run_calls "$server" quota
	set_quota "$server" small 10000
	run_calls "$server" more-quota
	umount_both

	mount_both "$server" device
	run_calls "$server" full
	fill /mnt/a/fill
	run_calls "$server" brimful
	say "remove what filled it" rm -r /mnt/b/fill >"$answers/filled.$server"
	umount_both
done
compare_answers
stop_servers
finish "limits"
