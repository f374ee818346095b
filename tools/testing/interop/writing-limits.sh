#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 900
#
# The limits of a server and its clients, on afsxd and on OpenAFS's own file server
# with the same steps: the quota of a volume, and a client that is cut off while
# another changes what it has cached.
set -euo pipefail
tools/testing/vm/openafs >/dev/null
. tools/testing/vm/in-guest.sh --timeout 600 --mem 1536

. tools/testing/interop/servers.sh

start_servers 32
add_volumes small 3000
add_volumes cut 0
for server in openafs afsxd; do
	mount_both "$server" small
	run_calls "$server" quota
	set_quota "$server" small 10000
	run_calls "$server" more-quota
	umount_both

	mount_both "$server" cut
	run_calls "$server" before-cut
	cut_off a
	run_calls "$server" while-cut
	connect a
	run_calls "$server" after-cut
	umount_both
done
compare_answers
stop_servers
finish "limits"
