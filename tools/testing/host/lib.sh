# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the tests of programs share, whatever the program. A test that has set $work
# shows what its server said when it fails.
set -euo pipefail

export bin=$AFSX_TOP/build/test/bin
export checks=0

fail()
{
	echo "FAIL: $*"
	[[ ! -s ${work:-}/server.log ]] || tail -n 20 "$work/server.log"
	exit 1
}

skip()
{
	echo "$*"
	exit 77
}

# need PROGRAM...
need()
{
	local program

	for program in "$@"; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
}

# build DIRECTORY: the programs of tools/testing/DIRECTORY, into $bin, if they are not there
build()
{
	local output

	output=$("$AFSX_TOP/tools/testing/programs" "$1" 2>&1) ||
		fail "a program cannot be built: $output"
}

# expect STATUS PATTERN COMMAND...: run it; its exit status and output must be so.
# STATUS may be a pattern like '(1|2)'.
expect()
{
	local want=$1 pattern=$2 status=0 output

	shift 2
	output=$("$@" 2>&1) || status=$?
	[[ $status =~ ^$want$ ]] || fail "$*: status $status, not $want: $output"
	[[ $output =~ $pattern ]] || fail "$*: '$output' lacks '$pattern'"
	checks=$((checks + 1))
}

# equal WHAT IS SHOULD
equal()
{
	[[ $2 == "$3" ]] || fail "$1 is '$2', not '$3'"
	checks=$((checks + 1))
}
