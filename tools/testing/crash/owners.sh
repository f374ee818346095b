#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A store has one owner at a time: of several that come at the same moment one
# gets it and the others are refused. A dead owner is none, even when its parent
# has not noticed yet; a living one is. The device may be slow.
# time-limit: 900
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"
# shellcheck source=tools/testing/crash/lib.sh
. "$AFSX_TOP/tools/testing/crash/lib.sh"
need nbdkit

rounds=$(by_length 8 100)
together=5
made=0
refused=0

# Each makes a volume; those that say so must have it.
race()
{
	local i status pids=()

	for ((i = 0; i < together; i++)); do
		vol create "race.$1.$i" >>"$work/race.log" 2>&1 &
		pids+=($!)
	done
	for ((i = 0; i < together; i++)); do
		status=0
		wait "${pids[$i]}" || status=$?
		case $status in
		0)
			made=$((made + 1))
			echo "race.$1.$i" >>"$work/made"
			;;
		5) refused=$((refused + 1)) ;;
		*) fail "status $status: $(tail -n 5 "$work/race.log")" ;;
		esac
	done
	vol list >"$work/list"
	for i in $(<"$work/made"); do
		grep -q "$i" "$work/list" || fail "the volume $i was made and is not there"
	done
	expect_sound
}

# The writer's parent never asks what became of it.
zombie()
{
	local parent writer

	bash -c '"$@" >"$0/said" 2>/dev/null & echo $! >"$0/pid"; exec sleep 1000' "$work" \
		"$bin/crash-kill" write "$uri" 1 0 &
	parent=$!
	until [[ -s $work/said ]]; do
		sleep 0.05
	done
	writer=$(<"$work/pid")
	expect 5 "in use by process $writer" vol create while.alive
	kill -STOP "$writer"
	expect 5 "in use by process $writer" vol create while.stopped
	kill -KILL "$writer"
	until grep -q '^State:.Z' "/proc/$writer/status"; do
		sleep 0.05
	done
	expect 0 created vol create after.death
	kill "$parent"
	wait "$parent" 2>/dev/null || true
}

# Where each request takes longer than a claim may, all is as it is elsewhere.
slow_device()
{
	local first

	start_nbdkit --filter=delay memory 64M rdelay=300ms wdelay=300ms
	expect 0 formatted vol format
	vol create slow >"$work/slow.log" 2>&1 &
	first=$!
	sleep 1
	expect 5 '(in use|taken) by (process|another)' vol create late
	wait "$first" || fail "slow device: $(<"$work/slow.log")"
	expect_sound
	stop_server TERM
}

slow_device
start_nbdkit memory 64M
"$bin/crash-kill" format "$uri"
: >"$work/made"
for ((round = 0; round < rounds; round++)); do
	race "$round"
done
((made >= rounds)) || fail "only $made of $rounds rounds had an owner"
zombie
echo "$rounds races: $made owners, $refused refused; $checks results as expected"
