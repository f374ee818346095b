#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Advisory locks: readers or a writer, extended, released, timed out, counted in the
# status, and told of to those who wait.
# shellcheck disable=SC2119,SC2046,SC2086	# functions without arguments; words of FIDs
set -euo pipefail

# shellcheck source=tools/testing/host/afsxd/lib.sh
. "$AFSX_TOP/tools/testing/host/afsxd/lib.sh"

# VNOVNODE; unified errors of EAGAIN, EINVAL, EROFS, ENOLCK (unified_afs.h)
novnode=102 again=49733386 inval=49733397 rofs=49733405 nolck=49733412
read=0 write=1

# locks NUMBER: what the status says of the file
locks()
{
	good a stat $file 0
	equal locks "$(value locks)" "$1"
}

sharing()
{
	good a lock $file $read 0
	good b lock $file $read 0
	locks 2
	good b lock $file $write $again
	good a unlock $file 0
	good b lock $file $write $again
	good b unlock $file 0
	locks 0
	good b lock $file $write 0
	locks -1
	good a lock $file $read $again
	good a lock $file $write $again
	good b extend $file 0
	good b unlock $file 0
	good a lock $file $write 0
	good a lock $other $write 0	# of another file
	good a unlock $other 0
	good a unlock $file 0
	good a unlock $file 0		# not locked: nothing to do
	good a extend $file $inval
	locks 0
}

wrong_locks()
{
	local clone="$((volume + 1)) 1 1"

	good a lock $file 2 $inval
	good a lock "$volume" 9998 1 $read $novnode
	good a extend "$volume" 9998 1 $novnode
	good a unlock "$volume" 9998 1 $novnode
	# in a clone reading is always granted, and none is kept
	good a lock $clone $read 0
	good a lock $clone $write $rofs
	good a extend $clone 0
	good a unlock $clone 0
}

# Who waits has a promise, which ends when the last lock does.
waiting()
{
	good a stat $file 0
	good b stat $file 0
	good b count callback
	good a lock $file $write 0
	good b lock $file $write $again
	good a unlock $file 0
	good b await-callback $file
	good a quiet	# its own release is no news
	good b lock $file $write 0
	good b unlock $file 0
	good b quiet
	good a await-callback $file
}

# A lock that is not extended is gone after --lock-time, one that is stays.
time_out()
{
	restart --lock-time 2 --max-locks 1
	good a count callback
	good a lock $file $write 0
	good b lock $other $read $nolck
	wait_for 30 try_lock
	good b extend $file 0
	good b unlock $file 0
	locks 0
	good a lock $file $read 0
	for _ in 1 2 3 4 5 6; do
		sleep 0.5
		good a extend $file 0
	done
	good b lock $file $write $again
	good a unlock $file 0
}

try_lock()
{
	[[ $(tell b lock $file $write 0) == ok* ]]
}

# A client that is silent keeps its lock no longer, and may find it in other hands.
cut_off()
{
	restart --lock-time 4
	good a lock $file $write 0
	kill -STOP "${client_pid[a]}"
	good b lock $file $write $again
	good b lock $file $read $again
	wait_for 30 try_lock
	kill -CONT "${client_pid[a]}"
	locks -1
	good a lock $file $write $again
	good a lock $file $read $again
	good b unlock $file 0
	locks 0
	good a extend $file $inval
}

need nbdkit
build_programs
make_open_volume 64M locks
start_server
start_client a 127.0.0.3 1001
start_client b 127.0.0.4 1002
good a create "$volume" 1 1 file 0 0 0
file=$(cut -d' ' -f1-3 <<<"$answer")
good a create "$volume" 1 1 other 0 0 0
other=$(cut -d' ' -f1-3 <<<"$answer")
for name in a b; do
	good $name stat $file 0
	good $name count asked
	good $name count init3
done
sharing
wrong_locks
good a count callback
good b count callback
waiting
time_out
cut_off
stop_server
echo "$checks answers as expected"
