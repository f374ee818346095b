# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Single checks inside a test, so that one failure does not hide the next.
# Sourced by tests.

checks=0
failures=0

# check WHAT WANTED GOT: WANTED is an extended regular expression for all of GOT.
check()
{
	checks=$((checks + 1))
	if [[ ! $3 =~ ^($2)$ ]]; then
		failures=$((failures + 1))
		printf 'WRONG %s: %s, expected %s\n' "$1" "$3" "$2"
	fi
}

progress()
{
	echo "$*, $SECONDS s"
}

# check_trees ARGUMENT...: compare-trees finds neither differences nor faults.
check_trees()
{
	local status=0

	"$AFSX_TOP/build/bin/compare-trees" --progress "$@" || status=$?
	check "status of compare-trees $*" 0 "$status"
}

# finish TEXT: the last line of the test and its exit status.
finish()
{
	echo "$1: $checks checks, $failures failed"
	((failures == 0))
}

# error_of COMMAND...: the text of the error a command ends with, or "no error".
error_of()
{
	local output

	if output=$("$@" 2>&1 >/dev/null); then
		echo "no error"
	else
		echo "${output##*: }"
	fi
}
