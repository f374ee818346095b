#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Each request of a store in turn fails, in each way.
# time-limit: 3600
set -euo pipefail

# shellcheck source=tools/testing/crash/lib.sh
. "$AFSX_TOP/tools/testing/crash/lib.sh"

"$bin/crash-ram" repeat 2>"$logs/repeat.log"
"$bin/crash-ram" faults 1 "$(by_length 1 20)" 2>"$logs/faults.log"
