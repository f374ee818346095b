#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Losses of power in the middle of random work, and devices that lie.
# time-limit: 3600
set -euo pipefail

# shellcheck source=tools/testing/crash/lib.sh
. "$AFSX_TOP/tools/testing/crash/lib.sh"

"$bin/crash-ram" controls 2>"$logs/controls.log"
"$bin/crash-ram" points 100 "$(by_length 300 2000)" 2>"$logs/points.log"
"$bin/crash-ram-fast" points 1 "$(by_length 2000 100000)" 2>"$logs/points.log"
