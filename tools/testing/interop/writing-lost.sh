#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 900
#
# Lost promises, on afsxd and on OpenAFS's own file server with the same steps: a
# client that is cut off while another changes what it has cached, and a server that
# is started again and does not know its clients any more.
set -euo pipefail
tools/testing/vm/openafs >/dev/null
. tools/testing/vm/in-guest.sh --timeout 600 --mem 1536

. tools/testing/interop/servers.sh

start_servers 64
add_volumes cut 0
add_volumes gone 0
add_volumes again 0
for server in openafs afsxd; do
	mount_both "$server" cut
	run_calls "$server" before-cut
	cut_off a
	run_calls "$server" while-cut
	connect a
	run_calls "$server" after-cut
	umount_both

	mount_both "$server" gone
	run_calls "$server" before-gone
	cut_off a
	run_calls "$server" while-gone
	connect a
	run_calls "$server" after-gone
	check "the end of kafs' rmdir on $server" "a rmdir gone: EDESTADDRREQ" \
		"$(tail -n 1 "$answers/after-gone.$server")"
	umount_both

	mount_both "$server" again
	run_calls "$server" before-restart
	"${server}_cell" restart
	run_calls "$server" after-restart
	umount_both
done
compare_answers
stop_servers
finish "lost promises"
