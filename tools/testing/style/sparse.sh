#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The modules build without a warning at W=1, and sparse finds nothing in them.
set -euo pipefail

tools/testing/vm/module test+checks W=1 C=2 CF=-Wsparse-error KCFLAGS=-Werror
