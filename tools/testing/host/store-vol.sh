#!/bin/bash
# SPDX-License-Identifier: MIT
#
# afsx-vol: what each command does, and that every kind of wrong input names what
# was wrong and ends with the status its manual page says.
# time-limit: 900
set -euo pipefail

# shellcheck source=tools/testing/host/store/lib.sh
. "$AFSX_TOP/tools/testing/host/store/lib.sh"
need nbdkit

make_tree()
{
	local tree=$1 i

	mkdir -p "$tree/dir/deep/er"
	echo text >"$tree/file"
	chmod 4751 "$tree/file"
	ln "$tree/file" "$tree/dir/second name"
	ln -s '../somewhere' "$tree/dir/link"
	touch "$tree/empty" "$tree/üñí-ﬁ"
	head -c 70000000 /dev/urandom >"$tree/dir/large"
	truncate -s 5G "$tree/sparse"
	printf tail | dd of="$tree/sparse" bs=1 seek=4600000000 conv=notrunc status=none
	touch "$tree/$(printf 'n%.0s' {1..255})"
	ln -s "$(printf 't%.0s' {1..1023})" "$tree/longest"
	for i in {1..300}; do
		echo "$i" >"$tree/dir/deep/$i"
	done
	touch -d 1985-10-26T01:21:00Z "$tree/dir/deep"
}

# The same tree from the volume, by what `show` says of every name.
expect_vnode()
{
	local path=$1 pattern=$2

	expect 0 "$pattern" vol show tree "$path"
}

options_are_checked()
{
	expect 2 'one of --store and --control' "$bin/afsx-vol" list
	expect 2 'one of --store and --control' "$bin/afsx-vol" -s a -c b list
	expect 2 'no command' "$bin/afsx-vol" --store "$uri"
	expect 2 "unknown command 'bogus'" vol bogus
	expect 2 "unrecognized option '--bogus'" "$bin/afsx-vol" --bogus list
	expect 0 'mkmount' "$bin/afsx-vol" --help
}

# wrong PATTERN WORD...: that is said, and nothing of a store that is not given or does
# not answer, or of a daemon that does not.
wrong()
{
	local pattern=$1 place rest="[^"$'\n'"]*"

	shift
	for place in '' "--store=nbd+unix:///?socket=$work/none" "--control=$work/none"; do
		expect 2 "^afsx-vol: $rest$pattern$rest\$" \
			"$bin/afsx-vol" ${place:+"$place"} "$@"
	done
}

words_come_first()
{
	local command

	for command in $(commands); do
		expect 2 "^afsx-vol: $command: un(known option|expected) '--hlp'$" \
			"$bin/afsx-vol" "$command" --hlp
	done
	wrong "unknown command 'bogus'" bogus --hlp
	wrong "create: unknown option '--hlp'" create --hlp
	expect 2 "unknown option '--hlp'.*unknown option '--size=1'$" \
		"$bin/afsx-vol" create --hlp x y --size=1
	wrong 'create: --quota needs a value' create x --quota
	wrong 'set: --online takes no value' set x --online=1
	wrong "list: unexpected argument 'x'" list x
	wrong 'mkmount: arguments needed: VOLUME PATH TARGET' mkmount x y
	wrong "quota 'lots'" create x --quota lots
	wrong "anyone 'q' are not rights" create x --anyone q
	wrong "bad volume name 'x.backup'" create x.backup
	wrong "bad volume name '7'" rename x 7
	wrong "bad volume name 'a/b'" clone x --name a/b
	wrong "'copy' is not a kind of clone" clone x copy
	wrong 'give either a kind of clone' clone x
	wrong 'nothing to set' set x
	wrong 'exclude each other' set x --online --offline y
	wrong "quota '5T'" set x --quota 5T
	wrong 'motd is longer than 255' set x --motd "$(printf 'm%.0s' {1..256})"
	wrong "target 'b/d'" mkmount x y b/d
	wrong 'names the root' mkmount x / y
	wrong 'names the root' rm x //
	wrong "'q' are not rights" setacl x / anyone q
	wrong 'cannot be the name of a user' setacl x / $'a\tb' read
	wrong 'only one --since' dump x --since 1 --since-clone backup
	wrong "since 'noon' is not a time" dump x --since noon
	wrong "'copy' is not a kind of clone" dump x --since-clone copy
	wrong "id '0' is not the id" restore x --id 0
	wrong "rate 'fast'" scrub --rate fast
	expect 2 "format: unexpected '--hlp'" "$bin/afsx-vol" format --hlp
	expect 2 "format: not MiB.*'3.5M'" "$bin/afsx-vol" format --wal 3.5M
	expect 2 "unknown command 'format'" "$bin/afsx-vol" --control "$work/none" format
	expect 2 'no server to ask' "$bin/afsx-vol" --store "nbd+unix:///?socket=$work/none" status
	expect 2 'cannot read your input' "$bin/afsx-vol" --control "$work/none" restore -
	expect 2 'one of --store and --control' "$bin/afsx-vol" create x --quota 1G
}

