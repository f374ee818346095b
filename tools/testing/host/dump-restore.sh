#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Dumps of volumes and what is restored from them, against the tree a volume was
# made from and a reader of the format of its own (dump/list-dump). OpenAFS's own
# tools are asked in interop/dump-restore.sh.
# time-limit: 900
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"
need nbdkit mkfifo
list_dump=$AFSX_TOP/tools/testing/host/dump/list-dump

# Two cells, so that a volume can have the same name and ids in both.
start_second()
{
	nbdkit --unix "$work/nbd2" --pidfile "$work/nbd2.pid" memory 1G
	uri2="nbd+unix:///?socket=$work/nbd2"
	expect 0 formatted vol2 format
}

stop_second()
{
	[[ ! -e $work/nbd2.pid ]] || kill "$(<"$work/nbd2.pid")" || true
	clean_up
}

vol2()
{
	"$bin/afsx-vol" --store "$uri2" "$@"
}

make_tree()
{
	local i

	"$AFSX_TOP/build/bin/make-tree" "$work/tree" deep empty lengths links names times
	truncate -s 3M "$work/tree/sparse"
	printf x | dd of="$work/tree/sparse" bs=1 seek=2000000 conv=notrunc status=none
	head -c 5000001 /dev/urandom >"$work/tree/large"
	mkdir "$work/tree/many"
	for i in {1..500}; do
		echo "$i" >"$work/tree/many/$i"
	done
	ln "$work/tree/many/9" "$work/tree/many/nine"
}

same_dumps()
{
	expect 0 '' vol dump "$1" "$work/a"
	expect 0 '' vol2 dump "$1" "$work/b"
	expect 0 '' cmp "$work/a" "$work/b"
}

whole_volumes()
{
	vol create --quota 90000 tree >/dev/null
	vol import tree "$work/tree" 2>/dev/null >&2
	vol setacl tree many system:authuser write >/dev/null
	vol setacl --negative tree many -300 all >/dev/null
	vol dump tree >"$work/full"
	expect 0 '' "$list_dump" --compare "$work/tree" "$work/full"
	expect 0 'restored volume tree, id 536870912: ' vol2 restore "$work/full"
	expect 0 '' "$bin/store-test" compare "$uri2" tree "$work/tree"
	expect 0 'quota *90000 KiB' vol2 show tree
	expect 0 'used *(4|8) KiB' vol2 show tree sparse
	same_dumps tree
	expect 0 'no problems' vol2 check --data
	"$list_dump" "$work/full" >"$work/list"
	expect 0 '' grep -Fx '  A [(-102, 63), (-101, 9)] [(-300, 127)]' "$work/list"
}

# A directory out of which names went has gaps, which are not restored.
alike_dumps()
{
	local file

	vol dump "$1" "$work/a"
	vol2 dump "$1" "$work/b"
	for file in a b; do
		"$list_dump" "$work/$file" | grep -av '^volume d ' >"$work/$file.list"
	done
	expect 0 '^$' diff -a "$work/a.list" "$work/b.list"
}

# Changes of every kind between dumps, each dump on top of the one before.
change()
{
	case $1 in
	1)
		vol rm tree many/nine
		vol mkmount tree mount other
		vol rm tree many/7
		;;
	2)
		mkdir -p "$work/change/many/new/newer"
		echo changed >"$work/change/sparse"
		ln -s target "$work/change/many/new/newer/link"
		vol import --replace tree "$work/change"
		;;
	3)
		vol rm tree many/new/newer/link
		vol rm tree many/new/newer
		vol rm tree many/new
		;;
	esac >/dev/null 2>&1
}

# A second has passed since the last change, so a dump shows no more than that.
next_second()
{
	local now

	now=$(date +%s)
	while (($(date +%s) == now)); do
		sleep 0.05
	done
}

increments()
{
	local step options=()

	# what changed in the very second that a dump ends with is carried again
	next_second
	vol mkmount tree last other >/dev/null
	vol dump tree "$work/full"
	vol2 restore --overwrite "$work/full" >/dev/null
	for step in 1 2 3; do
		next_second
		change $step
		[[ $step != 3 ]] || options=(--omit-dirs)
		expect 0 '' vol dump "${options[@]}" --since-dump "$work/full" tree "$work/increment"
		(($(stat -c %s "$work/increment") < 1000000)) || fail "increment $step is large"
		expect 0 'restored volume tree' vol2 restore "$work/increment"
		alike_dumps tree
		cp "$work/increment" "$work/full"
		expect_sound_second
	done
}

expect_sound_second()
{
	expect 0 'no problems' vol2 check
}

clones()
{
	local since

	vol clone tree backup >/dev/null
	vol clone tree readonly >/dev/null
	expect 0 '' vol dump tree.readonly "$work/a"
	[[ $("$list_dump" --get p "$work/a") == 536870912 ]] || fail "parent of a clone"
	[[ $("$list_dump" --get i "$work/a") == 536870913 ]] || fail "id of a clone"
	expect 0 'restored volume tree, id' vol2 restore --overwrite "$work/a"
	expect 0 '' vol dump --since-clone backup tree "$work/a"
	since=$("$list_dump" --get from "$work/a")
	expect 0 '' vol dump --since "$since" tree "$work/b"
	expect 0 '' cmp "$work/a" "$work/b"
	expect 0 '' vol dump --since "$(date -u -d "@$since" '+%F %T')" tree "$work/b"
	expect 0 '' cmp "$work/a" "$work/b"
	vol create strange >/dev/null
	vol setacl strange / smith read >/dev/null
	expect 3 "vnode 1: the access list stays behind: 'smith' has no number" \
		vol dump strange "$work/a"
	"$list_dump" "$work/a" >"$work/list"
	expect 0 '' grep -Fx '  A [] []' "$work/list"
	vol remove strange >/dev/null
	expect 0 'no problems' vol check
}

