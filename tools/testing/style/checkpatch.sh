#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Every C file of ours follows the coding style of Linux. The programs use
# libraries whose interfaces do not, attributes Linux has macros for (one of which
# hides a declaration from checkpatch), and rounding macros of the usual kind.
set -euo pipefail

checkpatch=$(tools/testing/vm/kernel-source)/scripts/checkpatch.pl
bad=0

# check PATH...: check the C files below the paths; $ignore are types to ignore.
check()
{
	git ls-files -z "${@/%//*.[ch]}" | xargs -0 -r -n 20 "$checkpatch" --no-tree --strict \
		--terse --no-summary --showfile --show-types ${ignore:+--ignore "$ignore"} -f || bad=1
}

ignore='' check fs include
ignore=CAMELCASE,VOLATILE,PREFER_DEFINED_ATTRIBUTE_MACRO,LINE_SPACING,MACRO_ARG_REUSE check tools

exit "$bad"
