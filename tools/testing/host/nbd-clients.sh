#!/bin/bash
# SPDX-License-Identifier: MIT
#
# afsx-nbd with the clients there are: libnbd, QEMU and fio read what is in the image,
# and the image has what they wrote.
set -euo pipefail

# shellcheck source=tools/testing/host/nbd/lib.sh
. "$AFSX_TOP/tools/testing/host/nbd/lib.sh"
need nbdinfo nbdcopy qemu-img qemu-io fio

image=$work/image
copy=$work/copy

# new_image: data, holes, zeroes that are stored, and an end within a sector
new_image()
{
	rm -f "$image"
	truncate -s 24000001 "$image"
	dd if=/dev/urandom of="$image" bs=64K seek=3 count=40 conv=notrunc status=none
	dd if=/dev/zero of="$image" bs=64K seek=100 count=16 conv=notrunc status=none
	dd if=/dev/urandom of="$image" bs=1 seek=23999000 count=1001 conv=notrunc status=none
}

info_of()
{
	nbdinfo --json "$@" | python3 -c '
import json, sys
for e in json.load(sys.stdin)["exports"]:
    print(e["export-name"], e["export-size"], e.get("description", "-"), e["is_read_only"],
          e["can_multi_conn"])'
}

shows_information()
{
	start -f raw -t -r -D 'an image' "$image"
	equal 'one export' "$(info_of "$uri")" ' 24000001 an image True False'
	equal 'its list' "$(info_of --list "$uri")" ' 24000001 an image True False'
	equal 'size' "$(nbdinfo --size "$uri")" 24000001
	stop
	truncate -s 1M "$work/second"
	start -f raw -t -e 9 "$image" "$work/second"
	equal 'two exports' "$(info_of --list "$uri")" $'image 24000001 - False True\nsecond 1048576 - False True'
	equal 'the second' "$(nbdinfo --size "nbd+unix:///second?socket=$socket")" 1048576
	equal 'the default' "$(nbdinfo --size "$uri")" 24000001
	stop
	start -f raw -t -x disk -o 4M "$image"
	equal 'rest behind an offset' "$(nbdinfo --size "nbd+unix:///disk?socket=$socket")" \
		$((24000001 - 4194304))
	! nbdinfo --size "$uri" >/dev/null 2>&1 || fail 'a named export answers without a name'
	passes 'its data' nbdcopy "nbd+unix:///disk?socket=$socket" "$copy"
	passes 'its data' cmp "$copy" <(tail -c +4194305 "$image")
	stop
}

copies()
{
	local connections

	for connections in 1 4; do
		rm -f "$copy"
		start -f raw -t -e "$connections" "$image"
		passes 'read' nbdcopy --connections="$connections" "$uri" "$copy"
		passes 'what was read' cmp "$copy" "$image"
		stop
		truncate -s 0 "$work/target"
		truncate -s 24000001 "$work/target"
		start -f raw -t -e "$connections" --discard=unmap "$work/target"
		passes 'write' nbdcopy --flush --connections="$connections" "$image" "$uri"
		passes 'what was written' cmp "$work/target" "$image"
		stop
	done
}

qemu_agrees()
{
	start -f raw -t -e 4 "$image"
	passes compare qemu-img compare -U -f raw -F raw "$image" "$uri"
	equal 'map of QEMU' "$(qemu-img map --output=json -f raw "$uri" | data_runs)" \
		"$(qemu-img map -U --output=json -f raw "$image" | data_runs)"
	passes convert qemu-img convert -f raw -O raw "$uri" "$copy"
	# what is no whole sector QEMU pads
	passes 'what was converted' cmp -n 24000001 "$copy" "$image"
	passes 'qemu-io' qemu-io -f raw -c 'write -P 0x11 1M 3M' -c 'aio_write -P 0x22 5M 64k' \
		-c 'aio_flush' -c 'write -z 2M 512k' -c 'write -zu 3M 64k' -c 'write -f -P 0x33 9M 1k' \
		-c 'discard 8M 64k' -c 'flush' -c 'read -P 0x11 1M 1M' -c 'read -P 0 2M 512k' \
		-c 'read -P 0 3M 64k' -c 'read -P 0x22 5M 64k' -c 'read -P 0x33 9M 1k' "$uri"
	! grep -q 'failed\|error' "$work/out" || fail "qemu-io: $(<"$work/out")"
	stop
	passes 'the image itself' qemu-io -f raw -c 'read -P 0x11 1M 1M' -c 'read -P 0 2M 512k' \
		-c 'read -P 0x22 5M 64k' -c 'read -P 0x33 9M 1k' "$image"
	! grep -q 'failed\|error' "$work/out" || fail "the image: $(<"$work/out")"
}