# usage_of COMMAND: what the list of all commands says of it
usage_of()
{
	"$bin/afsx-vol" --help | sed '1,/^Commands:/d' |
		awk -v name="$1" '/^  / { this = $1 } this == name' | tr -s '[:space:]' ' '
}

commands()
{
	"$bin/afsx-vol" --help | sed -n '/^Commands:/,$s/^  \([a-z]*\).*/\1/p'
}

# Without a store, and whatever else is on the line.
commands_have_help()
{
	local command output

	for command in $(commands); do
		output=$("$bin/afsx-vol" "$command" --help) || fail "$command --help: status $?"
		equal "$command --help" "$(sed 1d <<<"$output" | tr -s '[:space:]' ' ')" \
			"$(usage_of "$command")"
		equal 'its first line' "${output%%$'\n'*}" \
			'Usage: afsx-vol [OPTION...] COMMAND [ARGUMENT...]'
	done
	expect 0 '--force' "$bin/afsx-vol" --store gopher://x format --wal 4M --help
	expect 0 '--anyone' vol create --help name
	expect 2 "unknown command 'bogus'" "$bin/afsx-vol" bogus --help
	expect 2 'one of --store and --control' "$bin/afsx-vol" show -- --help
}

uris_are_checked()
{
	expect 1 "$work/none.*No such file" "$bin/afsx-vol" \
		--store "nbd+unix:///?socket=$work/none" list
	expect 1 'gopher://x' "$bin/afsx-vol" --store gopher://x list
	expect 1 'Connection refused' "$bin/afsx-vol" --store nbd://127.0.0.1:1 list
	expect 1 "$work/none" "$bin/afsx-vol" --control "$work/none" list
}

formatting_is_checked()
{
	expect 1 'no afsx store' vol list
	expect 2 "format: unexpected '--bogus'" vol format --bogus
	expect 2 "'3.5M'" vol format --wal 3.5M
	expect 1 'not within 4..1024' vol format --wal 2M
	expect 1 'too few' vol format --wal 1G
	expect 0 formatted vol format
	expect 1 'holds a store already; --force' vol format
	expect 0 formatted vol format --force
	expect_sound
}

volumes_are_checked()
{
	expect 0 'created volume root.cell, id 536870912' vol create root.cell
	expect 1 "'root.cell' exists already" vol create root.cell
	for name in 12345 x.readonly x.backup 'sp ace' .dot dot. '' 'a/b'; do
		expect 2 "bad volume name '$name'" vol create "$name"
	done
	expect 2 'longer than 54' vol create "$(printf 'v%.0s' {1..55})"
	expect 2 "quota 'lots'" vol create x --quota lots
	expect 2 "quota '5T'" vol create x --quota 5T
	expect 2 'quota needs a value' vol create x --quota
	expect 2 "unknown option '--size=1'" vol create x --size=1
	expect 2 "unexpected argument 'y'" vol create x y
	expect 2 'arguments needed: NAME' vol create
	expect 1 "volume 'none': no such volume" vol show none
	expect 1 "volume '77': no such volume" vol show 77
	expect 2 "'copy' is not a kind of clone" vol clone root.cell copy
	expect 2 'give either a kind of clone' vol clone root.cell
	expect 2 'either a kind of clone' vol clone root.cell backup --name x
	expect 2 "bad volume name 'x.backup'" vol clone root.cell --name x.backup
	expect 1 "'root.cell' exists already" vol clone root.cell --name root.cell
	expect 2 'nothing to set' vol set root.cell
	expect 2 'exclude each other' vol set root.cell --online --offline x
	expect 0 '' vol set root.cell --quota 2M --offline 'gone fishing' --motd hi
	expect 0 'offline *gone fishing.*hi.*2048 KiB' vol show root.cell
	expect 0 '' vol set root.cell --online
	expect 0 'status *online' vol show root.cell
}

