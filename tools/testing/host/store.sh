#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The volume store against a model: the local file system.
# time-limit: 1200
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"
need nbdkit qemu-nbd

"$bin/store-test" unit

start_nbdkit memory 1G
"$bin/store-test" volumes "$uri"
for seed in ${STORE_SEEDS:-1 2 3}; do
	mkdir "$work/$seed"
	"$bin/store-test" ops "$uri" "$work/$seed" "$seed" 1500
done
stop_server TERM

# A small device, so that freed blocks are soon used again, and slow reads, so
# that readers are still there then.
start_nbdkit --filter=delay memory 16M rdelay=5ms
"$bin/store-test" race "$uri" 150
stop_server TERM

# No FUA and no multi-conn: the other ways to make something durable.
start_nbdkit --filter=fua --filter=nozero memory 256M
mkdir "$work/4"
"$bin/store-test" ops "$uri" "$work/4" 4 500
stop_server TERM

truncate -s 256M "$work/image"
start_server qemu-nbd -t -f raw -k "$socket" "$work/image"
mkdir "$work/5"
"$bin/store-test" ops "$uri" "$work/5" 5 500
