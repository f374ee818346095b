#!/bin/bash
# SPDX-License-Identifier: MIT
#
# OpenAFS's own tools understand afsxd: vos what the VL service says, rxdebug the
# transport. No guest: both are programs. The address is the test's own.
set -euo pipefail
. tools/testing/interop/check.sh
bin=$PWD/build/bin
openafs=$(tools/testing/vm/openafs)/usr/bin
cell=tools.example
address=127.70.3.1
dir=$(mktemp -d)
# Extended regular expressions for numbers that differ from run to run.
number='[0-9]+'

# shellcheck disable=SC2317	# called by the trap
clean_up()
{
	[[ ! -e $dir/afsxd.pid ]] || kill "$(<"$dir/afsxd.pid")" || true
	tools/testing/vm/end-blocks "$dir"
	rm -rf "$dir"
}

vol()
{
	"$bin/afsx-vol" --control "$dir/control" "$@" >/dev/null
}

start_cell()
{
	local uri="nbd+unix:///?socket=$dir/nbd.sock" left

	tools/testing/vm/serve-blocks "$dir" 256M
	"$bin/afsx-vol" --store "$uri" format
	"$bin/afsxd" --cell "$cell" --store "$uri" --listen "$address" \
		--control "$dir/control" 2>"$dir/log" &
	echo $! >"$dir/afsxd.pid"
	for ((left = 300; left > 0; left--)); do
		if vol list 2>/dev/null; then
			break
		fi
		sleep 0.2
	done
	vol create root.cell
	vol create data
	for ((left = 0; left < 40; left++)); do
		vol create "many.$left"
	done
	vol clone data readonly
	vol clone data backup
	mkdir "$dir/config"
	echo "$cell" >"$dir/config/ThisCell"
	printf '>%s\n%s #test\n' "$cell" "$address" >"$dir/config/CellServDB"
}

# What vos prints, on one line, with single spaces.
vos()
{
	"$openafs/vos" "$@" -noauth -config "$dir/config" 2>&1 | tr -s ' \n' ' ' || true
}

# The entry of the volume data as vos prints it.
entry="data RWrite: $number ROnly: $number Backup: $number number of sites -> 2 "
entry+="server $address partition /vicepa RW Site server $address partition /vicepa RO Site"

trap clean_up EXIT
start_cell
check "vos listvldb" " ?$entry ?" "$(vos listvldb -name data)"
check "vos listvldb of a clone" " ?$entry ?" "$(vos listvldb -name data.readonly)"
check "vos listvldb by number" " ?root.cell RWrite: $number number of sites -> 1 .*" \
	"$(vos listvldb -name "$("$bin/afsx-vol" --control "$dir/control" show root.cell |
		awk '$1 == "id" { print $2 }')")"
check "vos listvldb of no volume" '.*no such entry.*' "$(vos listvldb -name no.such.volume)"
check "vos listvldb of all" ".*$entry.*many.39 .* Total entries: 42 ?" "$(vos listvldb)"
check "vos listvldb of a server" '.* Total entries: 42 ?' "$(vos listvldb -server "$address")"
check "vos listvldb of another" '.* Total entries: 0 ?' "$(vos listvldb -server 127.70.3.9)"
check "vos listvldb of a partition" '.* Total entries: 0 ?' "$(vos listvldb -partition b)"
check "vos listvldb of locked ones" '.* Total entries: 0 ?' "$(vos listvldb -locked)"
check "vos listaddrs" "$address ?" "$(vos listaddrs)"
check "vos listaddrs of no host" ".*no entry for host.*" "$(vos listaddrs -host 127.70.3.9)"
check "vos examine" ".*$entry.*" "$(vos examine data)"
for port in 7000 7003; do
	check "rxdebug $port" '.*idle.*' \
		"$("$openafs/rxdebug" "$address" $port -noconns | tr '\n' ' ')"
done
finish "OpenAFS's tools"
