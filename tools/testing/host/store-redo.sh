#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Records of changes: their format, and that a store shows all that they say, and no more.
# time-limit: 1200
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"

"$bin/store-redo"
