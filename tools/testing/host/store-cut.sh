#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Long files that are cut or removed in many transactions: contents, and blocks in
# use, by arithmetic.
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"

"$bin/store-cut"
