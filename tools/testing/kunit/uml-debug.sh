#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 600
exec "$(dirname "$0")/run-kernel" uml-debug
