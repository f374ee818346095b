# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the tests of the store share: programs under ASan and UBSan, NBD servers
# on a Unix socket, and judging of what afsx-vol says. Processes end with the
# test.
set -euo pipefail

store_dir=$AFSX_TOP/tools/testing/host/store
bin=$AFSX_TOP/build/test/bin
work=$(mktemp -d)
socket=$work/nbd
uri="nbd+unix:///?socket=$socket"
server_pid=
checks=0

fail()
{
	echo "FAIL: $*"
	exit 1
}

clean_up()
{
	stop_server TERM
	rm -rf "$work"
}

need()
{
	local program

	for program in "$@"; do
		command -v "$program" >/dev/null || {
			echo "$program is not installed"
			exit 77
		}
	done
}

# Start an NBD server in the background and wait until it listens.
start_server()
{
	rm -f "$socket"
	"$@" >"$work/server.log" 2>&1 &
	server_pid=$!
	while [[ ! -S $socket ]]; do
		kill -0 "$server_pid" 2>/dev/null || fail "server: $(<"$work/server.log")"
		sleep 0.05
	done
}

start_nbdkit()
{
	start_server nbdkit -f -U "$socket" "$@"
}

stop_server()
{
	if [[ -n $server_pid ]]; then
		kill "-$1" "$server_pid" 2>/dev/null || true
		wait "$server_pid" 2>/dev/null || true
		server_pid=
	fi
}

vol()
{
	"$bin/afsx-vol" --store "$uri" "$@"
}

# expect STATUS PATTERN COMMAND...: run it; its exit status and output must be so.
expect()
{
	local want=$1 pattern=$2 status=0 output

	shift 2
	output=$("$@" 2>&1) || status=$?
	[[ $status =~ ^$want$ ]] || fail "$*: status $status, not $want: $output"
	[[ $output =~ $pattern ]] || fail "$*: '$output' lacks '$pattern'"
	checks=$((checks + 1))
}

expect_sound()
{
	expect 0 'no problems found' vol check --data
}

trap clean_up EXIT
trap 'exit 130' INT TERM
make -s -C "$store_dir"