mount_points_are_links()
{
	expect 0 '#x\.$' vol mkmount root.cell m x
	expect 0 'type *symlink.*mode *0644.*target *#x\.' vol show root.cell m
	expect 0 '%other.org:y\.$' vol mkmount root.cell n y --cell other.org --rw
	expect 1 "'m' in volume 'root.cell': File exists" vol mkmount root.cell m x
	expect 2 "target 'b/d'" vol mkmount root.cell o b/d
	expect 1 "'d' in volume .*No such file" vol mkmount root.cell d/e/f x
	expect 2 'names the root' vol mkmount root.cell / x
	expect 0 '' vol rm root.cell n
	expect 1 "'n' in volume .*No such file" vol rm root.cell n
}

trees_are_imported()
{
	make_tree "$work/tree"
	vol create tree >/dev/null
	expect 0 'imported 309 files and 3 directories' vol import tree "$work/tree"
	expect_vnode file 'size *5.*links *2.*mode *4751'
	expect_vnode 'dir/second name' 'size *5.*links *2'
	expect_vnode dir/link 'symlink.*target *\.\./somewhere'
	expect_vnode longest 'size *1023'
	expect_vnode "$(printf 'n%.0s' {1..255})" 'size *0'
	expect_vnode üñí-ﬁ 'type *file'
	expect_vnode dir/large 'size *70000000.*used *68360 KiB'
	expect_vnode sparse 'size *5368709120.*used *(4|8) KiB'
	expect_vnode dir/deep 'type *directory.*links *3.*1985-10-26T01:21:00Z'
	expect 1 'exists in volume' vol import tree "$work/tree"
	expect 0 imported vol import --replace tree "$work/tree"
	expect 0 imported vol import --to dir/deep/er tree "$work/tree/dir/deep"
	expect_vnode dir/deep/er/300 'size *4'
	expect_sound
}

imports_are_checked()
{
	expect 1 "source '$work/none': No such file" vol import tree "$work/none"
	expect 1 "source '$work/tree/file': Not a directory" vol import tree "$work/tree/file"
	expect 1 "'none' in volume 'tree'" vol import --to none tree "$work/tree"
	expect 1 "'file' in volume 'tree': Not a directory" \
		vol import --to file tree "$work/tree"
	mkdir "$work/odd"
	mkfifo "$work/odd/fifo"
	ln -s "$(printf 't%.0s' {1..1024})" "$work/odd/too-long"
	touch "$work/odd/plain"
	vol create odd >/dev/null
	expect 3 'skipped .*/fifo: a fifo.*skipped .*/too-long: .*1023.*skipped 2' \
		vol import odd "$work/odd"
	expect 0 'plain' vol show odd /
	expect 1 "is a clone" import_into_clone
}

import_into_clone()
{
	vol clone odd readonly >/dev/null && vol import odd.readonly "$work/odd"
}

# A failed import leaves the volume, the quota and the device as they were.
limits_leave_no_trace()
{
	local before after

	vol create small --quota 1000 >/dev/null
	before=$(vol list; vol show | grep free)
	expect 1 "dir/deep/[0-9]*: the volume's quota" vol import small "$work/tree"
	after=$(vol list; vol show | grep free)
	[[ $before == "$after" ]] || fail "quota: $before; then $after"
	mkdir "$work/huge"
	head -c 200000000 /dev/zero | tr '\0' x >"$work/huge/file"
	vol create full >/dev/null
	before=$(vol list)
	expect 1 'huge/file: the device is full' vol import full "$work/huge"
	after=$(vol list)
	[[ $before == "$after" ]] || fail "full device: $before; then $after"
	expect_sound
	expect 0 'imported 300 files' vol import full "$work/tree/dir/deep"
}

