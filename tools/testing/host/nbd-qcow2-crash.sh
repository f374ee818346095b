#!/bin/bash
# SPDX-License-Identifier: MIT
#
# qcow2 images after crashes. A disk in memory loses power at random moments, with
# what was not durable there in part; and image-test is killed at random moments.
# qemu-img check may then find leaks but no error, and every sector holds something
# from what was flushed last to what was begun last. The long run: CRASH_SEEDS='1 2 ..'.
# time-limit: 1800
set -euo pipefail

# shellcheck source=tools/testing/host/qcow2/lib.sh
. "$AFSX_TOP/tools/testing/host/qcow2/lib.sh"
need qemu-img qemu-io

disk=$((2 << 20))
states=0

# make_image SEED: an image with some data, perhaps a snapshot and a backing file.
make_image()
{
	local options

	RANDOM=$1
	rm -f "$work"/{base,image,journal}
	# small clusters with wide counts make the table of them grow soon
	choose 512,refcount_bits=64 512,refcount_bits=64 4096 65536
	options=cluster_size=$REPLY
	head -c "$disk" /dev/zero | tr '\0' B >"$work/base"
	choose '' '-b base -F raw'
	# shellcheck disable=SC2086
	qemu-img create -q -f qcow2 $REPLY -o "$options" "$work/image" "$disk"
	qemu-io -c 'write -q -P 7 100k 300k' -c 'write -q -z 700k 200k' "$work/image"
	choose yes no
	[[ $REPLY == no ]] || qemu-img snapshot -c old "$work/image"
	qemu-img convert -O raw "$work/image" "$work/initial"
}

# judge IMAGE JOURNAL
judge()
{
	local status=0 output

	output=$(qemu-img check "$1" 2>&1) || status=$?
	# 3: leaks
	((status == 0 || status == 3)) || fail "seed $seed: $1: $output"
	qemu-img convert -O raw "$1" "$work/is"
	output=$("$bin/image-test" verify "$2" "$work/is" "$work/initial" 2>&1) ||
		fail "seed $seed: $1: $output"
	states=$((states + 1))
}

power_failures()
{
	local image

	# beside the backing file, whose name is relative
	rm -f "$work"/*.qcow2 "$work"/*.journal
	truncate -s $((disk * 16 / 512)) "$work/journal"
	CRASH_DIR=$work CRASH_JOURNAL=$work/journal CRASH_SEED=$seed CRASH_RATE=200 \
		"$bin/image-crash" journal "$work/image" "$work/journal" "$seed" 300 "$1"
	for image in "$work"/*.qcow2; do
		judge "$image" "${image%.qcow2}.journal"
	done
}

killed()
{
	local pid delay

	# the disk in memory left the image as it was
	rm "$work/journal"
	"$bin/image-test" journal "$work/image" "$work/journal" "$seed" 100000000 4 &
	pid=$!
	# it may take long to begin
	until [[ -s $work/journal ]]; do
		kill -0 "$pid" || fail "seed $seed: it did not begin"
		sleep 0.05
	done
	below 60
	printf -v delay '0.%02d' $((REPLY + 10))
	sleep "$delay"
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || true
	judge "$work/image" "$work/journal"
	# it can be used, and its leaks are gone when qemu-img repairs them
	cp "$work/is" "$work/model"
	"$bin/image-test" random "$work/image" "$work/model" "$seed" 100 2
	qemu-img check -q -r leaks "$work/image" >/dev/null 2>&1 || fail "seed $seed: repair"
	qemu-img compare -q -f raw -F qcow2 "$work/model" "$work/image" ||
		fail "seed $seed: contents after the crash"
}

for seed in ${CRASH_SEEDS:-1 2 3 4 5 6}; do
	make_image "$seed"
	power_failures $((seed % 2 ? 1 : 3))
	killed
done
echo "$states crashes, no error, nothing lost"
