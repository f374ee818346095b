#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Files and functions stay short enough to be read: 900 lines for a C file, 300
# for a header, 100 for a function; half of the functions have at most 15 lines
# between their braces and 95 of 100 at most 60.
set -euo pipefail
bad=0

git ls-files '*.c' '*.h' | xargs -r wc -l | awk '
	$2 == "total" { next }
	$2 ~ /\.h$/ && $1 >= 300 { print $2 ": " $1 " lines, a header has under 300"; bad = 1 }
	$2 ~ /\.c$/ && $1 > 900 { print $2 ": " $1 " lines, a C file has at most 900"; bad = 1 }
	END { exit bad }' || bad=1

# shellcheck disable=SC2016	# awk expands what begins with a dollar
git ls-files '*.c' | ctags -L - -o - --kinds-C=f --fields=+ne --sort=no 2>/dev/null |
	sed -nE 's/^([^\t]+)\t([^\t]+)\t.*\tline:([0-9]+).*\tend:([0-9]+).*/\1 \2 \3 \4/p' |
	awk '{ print $4 - $3 - 1, $1, $2 }' | sort -n | awk '
	{ length_of[NR] = $1 }
	$1 > 100 { print $3 ": " $2 " has " $1 " lines, at most 100 are allowed"; bad = 1 }
	END {
		if (!NR) { print "ctags found no functions"; exit 1 }
		middle = length_of[int((NR + 1) / 2)]
		high = length_of[int((NR * 95 + 99) / 100)]
		if (middle > 15 || high > 60)
			bad = 1
		print NR " functions, median " middle " lines, 95th percentile " high
		exit bad
	}' || bad=1

exit "$bad"
