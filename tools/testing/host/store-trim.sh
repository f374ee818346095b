#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What the store trims, by the log of the NBD server: large ranges on the server's
# preferred blocks, as much as was freed, nothing that a clone shows, and never
# before the commit that frees it is durable.
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"
need nbdkit

MIB=1048576
log=$work/requests

# Print "offset count" of each trim since the log was emptied.
trims()
{
	sed -nE 's/.* Trim id=[0-9]+ offset=(0x[0-9a-f]+) count=(0x[0-9a-f]+).*/\1 \2/p' "$log"
}

# expect_trims LEAST MOST REQUESTS: MiB trimmed, in at most so many requests.
expect_trims()
{
	local offset count total=0 requests=0

	while read -r offset count; do
		((offset % MIB == 0 && count % MIB == 0)) ||
			fail "trim of $((count)) at $((offset))"
		total=$((total + count / MIB))
		requests=$((requests + 1))
	done < <(trims)
	((total >= $1 && total <= $2 && requests <= $3)) ||
		fail "$total MiB in $requests trims, not $1 to $2 in $3"
	checks=$((checks + 1))
}

# Before the first trim a write with FUA was answered that was sent after the last
# flush: the commit.
expect_commit_first()
{
	awk '
		/ Write .*fua=1/ { match($0, /id=[0-9]+/); id = substr($0, RSTART, RLENGTH) }
		/\.\.\.Write / && id && index($0, id " ") { durable = 1 }
		/ Trim id/ { exit !durable; }
	' "$log" || fail "a trim came before a commit was durable"
	checks=$((checks + 1))
}

import()
{
	: >"$log"
	expect 0 imported vol import --replace v "$work/tree"
	: >"$log"
}

start_nbdkit --filter=log --filter=blocksize-policy memory 512M logfile="$log" \
	blocksize-minimum=512 blocksize-preferred=1M blocksize-maximum=32M
mkdir "$work/tree"
head -c $((40 * MIB)) /dev/urandom >"$work/tree/big"
for i in {1..60}; do
	head -c 65536 /dev/urandom >"$work/tree/small$i"
done
vol format >/dev/null
vol create v >/dev/null

# One large file: all of it but its ends, in few requests.
import
expect 0 '' vol rm v big
expect_trims 38 40 3
expect_commit_first
expect_sound

# Small ones, each less than a granule: together they are some.
: >"$log"
for i in {1..60}; do
	vol rm v "small$i"
done
expect_trims 2 5 6
expect_sound

# What a clone shows stays until it is gone.
import
expect 0 cloned vol clone v --name kept
expect 0 '' vol rm v big
expect_trims 0 0 0
expect_sound
expect 0 removed vol remove kept
expect_trims 38 42 3
expect_sound

echo "$checks results as expected"
