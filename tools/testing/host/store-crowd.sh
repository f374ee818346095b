#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Many threads change a store at once: each has what it should, and nobody is left waiting.
# CROWD_SECONDS=600 is a long run.
# time-limit: 3600
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"

"$bin/store-crowd"
"$bin/store-crowd-threads"
