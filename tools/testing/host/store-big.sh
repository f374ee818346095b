#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A device of 4 TiB, with file data up to its last block, and a volume with many
# vnodes: BIG_VNODES, 100000 unless said otherwise.
# time-limit: 3600
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"
need nbdkit

start_nbdkit memory 4T
"$bin/store-big" edge "$uri"
stop_server TERM

start_nbdkit memory 4T
"$bin/store-big" vnodes "$uri" "${BIG_VNODES:-100000}"
