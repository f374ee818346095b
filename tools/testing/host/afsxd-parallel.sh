#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Clients that change different vnodes at the same time share the waits for the
# device: on a slow one there are far fewer writes of the log than changes.
# shellcheck disable=SC2119,SC2046,SC2086	# functions without arguments; words of FIDs
set -euo pipefail

# shellcheck source=tools/testing/host/afsxd/lib.sh
. "$AFSX_TOP/tools/testing/host/afsxd/lib.sh"

clients=6 rounds=10

# An export whose writes take 100 ms each, however many there are at once
start_slow_nbd()
{
	nbdkit --foreground --unix "$work/nbd" --exit-with-parent --filter=delay \
		memory "$1" wdelay=100ms &
	nbd_pid=$!
	wait_for 30 test -S "$work/nbd" || fail 'nbdkit does not start'
}

status_of()
{
	online status | sed -n "s/^$1  *\([0-9]*\).*/\1/p"
}

# All clients are told what to do before the first answer is waited for.
at_once()
{
	local name i reply

	for name in "${!client_in[@]}"; do
		for ((i = 0; i < rounds; i++)); do
			echo "create ${dir[$name]} file.$i 0 0 0" >&"${client_in[$name]}"
		done
	done
	for name in "${!client_in[@]}"; do
		for ((i = 0; i < rounds; i++)); do
			read -r -t 180 -u "${client_out[$name]}" reply || fail "$name: no answer"
			[[ $reply == ok* ]] || fail "$name: $reply"
		done
	done
}
declare -A dir

need nbdkit
nbdkit --dump-plugin --filter=delay memory >/dev/null 2>&1 || skip 'nbdkit has no delay filter'
build_programs
start_slow_nbd 64M
vol format >/dev/null
vol create --anyone all parallel >/dev/null
volume=$(vol_id parallel)
start_server
for ((n = 1; n <= clients; n++)); do
	start_client "c$n" 127.0.0.$((n + 2)) $((1000 + n))
	good "c$n" mkdir "$volume" 1 1 "dir$n" 0 0 0
	dir[c$n]=$(cut -d' ' -f1-3 <<<"$answer")
done
commits=$(status_of commits)
writes=$(status_of 'NBD writes')
at_once
commits=$(($(status_of commits) - commits))
writes=$(($(status_of 'NBD writes') - writes))
equal changes "$commits" $((clients * rounds))
((4 * writes <= 3 * commits)) || fail "$writes writes for $commits changes"
for name in "${!dir[@]}"; do
	good "$name" stat ${dir[$name]} 0
	equal 'data version' "$(value dv)" $((rounds + 1))
done
stop_server
vol check >/dev/null || fail 'the store is damaged'
echo "$commits changes in $writes writes"
