#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 900
#
# afsx-nbd -c and -d: images as devices of the stock kernel, by netlink and by ioctl.
# File systems on them are whole, and qemu-img finds in the image what the device had;
# what cannot be is said, and nothing is left behind.
set -euo pipefail
. tools/testing/vm/in-guest.sh --kernel debian --timeout 800
. tools/testing/interop/check.sh

work=$(mktemp -d)
device=/dev/nbd0
sysfs=/sys/block/nbd0
no_module=/etc/modprobe.d/no-nbd.conf

# says STATUS SENTENCE OPTION...: what afsx-nbd ends with, and all it says.
says()
{
	local status=0 wanted=$1 sentence=$2

	timeout 60 afsx-nbd "${@:3}" >"$work/said" 2>&1 || status=$?
	check "afsx-nbd ${*:3}" "$wanted $sentence" \
		"$status $(sed 's|^afsx-nbd: ||' "$work/said")"
}

connected()
{
	[[ -e $sysfs/pid ]] && echo connected || echo free
}

sum()
{
	sha256sum | cut -d ' ' -f 1
}

# tree DIR: the contents of all files there, in one number.
tree()
{
	(cd "$1" && find . -type f -print0 | sort -z | xargs -0 cat) | sum
}

without_module()
{
	local none='No such file or directory; the kernel has no module nbd'

	mkdir -p "${no_module%/*}"
	echo 'install nbd /bin/false' >"$no_module"
	says 1 "$device: $none" -c "$device" -f raw "$work/raw"
	says 1 "$device: $none" -d "$device"
	rm "$no_module"
}

wrong_devices()
{
	mknod "$work/loop" b 7 0
	mknod "$work/nbd9999" b 43 1048560
	for path in "$work/raw" /dev/null "$work/loop"; do
		says 1 "$path: not a device of NBD" -c "$path" -f raw "$work/raw"
		says 1 "$path: not a device of NBD" -d "$path"
	done
	says 1 "$work/none: No such file or directory" -c "$work/none" -f raw "$work/raw"
	says 1 "$work/nbd9999: the kernel does not have this device" -d "$work/nbd9999"
	says 1 "$device: is not connected" -d "$device"
	says 1 "$work/none: cannot be opened for writing: No such file or directory" \
		-c "$device" -f raw "$work/none"
	says 1 "$work/raw: not a qcow2 image" -c "$device" -f qcow2 "$work/raw"
	check 'after images that are none' free "$(connected)"
	check 'without the right' 'Operation not permitted' \
		"$(error_of setpriv --bounding-set -sys_admin afsx-nbd -c "$device" -f raw "$work/raw")"
}

# image FORMAT: a file system through the device, beside what qemu-img finds.
image()
{
	local format=$1 before

	says 0 '' -c "$device" -f "$format" "$work/$format"
	check 'the size' $((96 << 11)) "$(<"$sysfs/size")"
	check 'the image' "$work/$format" "$(cat "$sysfs/backend" 2>/dev/null || echo "$work/$format")"
	check 'its write cache' 'write back' "$(<"$sysfs/queue/write_cache")"
	says 1 "$device: is connected already, by process $(<"$sysfs/pid")" \
		-c "$device" -f "$format" "$work/$format"
	mkfs.ext4 -q "$device"
	mount "$device" "$work/mnt"
	cp -r tools/nbd tools/testing/vm "$work/mnt"
	head -c 8M /dev/urandom >"$work/mnt/random"
	rm -r "$work/mnt/vm"
	before=$(tree "$work/mnt")
	says 1 "$device: is mounted, or in use by another device" -d "$device"
	check 'a mounted device' connected "$(connected)"
	umount "$work/mnt"
	mount "$device" "$work/mnt"
	check 'the files' "$before" "$(tree "$work/mnt")"
	umount "$work/mnt"
	check "fsck" 0 "$(e2fsck -fn "$device" >&2 && echo 0)"
	before=$(sum <"$device")
	says 0 "$device disconnected" -d "$device"
	check 'after -d' free "$(connected)"
	check 'processes' '' "$(pgrep afsx-nbd)"
	check 'sockets' '' "$(ls /run/lock)"
	qemu-img convert -f "$format" -O raw "$work/$format" "$work/copy"
	check "the $format image" "$before" "$(sum <"$work/copy")"
	[[ $format = raw ]] || qemu-img check -q "$work/$format"
	check "qemu-img check" 0 $?
	rm "$work/copy"
	progress "$format done"
}

partitions()
{
	truncate -s 16M "$work/disk"
	sfdisk -q "$work/disk" <<<$'2048,4096\n6144,8192'
	says 0 '' -c "$device" -f raw "$work/disk"
	check 'partitions' '4096 8192' "$(cat "$sysfs"/nbd0p{1,2}/size | xargs)"
	says 1 "${device}p1: nbd0p1 is not a whole device of NBD" -d "${device}p1"
	mkfs.ext4 -q "${device}p2"
	mount "${device}p2" "$work/mnt"
	says 1 "$device: is mounted, or in use by another device" -d "$device"
	umount "$work/mnt"
	says 0 "$device disconnected" -d "$device"
	says 0 '' -c "$device" -f raw -r -P 2 "$work/disk"
	check 'the second alone' 8192 "$(<"$sysfs/size")"
	check 'read-only' 1 "$(blockdev --getro "$device")"
	check 'its file system' 0 "$(e2fsck -fn "$device" >&2 && echo 0)"
	says 0 "$device disconnected" -d "$device"
}

