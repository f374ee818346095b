#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What holds for every tracked file: its license stands near its top, it names no
# path or package server of one machine, and it lies where it belongs.
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

git ls-files | while read -r file; do
	[[ $file = COPYING ]] || head -n 3 "$file" | grep -q SPDX-License-Identifier || echo "$file"
done | complain 'no SPDX line in the first three'
git ls-files | cut -d/ -f1 | sort -u | grep -vxE "$top_level" |
	complain 'at the top level, beside what the architecture names'
git grep -nIE '(^|[^A-Za-z0-9_.])/(work|farm)/|https?://(deb|registry)\.' -- ':!tools/testing/style/tree.sh' |
	complain 'paths or hosts of one machine'
git grep -nE '\b(TODO|FIXME|XXX)\b' -- '*.[ch]' '*.sh' '*.py' '*Makefile' ':!tools/testing/style/tree.sh' |
	complain 'unfinished'
git ls-files -z | xargs -0 grep -lIE '[[:space:]]$' | grep -v '^COPYING$' |
	complain 'space at the end of a line'

exit "$bad"