clones_share_and_go()
{
	local free

	free=$(vol show | grep free)
	expect 0 'tree.readonly, id' vol clone tree readonly
	expect 0 'tree.backup, id' vol clone tree backup
	[[ $(vol show | grep free) == "$free" ]] || fail "a clone took space"
	expect 0 '' vol rm tree dir/large
	[[ $(vol show | grep free) == "$free" ]] || fail "what a clone shows was freed"
	expect 0 'size *70000000' vol show tree.readonly dir/large
	expect 1 'still has clones' vol remove tree
	expect 0 removed vol remove tree.readonly
	expect 0 removed vol remove tree.backup
	[[ $(vol show | grep free) != "$free" ]] || fail "nothing was freed"
	expect 0 removed vol remove tree
	expect_sound
}

volumes_are_renamed()
{
	vol create old >/dev/null
	vol clone old readonly >/dev/null
	vol clone old backup >/dev/null
	vol clone old --name kept >/dev/null
	expect 1 "'kept' exists already" vol rename old kept
	expect 1 "'old' exists already" vol rename old old
	expect 2 "bad volume name 'x.readonly'" vol rename old x.readonly
	expect 1 "'old.readonly' is a clone" vol rename old.readonly new
	expect 1 "'kept' is a clone" vol rename kept new
	expect 0 'renamed old to new' vol rename old new
	expect 1 'no such volume' vol show old
	expect 1 'no such volume' vol show old.readonly
	expect 0 'name *new.backup' vol show new.backup
	expect 0 'name *new.readonly' vol show new.readonly
	expect 0 'name *kept.*clone of *[0-9]+' vol show kept
	expect 0 'created volume old' vol create old
	expect 0 'cloned new to new.readonly' vol clone new readonly
	expect_sound
	for name in old new.readonly new.backup kept new; do
		expect 0 removed vol remove "$name"
	done
}

free_kib()
{
	vol show | sed -n 's/^free *\([0-9]*\) KiB$/\1/p'
}

# frees KIB NAME: to remove a volume must free just so much.
frees()
{
	local before

	before=$(free_kib)
	expect 0 removed vol remove "$2"
	[[ $(free_kib) == $((before + $1)) ]] ||
		fail "$2 freed $(($(free_kib) - before)) KiB, not $1"
	checks=$((checks + 1))
}

# Clones c1 to c3 have a file of 400, 800 and 1200 KiB, and share one of 160.
clones_free_their_own()
{
	local n

	mkdir "$work/small"
	head -c 163840 /dev/urandom >"$work/small/shared"
	vol create many >/dev/null
	vol import many "$work/small" >/dev/null
	rm "$work/small/shared"
	for n in 1 2 3; do
		head -c $((n * 409600)) /dev/urandom >"$work/small/own"
		vol import --replace many "$work/small" >/dev/null
		expect 0 "cloned many to c$n" vol clone many --name "c$n"
		expect 0 "size *$((n * 409600))" vol show "c$n" own
	done
	vol rm many shared
	vol rm many own
	expect 1 'still has clones' vol remove many
	frees 800 c2
	expect 0 'size *409600' vol show c1 own
	expect_sound
	frees 400 c1
	frees $((1200 + 160)) c3
	frees 0 many
}

stores_are_verified()
{
	expect 0 '[0-9]+ KiB read.*no problems found' vol scrub
	expect 0 'no problems found' vol scrub --rate 100M
	expect 2 "rate 'fast'" vol scrub --rate fast
	expect 2 "rate '0'" vol scrub --rate 0
	expect 0 'no problems found' vol check --repair
}

options_are_checked
words_come_first
commands_have_help
uris_are_checked
start_nbdkit memory 256M
formatting_is_checked
volumes_are_checked
mount_points_are_links
trees_are_imported
imports_are_checked
limits_leave_no_trace
clones_share_and_go
volumes_are_renamed
clones_free_their_own
stores_are_verified
echo "$checks results as expected"
