#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 1200
#
# Ordinary work on a cell of afsxd costs afsx no more calls than kafs.
set -euo pipefail
. tools/testing/interop/afsxd-in-guest.sh --timeout 600

tools/testing/interop/rpc-counts "$cell" "$address" data kafs afsx
tools/testing/interop/afsxd-cell stop
