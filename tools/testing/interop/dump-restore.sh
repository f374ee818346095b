#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 900
#
# Volumes between OpenAFS's servers and afsxd, as dumps, both ways: what one dumps
# the other restores and dumps again, whole and incrementally. Two readers of the
# format are OpenAFS's volserver and host/dump/list-dump; no guest.
set -euo pipefail
if [[ ${1:-} != --inside ]]; then
	snapshot=$(tools/testing/interop/openafs-snapshot)
	status=0
	tools/testing/interop/openafs-native "$0" --inside "$snapshot" || status=$?
	exit "$status"
fi
. tools/testing/interop/check.sh
cell_command=tools/testing/interop/openafs-cell
list_dump=tools/testing/host/dump/list-dump
PATH=$AFSX_CACHE/openafs/usr/bin:$PATH
openafs_address=10.7.0.1
dir=$(mktemp -d)

vol()
{
	build/bin/afsx-vol --control "$dir/control" "$@"
}

start_afsxd()
{
	local uri="nbd+unix:///?socket=$dir/nbd.sock" left

	tools/testing/vm/serve-blocks "$dir" 512M
	build/bin/afsx-vol --store "$uri" format
	build/bin/afsxd --cell afsxd.example --store "$uri" --listen 127.0.0.1 \
		--control "$dir/control" 2>"$dir/log" &
	for ((left = 300; left > 0; left--)); do
		if vol list >/dev/null 2>&1; then
			return
		fi
		sleep 0.1
	done
	cat "$dir/log"
	exit 1
}

openafs_dump()
{
	vos dump "$1" -file "$2" -localauth "${@:3}" 2>&1 | grep '^Dumped' || true
}

# What a dump says, but for what differs between the two or is changed by a restore
# of OpenAFS: time of creation, ids of clones, counts of blocks and of vnodes,
# off-line message, next uniquifier.
listing()
{
	"$list_dump" "$1" | grep -av '^volume [CcdfOu] \|^dump t'
}

# same WHAT DUMP DUMP
same()
{
	listing "$2" >"$dir/one"
	listing "$3" >"$dir/two"
	check "$1" '' "$(diff -a "$dir/one" "$dir/two" | head -n 20)"
}

from_openafs()
{
	local volume

	for volume in root.cell data free; do
		check "vos dump $volume" "Dumped.*" "$(openafs_dump "$volume" "$dir/$volume")"
		check "restore $volume" "restored volume $volume, id .*" \
			"$(vol restore --id "$("$cell_command" id "$volume")" "$dir/$volume" 2>&1)"
		vol dump "$volume" "$dir/again"
		same "dump of restored $volume" "$dir/$volume" "$dir/again"
	done
	# a clone's dump becomes a volume of its own
	check "vos dump data.backup" "Dumped.*" "$(openafs_dump data.backup "$dir/backup")"
	check "restore data.backup" "restored volume state.one, id .*" \
		"$(vol restore --name state.one "$dir/backup" 2>&1)"
	check "state of the backup" 'size *4' "$(vol show state.one state | grep -a ^size)"
	check "store" 'no problems found' "$(vol check --data)"
}

# What we changed, OpenAFS restores: whole, and what was changed then.
to_openafs()
{
	mkdir -p "$dir/tree/thousand/new"
	echo "new text" >"$dir/tree/thousand/new/file"
	ln -s somewhere "$dir/tree/thousand/new/link"
	vol import --replace --to tree data "$dir/tree" >/dev/null
	vol dump data "$dir/ours"
	openafs_restore "$dir/ours" full
	openafs_dump data "$dir/back" >/dev/null
	same "ours restored by OpenAFS" "$dir/ours" "$dir/back"

	sleep 2
	vol rm data tree/thousand/new/link >/dev/null
	vol mkmount data tree/mount other >/dev/null
	vol dump --since-dump "$dir/ours" data "$dir/increment"
	check "size of our increment" '[0-9]{1,6}' "$(stat -c %s "$dir/increment")"
	openafs_restore "$dir/increment" incremental
	vol dump data "$dir/ours"
	openafs_dump data "$dir/back" >/dev/null
	same "our increment restored by OpenAFS" "$dir/ours" "$dir/back"
}

openafs_restore()
{
	check "vos restore $2" '.*Restored volume data .*' \
		"$(vos restore "$openafs_address" a data -file "$1" -overwrite "$2" \
			-localauth 2>&1 | tr '\n' ' ')"
}

# What OpenAFS's file server changed we restore over what we have.
openafs_increment()
{
	local since

	# vos knows minutes; all that was written until now is to be of another one
	sleep "$((60 - $(date +%-S)))"
	since=$(date '+%m/%d/%Y %H:%M')
	"$cell_command" mkmount data by-openafs '#root.cell.'
	check "vos dump -time" "Dumped.*" \
		"$(openafs_dump data "$dir/increment" -time "$since")"
	check "size of OpenAFS's increment" '[0-9]{1,6}' "$(stat -c %s "$dir/increment")"
	check "restore of an increment" "restored volume data, id .*" \
		"$(vol restore "$dir/increment" 2>&1)"
	check "its mount point" '.*#root.cell\.' "$(vol show data by-openafs | tail -n 1)"
	vol dump data "$dir/ours"
	openafs_dump data "$dir/back" >/dev/null
	same "OpenAFS's increment restored" "$dir/ours" "$dir/back"
	check "the daemon and standard input" '.*name a file.*' "$(vol restore - 2>&1 || true)"
	check "store" 'no problems found' "$(vol check --data)"
}

"$cell_command" start "$2"
start_afsxd
from_openafs
to_openafs
openafs_increment
finish "dumps between OpenAFS and afsxd"
