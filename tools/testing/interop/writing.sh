#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 1300
#
# kafs of the stock kernel changes files on afsxd and on OpenAFS's own file server,
# with the same steps: names, contents, locks, and what one client sees of the
# other's changes.
set -euo pipefail
tools/testing/vm/openafs >/dev/null
. tools/testing/vm/in-guest.sh --timeout 1000 --mem 1536

. tools/testing/interop/servers.sh

start_servers 16384
add_volumes work 0
for server in openafs afsxd; do
	mount_both "$server" work
	for script in names data locks coherence; do
		run_calls "$server" "$script" "$script"
	done
	umount_both
done
compare_answers
stop_servers
finish "writing"
