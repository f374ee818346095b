#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Full devices and exceeded quotas.
# time-limit: 900
set -euo pipefail

# shellcheck source=tools/testing/crash/lib.sh
. "$AFSX_TOP/tools/testing/crash/lib.sh"

"$bin/crash-ram-fast" full 2>"$logs/full.log"
