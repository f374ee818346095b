#!/bin/bash
# SPDX-License-Identifier: MIT
#
# afsx-nbd with qcow2 images, partitions, snapshots and temporary overlays, by the
# clients there are: they read what is in the image, and qemu-img finds it sound and
# with what they wrote.
set -euo pipefail

# shellcheck source=tools/testing/host/nbd/lib.sh
. "$AFSX_TOP/tools/testing/host/nbd/lib.sh"
need nbdinfo nbdcopy qemu-img qemu-io fio sfdisk

image=$work/image.qcow2
raw=$work/raw

new_image()
{
	rm -f "$image"
	head -c 5000000 /dev/urandom >"$work/base"
	qemu-img create -q -f qcow2 -b base -F raw "$image" 16M
	qemu-io -c 'write -q -P 3 1M 2M' -c 'write -q -z 6M 1M' -c 'write -q -c -P 4 8M 64k' "$image"
	qemu-img snapshot -c first "$image"
	qemu-io -c 'write -q -P 5 1M 1M' "$image"
}

is_sound()
{
	passes 'qemu-img check' qemu-img check "$image"
	! grep -q leaked "$work/out" || fail "$1: $(<"$work/out")"
}

reads()
{
	qemu-img convert -O raw "$image" "$raw"
	start -t -r -e 4 "$image"
	! grep -q warn "$work/server.log" || fail "a warning for qcow2: $(<"$work/server.log")"
	equal size "$(nbdinfo --size "$uri")" $((16 << 20))
	passes read nbdcopy --connections=4 "$uri" "$work/copy"
	passes 'what was read' cmp "$work/copy" "$raw"
	passes 'compare by QEMU' qemu-img compare -f raw -F qcow2 "$uri" "$image"
	passes map nbdinfo --map "$uri"
	stop
}

snapshots()
{
	local how

	qemu-img convert -l snapshot.name=first -O raw "$image" "$raw"
	for how in 1 first snapshot.id=1 snapshot.name=first snapshot.id=1,snapshot.name=first; do
		start -t -l "$how" "$image"
		passes "snapshot $how" nbdcopy "$uri" "$work/copy"
		passes "what $how is" cmp "$work/copy" "$raw"
		! qemu-io -f raw -c 'write 0 512' "$uri" >/dev/null 2>&1 ||
			fail 'a snapshot can be written to'
		stop
	done
}

writes()
{
	local connections

	head -c $((16 << 20)) /dev/urandom >"$raw"
	for connections in 1 4; do
		new_image
		start -t -f qcow2 -e 4 --discard=unmap "$image"
		passes write nbdcopy --flush --connections="$connections" "$raw" "$uri"
		stop
		is_sound 'after nbdcopy'
		passes 'what was written' qemu-img compare -f raw -F qcow2 "$raw" "$image"
		new_image
		start -t -f qcow2 -e 20 --discard=unmap "$image"
		passes "fio, $connections jobs" fio --name=verify --ioengine=nbd --uri="$uri" \
			--rw=randwrite --verify=crc32c --iodepth=16 --size=4m --offset_increment=4m \
			--numjobs="$connections" --thread --do_verify=1 --bsrange=512-128k \
			--bs_unaligned=1 --verify_state_save=0
		stop
		is_sound 'after fio'
	done
}

# What was flushed is there after SIGKILL.
killed()
{
	new_image
	start -t -f qcow2 "$image"
	passes 'qemu-io' qemu-io -f raw -c 'write -P 0x77 3M 2M' -c 'write -z 0 1M' -c flush "$uri"
	kill -KILL "$server_pid"
	wait "$server_pid" 2>/dev/null || true
	rm -f "$socket"
	passes 'data after SIGKILL' qemu-io -r -c 'read -P 0x77 3M 2M' -c 'read -P 0 0 1M' "$image"
	! grep -q failed "$work/out" || fail "$(<"$work/out")"
	qemu-img check "$image" >"$work/out" 2>&1 || [[ $? == 3 ]] || fail "$(<"$work/out")"
	checks=$((checks + 1))
}

