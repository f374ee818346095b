#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The KUnit suites of the wire code, in userspace, under ASan and UBSan.
set -euo pipefail
cd "$(dirname "$0")"

bin=$(cd ../../.. && pwd)/build/test/bin
make -s "$bin/wire-kunit"
"$bin/wire-kunit"
