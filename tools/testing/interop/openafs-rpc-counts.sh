#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 1200
#
# Ordinary work on an OpenAFS cell costs afsx no more calls than kafs.
# AFSX_CLIENTS=kafs measures kafs alone.
set -euo pipefail
tools/testing/interop/openafs-snapshot >/dev/null
. tools/testing/vm/in-guest.sh --timeout 600 ${AFSX_CLIENTS:+--env AFSX_CLIENTS="$AFSX_CLIENTS"}

tools/testing/interop/openafs-cell start "$(tools/testing/interop/openafs-snapshot)"
# shellcheck disable=SC2086	# the clients are words
tools/testing/interop/rpc-counts openafs.example 10.7.0.1 data ${AFSX_CLIENTS:-kafs afsx}