overlay()
{
	local before

	new_image
	before=$(sha256sum <"$image")
	start -t -s -e 4 "$image"
	passes 'write to the overlay' nbdcopy --flush --connections=4 "$raw" "$uri"
	passes 'what is in it' qemu-img compare -f raw -F raw "$raw" "$uri"
	stop
	equal 'the image under it' "$(sha256sum <"$image")" "$before"
}

# also OPTION... IMAGE: another server serves the image too.
also()
{
	"$afsx_nbd" -k "$work/second" "$@" 2>"$work/out" &
	until [[ -S $work/second ]]; do
		kill -0 $! 2>/dev/null || fail "afsx-nbd $*: $(<"$work/out")"
		sleep 0.05
	done
	kill $!
	wait $! || fail "afsx-nbd $*: $(<"$work/out")"
	checks=$((checks + 1))
}

# locked WHO IMAGE: qemu-img and another server refuse an image that WHO writes to.
locked()
{
	local format=${2##*.} option

	expect 1 'Failed to get shared "write" lock' \
		qemu-img convert -f "$format" -O raw "$2" "$work/copy"
	expect 1 "afsx-nbd: $2: another program has it open$" \
		timeout 60 "$afsx_nbd" -k "$work/second" -f "$format" "$2"
	for option in -r -s; do
		expect 1 "afsx-nbd: $2: another program writes to it$" \
			timeout 60 "$afsx_nbd" -k "$work/second" -f "$format" $option "$2"
	done
	passes "beside $1" qemu-img convert -U -f "$format" -O raw "$2" "$work/copy"
	also --no-lock -f "$format" "$2"
}

# readable IMAGE: qemu-img and another server read an image that is read, and may not
# write to it.
readable()
{
	passes 'to be read by others' qemu-img compare -f "${1##*.}" -F "${1##*.}" "$1" "$1"
	also -f "${1##*.}" -r "$1"
	also -f "${1##*.}" -s "$1"
	expect 1 "afsx-nbd: $1: another program has it open$" \
		timeout 60 "$afsx_nbd" -k "$work/second" -f "${1##*.}" "$1"
	expect 1 'Failed to get "write" lock' qemu-io -f "${1##*.}" -c 'write 0 512' "$1"
}

locks()
{
	local format qemu

	for format in raw qcow2; do
		qemu-img create -q -f "$format" "$work/locked.$format" 4M
		start -t -f "$format" "$work/locked.$format"
		locked 'a server' "$work/locked.$format"
		stop
		start -t -r -f "$format" "$work/locked.$format"
		readable "$work/locked.$format"
		stop
		qemu-nbd -t -f "$format" -k "$work/qemu" "$work/locked.$format" &
		qemu=$!
		wait_for test -S "$work/qemu"
		locked qemu-nbd "$work/locked.$format"
		kill "$qemu"
		wait "$qemu" || true
	done
	# what is below an image is read
	qemu-img create -q -f qcow2 -b "$work/locked.raw" -F raw "$work/over.qcow2"
	start -t -f qcow2 "$work/over.qcow2"
	readable "$work/locked.raw"
	stop
	passes 'without locks' qemu-io -f raw -c 'write 0 512' "$work/locked.raw"
}

partitions()
{
	local nr start size

	rm -f "$work/disk"
	head -c $((16 << 20)) /dev/urandom >"$work/disk"
	printf '%s\n' 'label: dos' 'size=4096' 'type=f' 'size=1000' 'size=3000' |
		sfdisk -q --wipe always "$work/disk"
	qemu-img convert -f raw -O qcow2 "$work/disk" "$work/disk.qcow2"
	for nr in 1 5 6; do
		read -r start size < <(sfdisk -l -o Start,Sectors "$work/disk" | tail -n 4 |
			sed -n "$((nr == 1 ? 1 : nr - 2))p")
		start -t -P "$nr" "$work/disk.qcow2"
		passes "partition $nr" nbdcopy "$uri" "$work/copy"
		passes "what is in partition $nr" cmp "$work/copy" \
			<(tail -c +$((start * 512 + 1)) "$work/disk" | head -c $((size * 512)))
		equal "size of partition $nr" "$(nbdinfo --size "$uri")" $((size * 512))
		stop
	done
}

new_image
reads
snapshots
writes
killed
overlay
locks
partitions
echo "$checks checks"
