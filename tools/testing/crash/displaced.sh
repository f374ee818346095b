#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A writer that was stopped, or had lost its way to the NBD server, for so long that
# another took the store over, changes nothing any more: what the new owner
# acknowledged is there, also when that one is killed. The same when the new owner has
# closed the store already, for a thread held up just before it sends, which a preloaded
# send() does, and for a writer that it is taken from while it lives.
# time-limit: 900
set -euo pipefail

# shellcheck source=tools/testing/host/afsxd/lib.sh
. "$AFSX_TOP/tools/testing/host/afsxd/lib.sh"
# shellcheck source=tools/testing/crash/lib.sh
. "$AFSX_TOP/tools/testing/crash/lib.sh"

afsxd=$AFSX_TOP/build/bin/afsxd
rounds=$(by_length 1 20)
scenarios=(stopped_writer cut_off_writer held_before_change held_before_lease closed_again
	taken_over)
all=$work
path=
path_pid=
writer=

# A way of the writer's own to the server.
open_path()
{
	rm -f "$path"
	nbdkit --foreground --unix "$path" --exit-with-parent nbd socket="$work/nbd" &
	path_pid=$!
	wait_for 60 test -S "$path" || fail 'nbdkit does not start'
}

cut_path()
{
	[[ -z $path_pid ]] || kill -KILL "$path_pid"
	wait "$path_pid" 2>/dev/null || true
	path_pid=
}

# The writer's process id means nothing to others, as on another machine.
start_writer()
{
	: >"$work/said"
	LD_PRELOAD=$bin/hold-send.so HOLD_SEND=$work/hold HOLD_UNTIL=$work/until \
		unshare --pid --fork --kill-child --mount-proc \
		"$bin/crash-kill" write "nbd+unix:///?socket=$path" "$1" "$2" \
		>"$work/said" 2>"$work/writer.log" &
	away_pid=$!
	wait_for 60 test -s "$work/said" || fail "writer: $(<"$work/writer.log")"
	writer=$(pgrep -P "$away_pid")
}

# It must end, with an error, not go on.
expect_end()
{
	local status=0

	wait_for 60 eval "! kill -0 $writer" || fail "$1: the writer goes on"
	wait "$away_pid" || status=$?
	((status != 0)) || fail "$1: the writer has noticed nothing"
	grep -q '^cannot' "$work/said" || fail "$1: writer: $(<"$work/writer.log")"
	checks=$((checks + 1))
}

# expect_volumes WHAT NAME...
expect_volumes()
{
	local what=$1 name

	shift
	vol list >"$work/list"
	for name in "$@"; do
		grep -q "$name" "$work/list" || fail "$what: $name was made and is not there"
		vol remove "$name" >/dev/null
		checks=$((checks + 1))
	done
	vol check --data >"$work/check" || fail "$what: $(<"$work/check")"
}

begin()
{
	"$bin/crash-kill" format "$uri"
	start_writer "$round" 0
}

# new_owner WHAT COMMAND...: COMMAND lets the writer go on
new_owner()
{
	local what=$1

	shift
	start_server
	online create "first.$round" >/dev/null
	online create "second.$round" >/dev/null
	"$@"
	expect_end "$what"
	online create "third.$round" >/dev/null
	crash_server
	expect_volumes "$what" {first,second,third}."$round"
}

stopped_writer()
{
	begin
	kill -STOP "$writer"
	new_owner 'writer stopped' kill -CONT "$writer"
}

cut_off_writer()
{
	begin
	cut_path
	new_owner 'writer cut off' open_path
}

# let_go WHERE: the thread that was held up there
let_go()
{
	timeout 60 tee "$work/until" </dev/null || fail "writer held at $1: it ends before"
}

# held_writer WHERE WHAT: when it has looked at the clock, and next sends WHAT
held_writer()
{
	export HOLD_WHAT=$2

	begin
	: >"$work/hold"
	wait_for 60 test ! -e "$work/hold" || fail "writer held at $1: it sends none"
	new_owner "writer held at $1" let_go "$1"
}

held_before_change()
{
	held_writer 'a change' ''
}

held_before_lease()
{
	held_writer 'its lease' AFSXOWNR
}

# The new owner has closed the store already.
closed_again()
{
	begin
	kill -STOP "$writer"
	vol create "between.$round" >/dev/null
	kill -CONT "$writer"
	expect_end 'store closed again'
	expect_volumes 'store closed again' "between.$round"
}

taken_over()
{
	begin
	vol --takeover create "taken.$round" >/dev/null
	expect_end 'store taken over'
	expect_volumes 'store taken over' "taken.$round"
}

# apart NUMBER SCENARIO: beside others, with a store and an address of its own
apart()
{
	work=$all/$round.$1
	uri="nbd+unix:///?socket=$work/nbd"
	control=$work/control
	path=$work/path
	server=127.0.0.$((2 + $1))
	checks=0
	trap 'cut_path; clean_up' EXIT
	mkdir "$work"
	mkfifo "$work/until"
	start_nbd 64M
	open_path
	"$2"
	echo "$checks" >"$work.checks"
}

# Most of the time is spent waiting until an owner is sure to be dead, so all wait together.
one_round()
{
	local pids=() pid i bad=0

	for i in "${!scenarios[@]}"; do
		apart "$i" "${scenarios[i]}" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || bad=1
	done
	((!bad)) || exit 1
}

need nbdkit unshare
unshare --pid --fork --mount-proc true 2>/dev/null || skip 'no right to make a namespace'
[[ -x $afsxd ]] || skip 'afsxd is not built: make tools'
for ((round = 0; round < rounds; round++)); do
	one_round
done
for file in "$all"/*.checks; do
	checks=$((checks + $(<"$file")))
done
echo "$rounds writers each stopped, cut off, held up twice, replaced and taken over: $checks results as expected"
