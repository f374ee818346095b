#!/bin/bash
# SPDX-License-Identifier: MIT
#
# In a guest: the volume store beside files on ext4 on the kernel's NBD device. The image of
# each is in the guest's memory and has a server of its own there, of the same kind. All
# rounds are in one guest: what it reads from the host for the first time costs time.
set -euo pipefail
cd "$AFSX_TOP"
results=$AFSX_OUT
. tools/testing/bench/lib.sh

work=/run/bench
bench=(build/bench/bin/bench-store -n 2)
steps=(names small-writes full-directory)
device=/dev/nbd0
uri="nbd+unix:///?socket=$work/nbd"

new_server()
{
	rm -f "$work/image"
	fallocate -l 1G "$work/image"
	serve_blocks "$work/image"
}

# The journal is as large as one of 3 GiB has it, and there are inodes for all files.
on_files()
{
	new_server
	nbd-client -unix "$work/nbd" "$device" >/dev/null
	mkfs.ext4 -q -J size=64 -N 300000 -E lazy_itable_init=0,lazy_journal_init=0,nodiscard \
		"$device"
	mount "$device" "$work/files"
	"${bench[@]}" files "$work/files" "${steps[@]}" >"$work/figures"
	umount "$work/files"
	nbd-client -d "$device" >/dev/null
	end_blocks
	note_lines guest-files <"$work/figures"
}

on_store()
{
	new_server
	afsx-vol --store "$uri" format >/dev/null
	"${bench[@]}" store "$uri" "${steps[@]}" >"$work/figures"
	end_blocks
	note_lines guest-store <"$work/figures"
}

modprobe nbd
mkdir "$work"
mount -t tmpfs -o size=1200M tmpfs "$work"
mkdir "$work/files"
for ((i = 0; i < rounds; i++)); do
	on_files
	on_store
	echo "round $((i + 1)) in the guest" >&2
done