# Signals, and who else has the device open.
ends()
{
	local pid

	says 0 '' -c "$device" -f raw -t "$work/raw"
	pid=$(<"$sysfs/pid")
	echo 'written last' | dd of="$device" conv=notrunc status=none
	kill "$pid"
	tail --pid "$pid" -f /dev/null
	check 'after SIGTERM' free "$(connected)"
	check 'what was written' 'written last' "$(head -c 12 "$work/raw")"

	says 0 '' -c "$device" -f raw "$work/raw"
	kill -KILL "$(<"$sysfs/pid")"
	check 'a device without a server' 'Input/output error' \
		"$(error_of head -c 4096 "$device")"
	says 1 "$device: disconnected, but perhaps not all that was written reached the server: Input/output error" \
		-d "$device"

	exec 5<"$device"
	says 1 "$device: another program has it open" -c "$device" -f raw "$work/raw"
	check 'its socket' '' "$(ls /run/lock)"
	exec 5<&-
	says 0 '' -c "$device" -f raw "$work/raw"
	exec 5<"$device"
	says 1 "$device: disconnected, but another program has it open" -d "$device"
	exec 5<&-
	check 'and closed' free "$(connected)"
}

# What nbd-client connects we disconnect, and the other way round.
strangers()
{
	local pid status=0

	afsx-nbd -f raw -t -k "$work/socket" --fork --pid-file "$work/pid" "$work/raw"
	pid=$(<"$work/pid")
	nbd-client -unix "$work/socket" "$device" >/dev/null
	says 0 "$device disconnected" -d "$device"
	kill "$pid"
	tail --pid "$pid" -f /dev/null

	afsx-nbd -v -c "$device" -f raw "$work/raw" 2>"$work/log" &
	until grep -q 'device connected' "$work/log"; do
		sleep 0.1
	done
	nbd-client -d "$device" >/dev/null
	wait $! || status=$?
	check 'status with -v' 0 $status
}

# serve_larger IMAGE OPTION...: a server of an image that has become larger meanwhile
serve_larger()
{
	afsx-nbd -f raw -t -e 4 -k "$work/socket" --fork --pid-file "$work/pid" "${@:2}" "$1"
	check 'the size' $((16 << 20)) "$(nbdinfo --size "$uri")"
	truncate -s 24M "$work/growing"
	[[ ! -b $1 ]] || losetup -c "$1"
	check 'the size then' $((24 << 20)) "$(nbdinfo --size "$uri")"
}

# Of block devices, and of the image of one.
grows()
{
	local uri="nbd+unix:///?socket=$work/socket" disk

	modprobe loop
	truncate -s 16M "$work/growing"
	disk=$(losetup --show -f "$work/growing")
	serve_larger "$disk"
	check 'what was added' 0 "$(qemu-io -f raw -c 'write -P 5 23M 1M' "$uri" >&2 && echo 0)"
	kill "$(<"$work/pid")"
	until [[ -z $(pgrep afsx-nbd) ]]; do
		sleep 0.1
	done
	losetup -d "$disk"
	check 'the disk' "$(head -c 1M /dev/zero | tr '\0' '\5' | sum)" \
		"$(tail -c 1M "$work/growing" | sum)"
	truncate -s 16M "$work/growing"
	serve_larger "$work/growing" -c "$device"
	check 'the device' $((16 << 11)) "$(<"$sysfs/size")"
	says 0 "$device disconnected" -d "$device"
}

# A library that takes the kernel's netlink away.
old_kernel()
{
	gcc -shared -fPIC -o "$work/old.so" -xc - <<-'END'
		int genl_ctrl_resolve(void *sock, const char *name)
		{
			return -12;	/* NLE_OBJ_NOTFOUND */
		}
	END
	export LD_PRELOAD=$work/old.so
	image raw
	check 'flags by ioctl' 0 "$(<"$sysfs/ro")"
	says 0 '' -c "$device" -f raw "$work/raw"
	exec 5<"$device"
	kill "$(<"$sysfs/pid")"
	exec 5<&-
	until [[ -z $(pgrep afsx-nbd) ]]; do
		sleep 0.1
	done
	check 'after SIGTERM, by ioctl' free "$(connected)"
	unset LD_PRELOAD
}

mkdir -p /run/lock "$work/mnt"
truncate -s 96M "$work/raw"
qemu-img create -q -f qcow2 "$work/qcow2" 96M
without_module
# which the first use loads
says 0 '' -c "$device" -f raw "$work/raw"
says 0 "$device disconnected" -d "$device"
wrong_devices
image raw
image qcow2
partitions
ends
strangers
grows
progress 'netlink done'
old_kernel
finish nbd-device
