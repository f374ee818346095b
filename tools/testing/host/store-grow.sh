#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A device that became larger: all of it is used when the store is opened for
# writing, or told of it while it is open, whatever a crash leaves of that.
# time-limit: 900
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"
need nbdkit

"$bin/store-grow"
"$bin/store-grow-threads" busy

truncate -s 32M "$work/image"
start_nbdkit file "$work/image"
vol format >/dev/null
vol create v >/dev/null
stop_server TERM
truncate -s 64M "$work/image"
start_nbdkit file "$work/image"
expect 0 'device *32768 KiB' vol show
expect 0 created vol create w
expect 0 'device *65536 KiB' vol show
expect_sound
# without block 0, before the store has grown: a check leaves it, the next command mends it
stop_server TERM
truncate -s 80M "$work/image"
dd if=/dev/zero of="$work/image" bs=4096 count=1 conv=notrunc status=none
start_nbdkit file "$work/image"
expect 4 'superblock: one copy is missing, damaged or old' vol check
expect 4 'superblock: one copy is missing, damaged or old' vol check
expect 0 'no problems found' vol check --repair
expect 0 'device *81920 KiB' vol show
expect_sound
# to grow is a command that tells of it, and what only looks leaves the size
stop_server TERM
truncate -s 90M "$work/image"
start_nbdkit file "$work/image"
for command in list show check scrub; do
	expect 0 . vol "$command"
done
expect 0 'device *81920 KiB' vol show
expect 0 'grown from 81920 to 92160 KiB' vol grow
expect 0 'not larger than the 92160 KiB' vol grow
stop_server TERM
truncate -s 48M "$work/image"
start_nbdkit file "$work/image"
expect 1 'the device has 12288 blocks, the store needs 23040' vol list
echo "$checks results as expected"
