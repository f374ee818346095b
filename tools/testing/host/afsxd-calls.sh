#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Every call of the file and volume location services, made by OpenAFS's stubs:
# what the server says of a volume is what stat(2), readlink(2) and read(2) say of
# the tree it was imported from.
# shellcheck disable=SC2119	# functions that may do without arguments
set -euo pipefail

# shellcheck source=tools/testing/host/afsxd/lib.sh
. "$AFSX_TOP/tools/testing/host/afsxd/lib.sh"

# Abort codes: VNOVNODE, VNOVOL, RXGEN_OPCODE; unified errors of ENOENT and ENOTDIR
# (unified_afs.h).
novnode=102 novol=103 opcode=-455
noent=49733377 notdir=49733395
quota=200000
device_kib=$((512 * 1024))

make_source()
{
	local tree=$1 size

	mkdir -p "$tree/deep/er/still" "$tree/empty" "$tree/many"
	for size in 0 1 4095 4096 4097 65536 262143 262144 262145 1048576 3333333; do
		head -c "$size" /dev/urandom >"$tree/size.$size"
	done
	truncate -s 5000000 "$tree/sparse"
	echo inner >"$tree/deep/er/still/file"
	ln "$tree/size.65536" "$tree/deep/er/hard-link"
	ln -s ../some/where "$tree/deep/link"
	ln -s "$(printf 'x%.0s' {1..1000})" "$tree/deep/long-link"
	echo long >"$tree/$(printf 'n%.0s' {1..255})"
	echo name >"$tree/Grüße – 名前"
	touch "$tree"/many/file.{1..700}
	chmod 4711 "$tree/size.1"
	chmod 0400 "$tree/size.4095"
	chmod 1777 "$tree/empty"
	((EUID != 0)) || chown 1234:5678 "$tree/size.4096" "$tree/deep"
	touch -d @86399 "$tree/size.4096"
	touch -d @-5 "$tree/size.4097"
	touch -d @2147483648 "$tree/size.1"
	touch -h -d @1000000000 "$tree/deep/link"
}

check_volumes()
{
	good one vl calls "$volume" wr
	good one vl nothing $((volume + 3)) w
	good one vl-none nosuch
	good one vl-none callsx
	good one vl-none "$(printf 'v%.0s' {1..64})"
	good one addrs calls 1
	good one vl-probe
	good one raw-vl 00010001	# GetCapabilities: one word, which is 0
	equal 'VL capabilities' "$answer" '0 0000000100000000'
}

check_server()
{
	good one caps
	good one time
	good one root-volume root.afs
	good one unserved "$opcode"
}

check_vnodes()
{
	good one status "$volume" 999998 1 "$novnode"
	good one status "$volume" 1 2 "$novnode"
	good one status "$volume" 1 0 "$novnode"
	good one status "$volume" 0 0 "$novnode"
	good one status $((volume + 2)) 1 1 "$novol"
	good one status 7 1 1 "$novol"
	good one bulk-errors "$volume"
	good one acl "$volume" 1 1
	equal 'access list' "$answer" '1/0/system:anyuser,9/'
	good one lookup "$volume" 1 1 nosuch "$noent"
	good one lookup "$volume" 1 1 size.1 0
	# shellcheck disable=SC2086	# the three words of a FID
	good one lookup $answer x "$notdir"
}

# What GetVolumeStatus says, against the sizes of the files.
check_status()
{
	local least

	least=$(find "$work/source" -type f ! -name sparse -printf '%i %s\n' | sort -u |
		awk '{ n += $2 } END { printf "%d", n / 1024 }')
	good one volume "$volume"
	equal vid "$(value vid)" "$volume"
	equal parent "$(value parent)" "$volume"
	equal flags "$(value online)$(value service)$(value blessed)$(value salvage)" 1110
	equal type "$(value type)" 1
	equal quota "$(value minquota)-$(value maxquota)" "0-$quota"
	equal name "$(value name)" calls
	(($(value used) >= least && $(value used) < least + 8192)) ||
		fail "$(value used) KiB are used by $least KiB of files"
	(($(value max) <= device_kib && $(value max) > device_kib / 2)) ||
		fail "a partition of $(value max) KiB"
	(($(value max) - $(value avail) >= least)) || fail "$(value avail) KiB available"
	good one volume $((volume + 1))
	equal 'clone vid' "$(value vid)" $((volume + 1))
	equal 'clone parent' "$(value parent)" "$volume"
	equal 'clone type' "$(value type)" 0
	equal 'clone name' "$(value name)" calls.readonly
	good one volume-code 7 "$novol"
}

need nbdkit
build_programs
make_source "$work/source"
start_nbd "$((device_kib / 1024))M"
vol format >/dev/null
make_volume calls "$quota"
vol import calls "$work/source" >/dev/null 2>&1
vol clone calls readonly >/dev/null
vol create nothing >/dev/null
start_server
start_client one 127.0.0.3
check_volumes
check_server
good one tree "$volume" "$work/source"
good one tree $((volume + 1)) "$work/source"
check_vnodes
check_status
good one await init3
good one await asked
good one quiet
stop_server
echo "$checks answers as expected"
