#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Every kernel-doc comment describes what it stands above, completely.
set -euo pipefail

kernel_doc=$(tools/testing/vm/kernel-source)/scripts/kernel-doc
git ls-files -z '*.c' '*.h' | xargs -0 -r "$kernel_doc" -none -Werror
