#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 1200
#
# kafs of the stock kernel reads everything in a cell that afsxd serves.
set -euo pipefail
. tools/testing/interop/afsxd-in-guest.sh --timeout 900

tools/testing/interop/read-afsxd kafs "$cell" "$address"
