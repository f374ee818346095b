#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The log of the store shows what is durable, whatever happens to it meanwhile.
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"

"$bin/store-log"
