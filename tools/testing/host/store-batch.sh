#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Transactions that end together: what each is told, and what there is afterwards.
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"

"$bin/store-batch"
