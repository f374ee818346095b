#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The KUnit suites of the wire code, in userspace, under ASan and UBSan.
set -euo pipefail
cd "$(dirname "$0")"

make -s wire-kunit
../../../build/test/bin/wire-kunit
