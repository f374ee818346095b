#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The threads of afsx-nbd under the thread sanitizer, which knows atomic operations, as
# helgrind does not: clients that come, send everything at once and leave, a file that
# becomes larger, and a server that is ended meanwhile.
set -euo pipefail

# shellcheck source=tools/testing/host/nbd/lib.sh
. "$AFSX_TOP/tools/testing/host/nbd/lib.sh"

# threads FORMAT OPTION...
threads()
{
	local growing=()

	[[ $1 != raw ]] || growing=("$work/image")
	qemu-img create -q -f "$1" "$work/image" 8M
	TSAN_OPTIONS=exitcode=99 start -f "$1" -t -e 16 "${@:2}" "$work/image"
	passes "clients of $*" /usr/bin/python3 "$nbd_dir/threads.py" "$uri" "$server_pid" \
		"${growing[@]}"
	ended 0
}

need qemu-img
/usr/bin/python3 -c 'import nbd' 2>/dev/null || skip "libnbd's module for Python is not installed"
afsx_nbd=$bin/afsx-nbd-threads
threads raw --discard=unmap
if dd if="$work/image" of=/dev/null bs=4096 count=1 iflag=direct status=none 2>/dev/null; then
	threads raw --cache=none
	threads raw --aio=threads --cache=none
fi
threads qcow2 --discard=unmap
threads qcow2 --snapshot
echo "$checks checks"
