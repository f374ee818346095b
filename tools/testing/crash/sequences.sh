#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Every sequence of up to three operations (a part of those of three unless this
# is a campaign), and a loss of power at every flush.
# time-limit: 3600
set -euo pipefail

# shellcheck source=tools/testing/crash/lib.sh
. "$AFSX_TOP/tools/testing/crash/lib.sh"

"$bin/crash-ram-fast" sequences 3 "$(by_length 7 1)" 2>"$TMPDIR/sequences.log"
