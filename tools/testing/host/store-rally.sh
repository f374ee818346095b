#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Threads that change a store come to share each write of its log.
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"

"$bin/store-rally"
