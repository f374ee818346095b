#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Names and status from memory are those of the last change that anybody was told of.
# LOOK_SECONDS=600 is a long run.
# time-limit: 3600
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"

"$bin/store-look"
"$bin/store-look-threads"
