#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What the tracepoints say of a mount, a read, a broken promise, a refusal and a
# forced unmount. The figures come from the server, stat(2) and the protocol.
set -euo pipefail
. tools/testing/vm/in-guest.sh --kernel uml-debug --cell
. tools/testing/selftests/mounts.bash

tracing=/sys/kernel/tracing
dir=/mnt/traced
vl=127.0.0.1:7003
fs=127.0.0.1:7000

# lines EVENT [TEXT]: how often an event appeared, with that text, a regular expression.
lines()
{
	grep -cE ": $1: ${2:-.*}\$" $tracing/trace || true
}

# traced EVENT TEXT: it appeared at least once.
traced()
{
	check "$1: $2" '[1-9][0-9]*' "$(lines "$1" "$2")"
}

# From now on.
start_over()
{
	echo >$tracing/trace
}

mounting()
{
	local before sent

	start_over
	before=$(calls_sent)
	check "mount" OK "$($mount_call new afsx "%$cell:data" $dir)"
	sent=$(($(calls_sent) - before))
	check "calls begun" "$sent" "$(lines afsx_call_begin)"
	check "calls ended" "$sent" "$(lines afsx_call_end)"
	traced afsx_call_begin "$vl VL.GetEntryByNameU"
	traced afsx_call_end "$vl VL.GetEntryByNameU error=0 abort=0 bytes=0 us=[0-9]+"
	traced afsx_verdict "vid=0 VL.GetEntryByNameU error=0 abort=0 .* -> done ms=0 result=0"
	traced afsx_volume "cell=$cell name=data vid=$id servers=1 changed=1"
	traced afsx_server "uuid=[0-9a-f-]{36} $fs error=0"
	traced afsx_verdict "vid=$id FS.FetchStatus error=0 abort=0 .* -> done ms=0 result=0"
	traced afsx_promise_given "fid=$id.1.1 seconds=[1-9][0-9]* kept=1"
	traced afsx_mount "dev=$(mountpoint -d $dir) cell=$cell vid=$id"
}

reading()
{
	local size

	size=$(stat -c %s $dir/numbers)
	start_over
	ls -l $dir >/dev/null
	cat $dir/numbers >/dev/null
	check "bytes of the file" "$size" \
		"$(sed -nE 's/.*: afsx_call_end: .* FS.FetchData64 error=0 .* bytes=([0-9]+) .*/\1/p' \
			$tracing/trace | awk '{ sum += $1 } END { print sum }')"
	start_over
	ls -l $dir >/dev/null
	cat $dir/numbers >/dev/null
	check "events of what is cached" 0 "$(lines 'afsx_[a-z_]*')"
}

# Another file in the root directory: the server breaks the directory's promise.
breaking()
{
	start_over
	replace state four
	for _ in {1..100}; do
		(($(lines afsx_callback) == 0)) || break
		sleep 0.1
	done
	traced afsx_callback "127.0.0.1:7000 CB.CallBack error=0"
	traced afsx_promise_broken "fid=$id.1.1"
	ls $dir >/dev/null
	traced afsx_promise_void "fid=$id.1.1 why=none"
	traced afsx_promise_given "fid=$id.1.1 .*"
}

# 363524 is VL_NOENT; 103 and 123 are ECONNABORTED and ENOMEDIUM.
refusal()
{
	start_over
	check "mount of nothing" 'ENOMEDIUM .*' \
		"$($mount_call new afsx "%$cell:no-such" /mnt)"
	traced afsx_call_end "$vl VL.GetEntryByNameU error=-103 abort=363524 .*"
	traced afsx_verdict "vid=0 VL.GetEntryByNameU error=-103 abort=363524 .* -> done ms=0 result=-123"
	check "mounts" 0 "$(lines afsx_mount)"
}

# 106 is VOFFLINE: the VLDB is asked once, then the volume is waited for.
waiting()
{
	start_over
	vol set --offline 'not now' data
	echo 3 >/proc/sys/vm/drop_caches
	check "reading what is off line" 'No such device' "$(error_of cat $dir/numbers)"
	traced afsx_verdict "vid=$id .* error=-103 abort=106 .* waits=0 refreshes=0 -> ask-vldb ms=0 .*"
	traced afsx_verdict "vid=$id .* error=-103 abort=106 .* waits=0 refreshes=1 -> wait ms=500 .*"
	vol set --online data
}

unmounting()
{
	local dev

	dev=$(mountpoint -d $dir)
	start_over
	umount -f $dir
	traced afsx_umount_force "dev=$dev cell=$cell vid=$id"
	traced afsx_umount "dev=$dev cell=$cell vid=$id"
}

make_volumes
id=$(vol_id data)
mkdir -p $dir
mountpoint -q $tracing || mount -t tracefs none $tracing
echo 1 >$tracing/events/afsx/enable
for part in mounting reading breaking refusal waiting unmounting; do
	"$part"
	progress "$part done"
done
echo 0 >$tracing/events/afsx/enable
finish "tracing"
