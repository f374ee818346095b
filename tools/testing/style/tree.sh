#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What holds for every tracked file: its license stands near its top, it names no
# path or package server of one machine, and it lies where it belongs. A script can
# be executed: run-tier passes over a test that cannot.
set -euo pipefail
bad=0

# complain TEXT: report the files on standard input, if there are any.
complain()
{
	local files

	files=$(cat)
	if [[ -n $files ]]; then
		printf '%s:\n%s\n' "$1" "$files"
		bad=1
	fi
}

top_level='README.md|COPYING|Makefile|Kbuild|Kconfig|\.ci|\.clang-format|\.editorconfig|'
top_level+='\.gitignore|fs|include|Documentation|tools|packaging'

without_license()
{
	local file

	git ls-files | while read -r file; do
		[[ $file = COPYING ]] || grep -m1 -q SPDX-License-Identifier <(head -n 3 "$file") ||
			echo "$file"
	done
}

not_executable()
{
	local file

	git ls-files '*.sh' | while read -r file; do
		[[ $(head -c 2 "$file") != '#!' || -x $file ]] || echo "$file"
	done
}

# A search that finds nothing ends with 1: in a process substitution that is no error.
complain 'no SPDX line in the first three' < <(without_license)
complain 'a script that cannot be executed' < <(not_executable)
complain 'at the top level, beside what the architecture names' \
	< <(git ls-files | cut -d/ -f1 | sort -u | grep -vxE "$top_level")
complain 'paths or hosts of one machine' \
	< <(git grep -nIE '(^|[^A-Za-z0-9_.])/(work|farm)/|https?://(deb|registry)\.' -- ':!tools/testing/style/tree.sh')
complain 'unfinished' \
	< <(git grep -nE '\b(TODO|FIXME|XXX)\b' -- '*.[ch]' '*.sh' '*.py' '*Makefile' ':!tools/testing/style/tree.sh')
complain 'space at the end of a line' \
	< <(git ls-files -z | xargs -0 grep -lIE '[[:space:]]$' | grep -v '^COPYING$')

exit "$bad"
