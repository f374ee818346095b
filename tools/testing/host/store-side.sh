#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Long reads with a second connection to the NBD server: one that does as it should, or
# not, in memory; then real ones, by what the server is asked for over which.
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"
need nbdkit
image=$work/image
reads=$work/reads

# A server that knows the connection that was there first. SIDE: what it does before it
# reads over another one; PROMISE: status of can_multi_conn.
start_telling()
{
	local side=$1 promise=${2:-0}

	: >"$reads"
	start_server nbdkit -f -U "$socket" eval thread_model='echo parallel' \
		open="mkdir $work/main 2>/dev/null && echo main || echo side" \
		close="[ \"\$2\" = side ] || rmdir $work/main" \
		can_multi_conn="exit $promise" can_write='exit 0' \
		can_flush='exit 0' flush='exit 0' get_size="stat -c %s $image" \
		pread="echo \$2 >>$reads; [ \"\$2\" = main ] || { $side; }
			dd if=$image bs=1M skip=\$4 count=\$3 iflag=skip_bytes,count_bytes status=none" \
		pwrite="dd of=$image bs=1M seek=\$4 oflag=seek_bytes conv=notrunc status=none"
}

side_reads()
{
	grep -c side "$reads" || true
}

# dump_with WHAT LEAST MOST SIDE [PROMISE]: reads over the second connection
dump_with()
{
	local count

	stop_server TERM
	rm -rf "$work/main"
	start_telling "$4" "${5:-}"
	vol dump v "$work/dump" 2>"$work/messages" || fail "$1: $(<"$work/messages")"
	cmp "$work/dump" "$work/right" || fail "$1: other contents"
	count=$(side_reads)
	((count >= $2 && count <= $3)) || fail "$1: $count reads, not $2 to $3"
	checks=$((checks + 1))
}

expect_given_up()
{
	grep -q 'no second connection' "$work/messages" || fail "$1: nothing is said"
	checks=$((checks + 1))
}

# Both connections end, and come back.
a_server_that_dies()
{
	local pid

	stop_server TERM
	start_nbdkit --filter=delay file "$image" rdelay=20ms
	rm "$work/dump"		# that of the last one
	vol dump v "$work/dump" &
	pid=$!
	while (($(stat -c %s "$work/dump" 2>/dev/null || echo 0) < 8000000)); do
		kill -0 "$pid" || fail 'the dump ended early'
		sleep 0.01
	done
	stop_server KILL
	start_nbdkit file "$image"
	wait "$pid" || fail 'a server that dies'
	cmp "$work/dump" "$work/right" || fail 'a server that dies: other contents'
	checks=$((checks + 1))
}

"$bin/store-side"

truncate -s 128M "$image"
start_nbdkit file "$image"
vol format >/dev/null
mkdir "$work/tree"
head -c 40000000 /dev/urandom >"$work/tree/large"
vol create v >/dev/null
vol import v "$work/tree" >/dev/null
vol dump v "$work/right"

dump_with 'no promise' 0 0 : 3
dump_with 'a good one' 5 100000 :
dump_with 'one that fails' 1 4 'echo EIO >&2; exit 1'
expect_given_up 'one that fails'
dump_with 'one that lies' 1 4 "head -c \$3 /dev/zero; exit 0"
expect_given_up 'one that lies'
dump_with 'one that is silent' 1 4 'sleep 5'
expect_given_up 'one that is silent'
a_server_that_dies
echo "a second connection: $checks results as expected"
