#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Long reads: what is in flight beside each other, and each block of it damaged.
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"

"$bin/store-pieces"
