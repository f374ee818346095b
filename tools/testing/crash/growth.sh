#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Metadata that grow while a request fails.
# time-limit: 900
set -euo pipefail

# shellcheck source=tools/testing/crash/lib.sh
. "$AFSX_TOP/tools/testing/crash/lib.sh"

"$bin/crash-ram-fast" growth 2>"$logs/growth.log"