names_and_ids()
{
	vol dump tree "$work/a"
	expect 1 "'tree' exists; --overwrite replaces" vol restore "$work/a"
	expect 0 'restored volume tree2, id 536870918' vol restore --name tree2 --id 536870918 "$work/a"
	expect 1 'id 536870918 belongs to another' vol restore --name tree3 --id 536870918 "$work/a"
	expect 1 'cannot have the id 536870919' vol restore --name tree3 --id 536870919 "$work/a"
	expect 1 'cannot have the id 7;' vol restore --name tree3 --id 7 "$work/a"
	expect 2 "id 'x'" vol restore --name tree3 --id x "$work/a"
	expect 1 'has the id 536870912, not 536870918' vol restore --overwrite --id 536870918 "$work/a"
	expect 1 "bad volume name 'a/b'" vol restore --name a/b "$work/a"
	expect 1 "'tree.readonly' is a clone" vol restore --overwrite --name tree.readonly "$work/a"
	expect 0 'created volume next, id 536870921' vol create next
	expect 0 'restored volume tree3' vol restore --name tree3 - <"$work/a"
	expect 1 "dump '$work/none': No such file" vol restore "$work/none"
	expect 1 'byte 0: this is not a volume dump' vol restore "$list_dump"
	expect 1 "no volume 'no' for an incremental" vol restore --name no "$work/increment"
	expect 1 'dump builds upon another state' vol restore --name next "$work/increment"
	expect 0 'vnodes *1' vol show next
}

times_are_checked()
{
	expect 2 "since 'yesterday' is not a time" vol dump --since yesterday tree "$work/b"
	expect 2 'only one --since' vol dump --since 0 --since-clone backup tree "$work/b"
	expect 2 "'x' is not a kind" vol dump --since-clone x tree "$work/b"
	expect 1 "'tree2.backup': no such volume" vol dump --since-clone backup tree2 "$work/b"
	expect 1 "is of volume 536870912 'tree', not of volume 'next'" \
		vol dump --since-dump "$work/a" next "$work/b"
	expect 1 'byte 0: this is not' vol dump --since-dump "$list_dump" tree "$work/b"
	expect 1 "none/b.*No such file" vol dump tree "$work/none/b"
	expect 1 'could not be written|vnode' vol dump tree /dev/full
}

# What lacks room or time leaves nothing, and what is there as it was.
limits_leave_no_trace()
{
	local before pid=

	start_third
	"$bin/afsx-vol" --store "$uri3" create --quota 100 tree >/dev/null
	expect 0 'restored volume first' "$bin/afsx-vol" --store "$uri3" restore --name first "$work/a"
	before=$("$bin/afsx-vol" --store "$uri3" list)
	expect 1 'the device is full' "$bin/afsx-vol" --store "$uri3" restore --overwrite "$work/a"
	[[ $("$bin/afsx-vol" --store "$uri3" list) == "$before" ]] || fail "a full device changed it"
	expect 0 'no problems' "$bin/afsx-vol" --store "$uri3" check --data
	kill "$(<"$work/nbd3.pid")"

	mkfifo "$work/fifo"
	before=$(vol list)
	"$bin/afsx-vol" --store "$uri" restore --overwrite "$work/fifo" &
	pid=$!
	{
		head -c 2000000 "$work/a"
		sleep 1
		kill -KILL $pid
	} >"$work/fifo"
	wait $pid 2>/dev/null || true
	[[ $(vol list) == "$before" ]] || fail "a killed restore changed it"
	expect 0 'no problems' vol check --data
	expect 0 '' vol dump tree "$work/b"
	expect 0 '' cmp "$work/a" "$work/b"
	expect 0 'no problems' vol check --data
}

start_third()
{
	nbdkit --unix "$work/nbd3" --pidfile "$work/nbd3.pid" memory 16M
	uri3="nbd+unix:///?socket=$work/nbd3"
	"$bin/afsx-vol" --store "$uri3" format >/dev/null
}

# OpenAFS's file server takes names of 256 bytes.
too_long_name()
{
	local name

	name=$(printf 'n%.0s' {1..255})
	mkdir "$work/long"
	: >"$work/long/$name"
	vol create long >/dev/null
	vol import long "$work/long" >/dev/null
	vol dump long "$work/a"
	expect 0 'restored volume longest' vol2 restore --name longest "$work/a"
	LC_ALL=C sed "s/$name\\x00/${name}n/" "$work/a" >"$work/b"
	expect 1 "vnode 1.*: the name 'n{64}...' has 256 bytes, 255 is the most" \
		vol2 restore --name longer "$work/b"
	expect 1 "'longer': no such volume" vol2 show longer
	expect_sound_second
}

damaged_dumps()
{
	mkdir -p "$work/small/a/b"
	echo text >"$work/small/a/file"
	: >"$work/small/a/b/empty"
	ln -s ../file "$work/small/a/b/link"
	ln "$work/small/a/file" "$work/small/a/b/second"
	"$bin/store-test" dump "$uri2" "$work/small"
}

start_nbdkit memory 1G
trap stop_second EXIT
start_second
expect 0 formatted vol format
make_tree
whole_volumes
increments
clones
names_and_ids
times_are_checked
limits_leave_no_trace
too_long_name
damaged_dumps
echo "$checks results as expected"
