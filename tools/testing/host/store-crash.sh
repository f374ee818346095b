#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The store through crashes: of the tool, of the NBD server, of the superblocks.
# Power failures are a campaign of their own; here the device keeps what it took.
# time-limit: 900
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"
need nbdkit
image=$work/image

make_trees()
{
	local i

	mkdir "$work/old" "$work/new"
	for i in {1..50}; do
		echo "old $i" >"$work/old/$i"
	done
	for i in {1..3000}; do
		echo "new $i" >"$work/new/$i"
	done
	head -c 30000000 /dev/urandom >"$work/new/large"
}

serve_image()
{
	start_nbdkit file "$image"
}

new_store()
{
	stop_server TERM
	truncate -s 0 "$image"
	truncate -s 192M "$image"
	serve_image
	vol format >/dev/null
	vol create v >/dev/null
	vol import --to / v "$work/old" >/dev/null
}

# Either all of an import is there or nothing of it.
expect_old_or_new()
{
	local files=$1 count

	count=$(vol show v / | grep -cE '^ +[0-9]+\.[0-9]+ +[0-9]+$' || true)
	[[ $count == 50 || $count == "$files" ]] || fail "$count names in the directory"
	expect_sound
}

# Kill the import at many moments; the next command finds a sound store, and one
# that writes frees what was left.
killed_imports()
{
	local delay pid rounds=0

	for delay in 0.02 0.1 0.2 0.3 0.4 0.5 0.7 0.9 1.2 1.6; do
		"$bin/afsx-vol" --store "$uri" import --replace v "$work/new" >/dev/null 2>&1 &
		pid=$!
		sleep "$delay"
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		expect_old_or_new 3000
		rounds=$((rounds + 1))
	done
	vol import --replace v "$work/old" >/dev/null
	expect_sound
	echo "$rounds imports killed"
}

# The tool outlives a server that is killed and comes back with its image.
killed_server()
{
	local pid

	"$bin/afsx-vol" --store "$uri" import --replace v "$work/new" >"$work/out" 2>&1 &
	pid=$!
	for _ in 1 2 3; do
		sleep 0.3
		stop_server KILL
		serve_image
	done
	wait "$pid" || fail "import: $(<"$work/out")"
	grep -q 'imported 3001 files' "$work/out" || fail "import: $(<"$work/out")"
	expect_sound
}

# It does not take another store, or an empty device, for the one it had.
exchanged_server()
{
	local pid status=0

	"$bin/afsx-vol" --store "$uri" import --replace v "$work/new" >"$work/out" 2>&1 &
	pid=$!
	sleep 0.3
	stop_server KILL
	start_nbdkit memory 192M
	wait "$pid" || status=$?
	stop_server TERM
	serve_image
	expect_sound
	((status == 0)) || grep -q 'other contents' "$work/out" ||
		fail "import: status $status, $(<"$work/out")"
}

# One that accepts connections and never says a word is given up in time.
silent_server()
{
	stop_server TERM
	start_nbdkit --filter=delay memory 16M delay-open=60
	expect 1 'no NBD handshake within 1 seconds' vol --connect-timeout 1 list
	expect 1 'no NBD handshake within 1 seconds' vol --connect-timeout 1 format
	expect 2 "'0' is not a number" vol --connect-timeout 0 list
	stop_server TERM
	serve_image
}

overwrite()
{
	local block=$1 seed=$2

	stop_server TERM
	yes "$seed" | head -c 4096 |
		dd of="$image" bs=4096 seek="$block" conv=notrunc status=none || true
	serve_image
}

damaged_superblocks()
{
	local last=$((192 * 256 - 1))

	overwrite 0 first
	expect 4 'superblock: one copy' vol check
	expect 0 created vol create w
	expect_sound
	overwrite "$last" last
	expect 4 'superblock: one copy' vol check
	expect 0 removed vol remove w
	expect_sound
	overwrite 0 first
	overwrite "$last" last
	expect 1 'no afsx store' vol list
	truncate -s 100M "$image"
}

# Any damaged byte of data or metadata is told, and never served.
damaged_blocks()
{
	local block

	new_store
	# the first block behind the 12 MiB of log and the 3 MiB of metadata is data
	block=$((2 + 12 * 256 + 3 * 256))
	overwrite "$block" data
	expect 4 'wrong checksum' vol check --data
	expect 0 'no problems' vol check
	new_store
	overwrite $((2 + 12 * 256 + 3)) page
	expect '[14]' 'checksum|damaged' vol check
}

make_trees
new_store
killed_imports
killed_server
exchanged_server
silent_server
damaged_superblocks
damaged_blocks
echo "$checks results as expected"
