#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Every sequence of up to three operations, in a campaign also some of four, and a
# loss of power at every flush.
# time-limit: 3600
set -euo pipefail

# shellcheck source=tools/testing/crash/lib.sh
. "$AFSX_TOP/tools/testing/crash/lib.sh"

# shellcheck disable=SC2046	# two arguments
"$bin/crash-ram-fast" sequences $(by_length "3 1" "4 7") 2>"$logs/sequences.log"
