#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 900
set -euo pipefail

exec tools/testing/kunit/run-kernel uml-debug
