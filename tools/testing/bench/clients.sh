#!/bin/bash
# SPDX-License-Identifier: MIT
#
# afsx beside kafs of the stock kernel, on one afsxd in one guest, in turns.
# The guest's clock counts instructions, client and server together, so that the
# figures do not depend on what else the machine does. A step that waits for a timer
# (mount does, for the transport) is longer than its work: compare, do not add up.
set -euo pipefail
. tools/testing/interop/afsxd-in-guest.sh --icount --smp 1 --timeout 3000 \
	${AFSX_BENCH_ROUNDS:+--env AFSX_BENCH_ROUNDS="$AFSX_BENCH_ROUNDS"}
. tools/testing/interop/client.sh
. tools/testing/bench/lib.sh

results=/run/bench
steps=(mount stat-cold stat-warm list-cold read-cold read-warm sequential-cold
	sequential-warm statfs)

timed()
{
	note "$client" "$1" "$("$AFSX_TOP/build/bin/time-io" "${@:2}")"
}

fresh()
{
	umount "$mnt" 2>/dev/null || true
	client_unload
	client_load
	client_add_cell "$cell" "$address"
	client_mount "%$cell:root.cell" "$mnt"
}

round()
{
	local start names=({0..999}) thousand=$mnt/data/thousand

	client_load
	client_add_cell "$cell" "$address"
	mkdir -p "$mnt"
	start=$(date +%s%N)
	mount -t "$client_type" "%$cell:root.cell" "$mnt"
	note "$client" mount $((($(date +%s%N) - start) / 1000))

	timed stat-cold stat "${names[@]/#/$thousand/file-}"
	timed stat-warm stat "${names[@]/#/$thousand/file-}"
	timed statfs statfs "$thousand"
	fresh
	timed list-cold list "$thousand"
	timed read-cold read "${names[@]/#/$thousand/file-}"
	timed read-warm read "${names[@]/#/$thousand/file-}"
	fresh
	timed sequential-cold read "$mnt/tree/big/big"
	timed sequential-warm read "$mnt/tree/big/big"
	umount "$mnt"
	client_unload
}

mnt=/mnt/bench
mkdir -p "$results"
for ((i = 0; i < rounds; i++)); do
	for client in kafs afsx; do
		client_type=${client_types[$client]}
		round
		echo "round $((i + 1)), $client"
	done
done
table "us per step" afsx kafs "${steps[@]}"
