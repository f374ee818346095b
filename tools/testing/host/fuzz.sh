#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 3600
#
# Run each fuzz target for AFSX_FUZZ_SECONDS (60 if unset), two at a time; there
# must be no finding. The corpora grow in build/fuzz/corpus from run to run, and
# an input that is a finding is kept in build/fuzz/findings.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"

seconds=${AFSX_FUZZ_SECONDS:-60}
out=$(cd ../../.. && pwd)/build/fuzz
declare -A longest=([rpc]=8192 [source]=512 [dir]=8300 [dir-edit]=3072
	[dump]=4096 [nbd]=4096 [qcow2]=32768 [partition]=32768
	[redo]=16384)

run_target()
{
	local target=$1 log=$out/$1.log

	./make-seeds "seeds/$target.txt" "$out/seeds/$target" || return 1
	mkdir -p "$out/corpus/$target" "$out/findings"
	"$out/bin/fuzz-$target" -max_total_time="$seconds" -max_len="${longest[$target]}" \
		-timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
		-artifact_prefix="$out/findings/$target-" \
		"$out/corpus/$target" "$out/seeds/$target" >"$log" 2>&1 || {
		echo "fuzz-$target: a finding"
		tail -n 40 "$log"
		return 1
	}
	echo "fuzz-$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs," \
		"$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1) places reached"
}

# Run targets one after the other, all of them in any case.
run_targets()
{
	local target status=0

	for target; do
		run_target "$target" || status=1
	done
	return "$status"
}

make -s
status=0
run_targets rpc dir nbd partition &
first=$!
run_targets source dir-edit dump qcow2 redo &
second=$!
wait "$first" || status=1
wait "$second" || status=1
((status != 0)) || echo "9 targets, $seconds s each, 0 findings"
exit "$status"
