#!/bin/bash
# SPDX-License-Identifier: MIT
#
# kill -9 of afsxd while it carries out commands, of the NBD server below it, and
# of both. What a command said it had done is there afterwards, and the store is
# sound. When only the NBD server dies the commands just take longer.
# time-limit: 3600
set -euo pipefail

# shellcheck source=tools/testing/host/afsxd/lib.sh
. "$AFSX_TOP/tools/testing/host/afsxd/lib.sh"
# shellcheck source=tools/testing/crash/lib.sh
. "$AFSX_TOP/tools/testing/crash/lib.sh"

afsxd=$AFSX_TOP/build/bin/afsxd
image=$work/image
done_file=$work/done
rounds=$(by_length 3 100)
load_pid=
made=0

serve()
{
	serve_nbd file "$image"
}

kill_nbd()
{
	kill -KILL "$nbd_pid"
	wait "$nbd_pid" 2>/dev/null || true
}

# Make volumes with a file in them and note those that were acknowledged.
load()
{
	local i name

	for ((i = 0; ; i++)); do
		name=v.$1.$i
		online create "$name" >/dev/null 2>&1 || return 0
		online import --to / "$name" "$work/source" >/dev/null 2>&1 || return 0
		echo "$name" >>"$done_file"
	done
}

start_load()
{
	load "$1" &
	load_pid=$!
	wait_for 120 grep -q "^v\\.${1/./\\.}\\.0$" "$done_file" || fail 'no command ends'
	sleep "0.$((RANDOM % 5))"
}

end_load()
{
	wait "$load_pid" || true
}

# Every volume that was acknowledged has its file; the rest is of no account.
verify()
{
	local name

	while read -r name; do
		[[ $(online show "$name" / | grep -c ' kept$\| kept ') -ge 1 ]] ||
			fail "$1: $name lost its file"
		online remove "$name" >/dev/null
		made=$((made + 1))
	done <"$done_file"
	: >"$done_file"
	online check --data >/dev/null || fail "$1: the store is damaged"
}

killed_server()
{
	start_load "a.$1"
	crash_server
	end_load
	start_server
	verify 'afsxd killed'
}

killed_nbd()
{
	local before

	start_load "n.$1"
	kill_nbd
	before=$(wc -l <"$done_file")
	serve
	wait_for 120 eval "((\$(wc -l <'$done_file') > $before + 1))" || fail 'no progress'
	crash_server
	end_load
	start_server
	verify 'NBD server killed'
}

killed_both()
{
	start_load "b.$1"
	kill -KILL "$nbd_pid" "$server_pid"
	wait "$nbd_pid" "$server_pid" 2>/dev/null || true
	end_load
	serve
	start_server
	verify 'both killed'
}

need nbdkit
[[ -x $afsxd ]] || skip 'afsxd is not built: make tools'
mkdir "$work/source"
head -c 100000 /dev/urandom >"$work/source/kept"
truncate -s 256M "$image"
: >"$done_file"
serve
vol format >/dev/null
start_server
for ((round = 0; round < rounds; round++)); do
	killed_server "$round"
	killed_nbd "$round"
	killed_both "$round"
done
echo "$rounds kills each of afsxd, the NBD server and both: $made acknowledged volumes, none lost"
