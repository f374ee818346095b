#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 2400
#
# Every single allocation of loading, mounting and remounting fails once: the call
# then fails too, or does without, and nothing leaks or stays behind.
set -euo pipefail
. tools/testing/vm/in-guest.sh --kernel uml-debug --cell --timeout 2300
. tools/testing/selftests/mounts.bash

# Let allocations fail that may sleep, too, and do not tell of each.
for kind in failslab fail_page_alloc; do
	echo N >"/sys/kernel/debug/$kind/ignore-gfp-wait"
	echo 0 >"/sys/kernel/debug/$kind/verbose"
done

# each_fails WHAT UNDO ARGUMENT...: run mount-call with the first, the second...
# allocation failing, until there are no more; where it worked, UNDO undoes it.
each_fails()
{
	local what=$1 undo=$2 nth answer failed=0
	shift 2

	for ((nth = 1; nth < 3000; nth++)); do
		answer=$(MOUNT_CALL_FAIL_NTH=$nth $mount_call "$@")
		if [[ ${answer#all } = OK* ]]; then
			$undo
		else
			failed=$((failed + 1))
			check "$what, allocation $nth" '(ENOMEM|ENFILE|EIO|EAGAIN)( .*)?' "$answer"
		fi
		if [[ $answer = all* ]]; then
			check "$what, at last" 'all OK.*' "$answer"
			break
		fi
	done
	check "$what: some failed" '[1-9][0-9]*' "$failed"
	progress "$what: $nth allocations, $failed of them vital"
}

unload()
{
	modprobe -r afsx
}

undo_mount()
{
	umount -R /mnt
}

nothing()
{
	:
}

# The kernel itself loses the name of a slab cache that it cannot show in sysfs.
# Nothing else may be lost so far; what was is not told of again.
forgive_slab_names()
{
	local kmemleak=/sys/kernel/debug/kmemleak

	echo scan >$kmemleak
	sleep 6
	echo scan >$kmemleak
	check "leaks while loading" "$(grep -c sysfs_slab_add $kmemleak || true)" \
		"$(grep -c '^unreferenced object' $kmemleak || true)"
	echo clear >$kmemleak
}

umount /afs
unload
each_fails "loading" unload load "$AFSX_KO" "rootcell=$cell:$address"
forgive_slab_names
modprobe afsx "rootcell=$cell:$address"
each_fails "dynamic root" undo_mount old afsx none /mnt '' dyn
each_fails "volume" undo_mount old afsx "#$cell:doc" /mnt '' flock=local,autocell
each_fails "volume, fsconfig" undo_mount new afsx none /mnt "cell=$cell,vol=%root.cell"
unload
modprobe afsx "rootcell=$cell:$address"
# The records of the cell's server and volumes are made only once per load.
for ((nth = 1; nth < 400; nth += 7)); do
	MOUNT_CALL_FAIL_NTH=$nth $mount_call old afsx "%$cell:doc" /mnt >/dev/null
	! mountpoint -q /mnt || umount /mnt
	unload
	modprobe afsx "rootcell=$cell:$address"
done
$mount_call new afsx "#$cell:doc" /mnt >/dev/null
each_fails "remount" nothing pick /mnt "source=#$cell:doc,flock=strict"
check "still there" "#$cell:doc ro,.*" "$(shown /mnt)"
umount /mnt
finish "allocations that fail"
