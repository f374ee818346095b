#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The timer of afsxd's own that expires while the thread that posts it is held up
# inside librx: nothing of it is freed twice.
set -euo pipefail

# shellcheck source=tools/testing/host/afsxd/lib.sh
. "$AFSX_TOP/tools/testing/host/afsxd/lib.sh"

build_programs
"$bin/afsxd-beat"
echo "a timer that expires early is freed once"
