#!/bin/bash
# SPDX-License-Identifier: MIT
#
# No shell script has a finding of shellcheck, and each stops at errors.
set -euo pipefail

mapfile -t scripts < <(git grep -lE -e '^#!.*\b(ba)?sh$' -e '^# shellcheck shell=')
mapfile -t programs < <(git grep -lE '^#!.*\bbash$')

shellcheck "${scripts[@]}"
if grep -LE '^set -euo pipefail$' "${programs[@]}" | grep .; then
	echo 'these lack: set -euo pipefail'
	exit 1
fi
