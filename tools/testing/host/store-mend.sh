#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What the checker of the volume store finds, and what a repair mends.
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"

"$bin/store-mend"
