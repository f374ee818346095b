# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the tests of the NBD server share: the server under sanitizers on a Unix
# socket of the test's own.
# shellcheck source=tools/testing/host/lib.sh
. "$AFSX_TOP/tools/testing/host/lib.sh"

# Another build of the server can be tested with AFSX_NBD=PATH.
afsx_nbd=${AFSX_NBD:-$bin/afsx-nbd}
plain_nbd=$AFSX_TOP/build/bin/afsx-nbd
export nbd_dir=$AFSX_TOP/tools/testing/host/nbd
work=$(mktemp -d)
socket=$work/nbd
# shellcheck disable=SC2034	# not every test uses it
uri="nbd+unix:///?socket=$socket"
server_pid=
# A report of a sanitizer must not look like an exit status of the server's own.
export ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99:print_stacktrace=1
export PYTHONDONTWRITEBYTECODE=1

clean_up()
{
	[[ -z $server_pid ]] || kill -KILL "$server_pid" 2>/dev/null || true
	wait 2>/dev/null
	rm -rf "$work"
}
trap clean_up EXIT

# passes WHAT COMMAND...
passes()
{
	"${@:2}" >"$work/out" 2>&1 || fail "$1: $(<"$work/out")"
	checks=$((checks + 1))
}

# wait_for COMMAND...: until it succeeds
wait_for()
{
	local until=$((SECONDS + 60))

	until "$@"; do
		((SECONDS < until)) || fail "not so after 60 s: $*"
		sleep 0.05
	done
}

socket_or_end()
{
	[[ -S $socket ]] || ! kill -0 "$server_pid" 2>/dev/null
}

# start OPTION... FILE...: a server on $socket
start()
{
	"$afsx_nbd" -k "$socket" "$@" 2>"$work/server.log" &
	server_pid=$!
	wait_for socket_or_end
	[[ -S $socket ]] || fail 'the server does not start'
}

# ended STATUS: wait until the server ends, with this status and its socket removed
ended()
{
	local status=0

	wait "$server_pid" || status=$?
	server_pid=
	equal 'exit status of the server' "$status" "$1"
	[[ ! -e $socket ]] || fail 'the socket is still there'
}

stop()
{
	kill -TERM "$server_pid"
	ended 0
}

[[ -x $plain_nbd ]] || skip 'afsx-nbd is not built: make tools'
build host/nbd
