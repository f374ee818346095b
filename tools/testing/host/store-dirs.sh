#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Large directories, in which names are found by an index, against a model of them.
# The long run: DIRS_ROUNDS=200.
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"

"$bin/store-dirs" "${DIRS_ROUNDS:-6}"