# Only where data is: QEMU's own map and that of NBD name other things differently.
data_runs()
{
	python3 -c '
import json, sys
runs = []
for r in json.load(sys.stdin):
    if not r["data"]:
        continue
    if runs and runs[-1][1] == r["start"]:
        runs[-1][1] += r["length"]
    else:
        runs.append([r["start"], r["start"] + r["length"]])
print(runs)'
}

every_command()
{
	local mode seed=1 connections

	for mode in '' --cache=writethrough --cache=unsafe --threads=1 --aio=threads; do
		for connections in 1 4; do
			rm -f "$copy"
			truncate -s 6M "$copy"
			start -f raw -t -e 20 --discard=unmap ${mode:+"$mode"} "$copy"
			passes "every command, $mode" /usr/bin/python3 "$nbd_dir/commands.py" "$socket" \
				"$copy" "$seed" "$connections"
			stop
			seed=$((seed + 1))
		done
	done
}

# Whole sectors only, and memory at any address.
direct()
{
	local aio

	for aio in threads io_uring native; do
		rm -f "$copy"
		truncate -s 16M "$copy"
		if ! dd if="$copy" of=/dev/null bs=4096 count=1 iflag=direct status=none 2>/dev/null; then
			echo 'no direct I/O here'
			return
		fi
		start -f raw -t -e 4 -n --aio="$aio" -o 8k "$copy"
		passes "fio, direct, $aio" verify 3 --bsrange=4k-256k
		stop
	done
}

# Reads that do not find their data in memory.
cold()
{
	local aio size

	for aio in threads io_uring; do
		start -f raw -t -e 4 --aio="$aio" "$image"
		for size in 8192 262144; do
			sync "$image"
			dd if="$image" iflag=nocache count=0 status=none
			rm -f "$copy"
			passes "cold, $aio, $size" nbdcopy --request-size="$size" "$uri" "$copy"
			passes 'what was read' cmp "$copy" "$image"
		done
		stop
	done
}

# verify JOBS OPTION...: fio writes, reads and compares checksums
verify()
{
	(cd "$work" && fio --name=verify --ioengine=nbd --uri="$uri" --rw=randwrite --verify=crc32c \
		--iodepth=16 --size=4m --offset_increment=4m --numjobs="$1" --thread \
		--do_verify=1 "${@:2}")
}

fio_verifies()
{
	local jobs

	for jobs in 1 4; do
		rm -f "$copy"
		truncate -s 16M "$copy"
		start -f raw -t -e 20 "$copy"
		passes "fio, $jobs jobs" verify "$jobs" --bsrange=512-300k --bs_unaligned=1
		stop
	done
}

answers()
{
	nbdinfo --size "$1" >/dev/null 2>&1
}

over_tcp()
{
	local port=$((20000 + $$ % 12000)) address

	for address in 127.0.0.1 ::1 localhost; do
		[[ $address != ::1 || -e /proc/net/if_inet6 ]] || continue
		"$afsx_nbd" -f raw -t -e 4 -b "$address" -p "$port" "$image" 2>"$work/server.log" &
		server_pid=$!
		[[ $address != *:* ]] || address="[$address]"
		wait_for answers "nbd://$address:$port"
		rm -f "$copy"
		passes "copy from $address" nbdcopy "nbd://$address:$port" "$copy"
		passes 'what was read' cmp "$copy" "$image"
		kill "$server_pid"
		ended 0
	done
}

new_image
shows_information
copies
every_command
direct
cold
fio_verifies
over_tcp
qemu_agrees
echo "$checks checks"
