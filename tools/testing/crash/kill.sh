#!/bin/bash
# SPDX-License-Identifier: MIT
#
# kill -9 of a writer, of the NBD server below it, and of both. Three threads
# change a volume; they say what they begin and what was acknowledged. Afterwards
# the store must show a state between the last acknowledged step and the last one
# begun. When only the server dies the writer goes on as soon as it is back.
# time-limit: 3600
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"
# shellcheck source=tools/testing/crash/lib.sh
. "$AFSX_TOP/tools/testing/crash/lib.sh"
need nbdkit qemu-nbd

image=$work/image
said=$work/said
rounds=$(by_length 3 100)
seed=6
step=0
writer_pid=
steps=0

# Both kinds of servers in turn; the image is a file that outlives them.
serve()
{
	if (($1 % 2)); then
		start_server qemu-nbd -t -f raw --cache=writeback -k "$socket" "$image"
	else
		start_nbdkit file "$image"
	fi
}

# last LETTER: the largest number said so, or where the writer began
last()
{
	local nr

	nr=$(sed -n "s/^$1 \([0-9]*\)$/\1/p" "$said" | sort -n | tail -n 1)
	echo "${nr:-$step}"
}

start_writer()
{
	"$bin/crash-kill" write "$uri" "$seed" "$step" >"$said" 2>>"$work/writer.log" &
	writer_pid=$!
	wait_for_more "$step"
}

# Until more than so many steps are acknowledged.
wait_for_more()
{
	local tries=0

	until (($(last a) > $1)); do
		kill -0 "$writer_pid" 2>/dev/null || fail "the writer ended: $(tail -n 3 "$said")"
		((++tries < 1200)) || fail 'the writer makes no progress'
		sleep 0.05
	done
}

kill_writer()
{
	kill -KILL "$writer_pid"
	wait "$writer_pid" 2>/dev/null || true
}

sometime()
{
	sleep "0.$((RANDOM % 3))$((RANDOM % 10))"
}

# What is there must lie within what was said; go on from there.
verify()
{
	local found low high

	low=$(last a)
	high=$(last b)
	found=$("$bin/crash-kill" verify "$uri" "$seed" "$low" "$high" 2>>"$work/writer.log") ||
		fail "$1, $low to $high: $found"
	steps=$((steps + found - step))
	step=$found
}

killed_writer()
{
	start_writer
	sometime
	kill_writer
	verify 'writer killed'
}

killed_server()
{
	local before

	start_writer
	sometime
	stop_server KILL
	sometime
	before=$(last b)
	serve "$1"
	wait_for_more "$before"
	sometime
	kill_writer
	verify 'server killed'
}

killed_both()
{
	start_writer
	sometime
	kill -KILL "$writer_pid" "$server_pid"
	wait "$writer_pid" 2>/dev/null || true
	stop_server KILL
	serve "$1"
	verify 'both killed'
}

# What is verified begins with the first step: in a campaign it would be more each time.
new_store()
{
	stop_server TERM
	rm -f "$image"
	truncate -s 64M "$image"
	: >"$said"
	step=0
	seed=$((seed + 1))
	serve 0
	"$bin/crash-kill" format "$uri"
}

for ((round = 1; round <= rounds; round++)); do
	((round % 10 != 1)) || new_store
	killed_writer
	killed_server "$round"
	killed_both "$((round + 1))"
done
echo "$rounds kills each of the writer, the server and both, $steps steps, none lost"
