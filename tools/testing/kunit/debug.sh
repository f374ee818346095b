#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 1500
set -euo pipefail

exec tools/testing/kunit/run-kernel debug
