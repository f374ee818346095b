#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The wire code does what OpenAFS's own encoder and directory code do.
set -euo pipefail
cd "$(dirname "$0")"

bin=$(cd ../../.. && pwd)/build/test/bin
make -s "$bin/wire-oracle" "$bin/dir-oracle"
"$bin/wire-oracle"
"$bin/dir-oracle"
