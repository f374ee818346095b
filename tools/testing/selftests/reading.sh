#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 900
#
# What is cached costs no call, what has changed is seen at the next access,
# several processes read one file at once, and automounts expire.
set -euo pipefail
. tools/testing/vm/in-guest.sh --kernel uml-debug --cell --timeout 800
. tools/testing/selftests/mounts.bash

# sent RPC: how often it was sent so far.
sent()
{
	awk -v rpc="$1" '$4 == rpc { print $1 }' $proc/stats
}

# await WHAT COMMAND...: the command works within a minute.
await()
{
	local what=$1 result=never i
	shift

	for ((i = 0; i < 600; i++)); do
		if "$@"; then
			result=yes
			break
		fi
		sleep 0.1
	done
	check "$what" yes "$result"
}

look_at_everything()
{
	ls -lR /mnt/a
	cat /mnt/a/state /mnt/a/many/*
	stat /mnt/a/numbers
	ls /mnt/a/missing 2>&1 || true
}

# Also: the second time says the same as the first.
warm()
{
	local before first

	first=$(look_at_everything)
	before=$(calls_sent)
	check "the second look" "yes" \
		"$([[ $(look_at_everything) = "$first" ]] && echo yes || echo no)"
	check "calls of a second look" 0 "$(($(calls_sent) - before))"
	check "inode numbers and types in lists" equal \
		"$(build/bin/compare-trees --known-types /mnt/a /mnt/a >&2 && echo equal)"
}

# Status is fetched for 50 entries at once: for `many` itself, then for the files
# that are in it. Its contents are one call.
cold()
{
	local before

	before=$(sent FS.InlineBulkStatus)
	check "files of a long list" 120 "$(find /mnt/a/many -type f -size +0 | wc -l)"
	check "calls for the status of 120 files" '[234]' \
		"$(($(sent FS.InlineBulkStatus) - before))"
}

changes()
{
	local fd

	exec {fd}</mnt/a/state
	check "before" three "$(cat /mnt/a/state)"
	replace state 'four, which is longer'
	check "after the file was replaced" 'four, which is longer' "$(cat /mnt/a/state)"
	check "its size" 22 "$(stat -c %s /mnt/a/state)"
	check "the file that was replaced" 'Stale file handle' "$(error_of cat <&"$fd")"
	exec {fd}<&-

	check "a name that is not there" 'No such file or directory' \
		"$(error_of cat /mnt/a/new)"
	replace new 'here it is'
	check "the same name, made since" 'here it is' "$(cat /mnt/a/new)"
	vol rm data /new >/dev/null
	check "and removed" 'No such file or directory' "$(error_of cat /mnt/a/new)"
	vol mkmount data /new free >/dev/null
	check "and made a mount point" directory "$(stat -c %F /mnt/a/new)"
	check "that leads to free" '#free.' "$(readlink /mnt/a/new)"
	vol rm data /new >/dev/null
	check "list in the end" 'many numbers state ' "$(names /mnt/a)"
}

# All requests go out while the server sleeps: none waits for the reply to another.
readers()
{
	local before i pids=() server

	umount /mnt/a
	mount -t afsx "%$cell:data" /mnt/a
	check "file to read" 938895 "$(stat -c %s /mnt/a/numbers)"
	server=$(</run/cell/afsxd.pid)
	before=$(sent FS.FetchData64)
	kill -STOP "$server"
	for i in 1 2 3 4; do
		dd if=/mnt/a/numbers bs=4096 skip=$((i * 45)) count=1 \
			of="/tmp/part-$i" status=none &
		pids+=($!)
	done
	await "four reads at once" all_asked $((before + 4))
	kill -CONT "$server"
	wait "${pids[@]}"
	for i in 1 2 3 4; do
		check "part $i" "$(seq 150000 | tail -c +$((i * 45 * 4096 + 1)) |
			head -c 4096 | cksum)" "$(cksum <"/tmp/part-$i")"
	done
}

all_asked()
{
	[[ $(sent FS.FetchData64) -ge $1 ]]
}

# An idle mount goes, and nothing is left of it.
expiry()
{
	echo 1 >/sys/module/afsx/parameters/mountpoint_timeout
	mount -t afsx "%$cell:root.cell" /mnt/b
	check "through a mount point" 'many numbers state ' "$(names /mnt/b/data)"
	await "expiry of the mount" not_mounted /mnt/b/data
	check "through it again" 'many numbers state ' "$(names /mnt/b/data)"
	umount /mnt/b
	check "mounts after umount" '' "$(shown /mnt/b)$(shown /mnt/b/data)"
}

not_mounted()
{
	[[ -z $(shown "$1") ]]
}

make_volumes
tree=$(mktemp -d)
mkdir "$tree/many"
for i in {1..120}; do
	echo "file $i" >"$tree/many/$i"
done
vol import data "$tree" >/dev/null
rm -r "$tree"
mkdir -p /mnt/a /mnt/b
mount -t afsx "%$cell:data" /mnt/a

cold
warm
progress "cold and warm done"
changes
progress "changes done"
readers
progress "readers done"
expiry
umount /mnt/a
finish "reading"
