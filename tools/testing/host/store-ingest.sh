#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Data brought ahead of their transaction, wherever the file ends.
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"

"$bin/store-ingest"
