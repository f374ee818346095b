#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 1200
#
# afsx reads everything in a cell that afsxd serves.
set -euo pipefail
. tools/testing/interop/afsxd-in-guest.sh --timeout 900

tools/testing/interop/read-afsxd afsx "$cell" "$address"
