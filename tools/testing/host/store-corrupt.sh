#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Damaged images of the volume store: every read is right or an error.
# The long run: CORRUPT_IMAGES=100000.
# time-limit: 36000
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"

"$bin/store-corrupt" "${CORRUPT_SEED:-1}" "${CORRUPT_IMAGES:-1000}"
