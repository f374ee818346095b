#!/bin/bash
# SPDX-License-Identifier: MIT
#
# No uniquifier is given out twice, and few are skipped.
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"

"$bin/store-numbers"
