#!/bin/bash
# SPDX-License-Identifier: MIT
#
# afsx-nbd and clients that say every wrong thing: each is told what the specification
# says, or loses its connection, and the others notice nothing.
set -euo pipefail

# shellcheck source=tools/testing/host/nbd/lib.sh
. "$AFSX_TOP/tools/testing/host/nbd/lib.sh"

python3 "$nbd_dir/protocol.py" "$afsx_nbd" "$plain_nbd" "$work"
