#!/bin/bash
# SPDX-License-Identifier: MIT
#
# An NBD server that is connected but says nothing. It is waited for a while; then the
# server of the cell turns to the one that serves the store instead, and loses
# nothing; with none it ends when it is told to, and at once when it is told again.
set -euo pipefail

# shellcheck source=tools/testing/host/afsxd/lib.sh
. "$AFSX_TOP/tools/testing/host/afsxd/lib.sh"

image=$work/image
silent_pid=

serve()
{
	serve_nbd file "$image"
}

silence()
{
	kill -STOP "$nbd_pid"
	silent_pid=$nbd_pid
	nbd_pid=
}

# It would go on with what it has in hand if it lived.
end_silent()
{
	kill -KILL "$silent_pid"
	wait "$silent_pid" 2>/dev/null || true
	silent_pid=
}
trap '[[ -z $silent_pid ]] || kill -KILL "$silent_pid"; clean_up' EXIT

# For longer than a lease may be old, and not as long as an answer may take.
a_stall_is_waited_for()
{
	silence
	online create stalled >"$work/stalled" 2>&1 &
	change_pid=$!
	sleep 8
	kill -CONT "$silent_pid"
	nbd_pid=$silent_pid
	silent_pid=
	wait "$change_pid" || fail "a change during a stall: $(<"$work/stalled")"
	online create behind-the-stall >/dev/null
	! grep 'given up' "$work/server.log" || fail 'a stall ends the connection for good'
	checks=$((checks + 2))
}

another_server_takes_over()
{
	silence
	timeout 120 "$afsx_vol" --control "$control" create during >"$work/during" 2>&1 &
	change_pid=$!
	wait_for 60 grep -q 'does not answer' "$work/server.log" ||
		fail 'nobody notices that the server is silent'
	end_silent
	serve
	wait "$change_pid" || fail "a change during the silence: $(<"$work/during")"
	online create behind >/dev/null
	online list >"$work/list"
	for name in before during behind; do
		grep -q "$name" "$work/list" || fail "volume '$name' is not there"
		checks=$((checks + 1))
	done
}

the_end_is_not_held_up()
{
	local status=0

	silence
	online create never >/dev/null 2>&1 &
	kill -TERM "$server_pid"
	wait_for 120 eval "! kill -0 $server_pid" || fail 'SIGTERM does not end the server'
	wait "$server_pid" || status=$?
	server_pid=
	equal 'status without a device' "$status" 1
	end_silent
}

# dies_of_term PID WHAT
dies_of_term()
{
	local status=0

	kill -TERM "$1"
	wait "$1" || status=$?
	equal "$2" "$status" 143
}

# All of these would wait for an hour.
a_signal_ends_who_waits()
{
	local patience=(--answer-timeout 3600 --connect-timeout 3600)

	start_server "${patience[@]}" --grace 300
	silence
	online create never >/dev/null 2>&1 &
	kill -TERM "$server_pid"
	wait_for 60 grep -q 'msg="stopping"' "$work/server.log" || fail 'SIGTERM is not seen'
	dies_of_term "$server_pid" 'a second SIGTERM'
	server_pid=
	"$afsxd" --cell cell.example --store "$uri" "${patience[@]}" 2>/dev/null &
	sleep 2
	dies_of_term $! 'SIGTERM to a server that starts'
	"$afsx_vol" --store "$uri" --connect-timeout 3600 list 2>/dev/null &
	sleep 2
	dies_of_term $! 'SIGTERM to a command that opens the store'
	end_silent
}

what_was_told_is_there()
{
	serve
	vol check --data >/dev/null || fail 'the store is damaged'
	vol list >"$work/list"
	for name in before stalled behind-the-stall during behind; do
		grep -q "$name" "$work/list" || fail "volume '$name' is lost"
		checks=$((checks + 1))
	done
}

need nbdkit
build_programs
truncate -s 64M "$image"
serve
vol format >/dev/null
start_server
online create before >/dev/null
a_stall_is_waited_for
# shellcheck disable=SC2119
stop_server
start_server --answer-timeout 2 --reconnect 4 --connect-timeout 2 --grace 1
another_server_takes_over
the_end_is_not_held_up
serve
a_signal_ends_who_waits
what_was_told_is_there
echo "a server that says nothing: $checks results as expected"
