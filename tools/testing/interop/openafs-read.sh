#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 1200
#
# afsx mounts a real OpenAFS cell: all forms of the source, what is in the
# volumes, mount points, df beside the servers' own figures, wrong input.
# AFSX_CLIENT=kafs runs it with kafs, whose answers the expected ones are (facts
# written down from it), except where afsx is meant to do better.
set -euo pipefail
tools/testing/interop/openafs-snapshot >/dev/null
. tools/testing/vm/in-guest.sh --timeout 900 ${AFSX_CLIENT:+--env AFSX_CLIENT="$AFSX_CLIENT"}

client=${AFSX_CLIENT:-afsx}
. tools/testing/interop/client.sh
. tools/testing/interop/check.sh
cell=openafs.example
address=10.7.0.1
vos=$AFSX_CACHE/openafs/usr/bin/vos
cell_command=tools/testing/interop/openafs-cell

# says SOURCE STATE NAME FLAGS: a mount of SOURCE has the file `state` with STATE,
# and /proc/mounts shows it as NAME, with FLAGS among its options.
says()
{
	local line

	if ! client_mount "$1" /mnt/one; then
		check "mount of $1" mounted "not mounted"
		return
	fi
	line=$(grep ' /mnt/one ' /proc/mounts)
	check "state in $1" "$2" "$(cat /mnt/one/state)"
	check "name of $1" "$3" "${line%% *}"
	check "options of $1" ".*$4.*" "$line"
	umount /mnt/one
}

sources()
{
	local id ro_id

	id=$("$cell_command" id data)
	ro_id=$("$cell_command" id data.readonly)
	says "%$cell:data" three "%$cell:data" "$client_type r[wo]"
	says "%$cell:data." three "%$cell:data" "$client_type r[wo]"
	says "%$cell:$id" three "%$cell:data" "$client_type r[wo]"
	says "%${cell^^}:data" three "%$cell:data" "$client_type r[wo]"
	says "#$cell:data" two "#$cell:data" "$client_type ro"
	says "#$cell:$ro_id" two "#$cell:data(.readonly)?" "$client_type ro"
	says "%$cell:data.readonly" two "[#%]$cell:data(.readonly)?" "$client_type ro"
	says "#$cell:data.readonly" two "#$cell:data(.readonly)?" "$client_type ro"
	says "%$cell:data.backup" one "[#%]$cell:data.backup" "$client_type ro"
	says "#$cell:data.backup" one "#$cell:data.backup" "$client_type ro"
	progress "sources done"
}

small_things()
{
	client_mount "%$cell:root.cell" /mnt/rw
	client_mount "#$cell:root.cell" /mnt/ro
	for dir in /mnt/rw /mnt/ro; do
		check "$dir/hello" 'hello from root.cell' "$(cat "$dir/hello")"
		check "status of hello" '640 1000000000 21 regular file' \
			"$(stat -c '%a %Y %s %F' "$dir/hello")"
		check "deep file" deep "$(cat "$dir/dir/deeper/file")"
		check "empty file" 0 "$(wc -c <"$dir/empty")"
		check "link" hello "$(readlink "$dir/link")"
		check "through the link" 'hello from root.cell' "$(cat "$dir/link")"
		check "dangling link" 'No such file or directory' \
			"$(error_of cat "$dir/dangling")"
		check "UTF-8 name" grüße "$(cat "$dir/naïve")"
		check "missing file" 'No such file or directory' \
			"$(error_of cat "$dir/missing")"
		check "name of 256 bytes" 'File name too long' \
			"$(error_of stat "$dir/$(printf 'n%.0s' {1..256})")"
	done
	progress "small things done"
}

# From an R/W volume on, # means R/W too; from a R/O one, the R/O if there is one.
mount_points()
{
	check "data from R/W" three "$(cat /mnt/rw/data/state)"
	check "data from R/O" two "$(cat /mnt/ro/data/state)"
	for dir in /mnt/rw /mnt/ro; do
		check "data-rw" three "$(cat "$dir/data-rw/state")"
		check "data-cell" three "$(cat "$dir/data-cell/state")"
		check "data-backup" one "$(cat "$dir/data-backup/state")"
		check "free" 'no quota here' "$(cat "$dir/free/file")"
		check "lost volume" 'No (such file or directory|medium found)' \
			"$(error_of ls "$dir/lost/")"
	done
	check "same volume, same device" "$(stat -c %d /mnt/ro/data-rw)" \
		"$(stat -c %d /mnt/rw/data-rw)"
	check "busy umount" ".*busy.*" "$(cd /mnt/ro/dir; umount /mnt/ro 2>&1 || true)"
	progress "mount points done"
}

# Fields of `vos examine`: KiB used, and the quota.
volume_figures()
{
	"$vos" examine "$1" -noauth |
		awk 'NR == 1 { used = $4 } /MaxQuota/ { print used, $2 }'
}

partition_figures()
{
	"$vos" partinfo "$address" -noauth | awk '{ print $6, $(NF) }'
}

statfs_kib()
{
	stat -f -c '%S %b %f %a' "$1" |
		awk '{ k = $1 / 1024; print $2 * k, $3 * k, $4 * k }'
}

minimum()
{
	echo $(($1 < $2 ? $1 : $2))
}

# Expected: with a quota it is the size, and what is free is bounded by the
# partition too; without, the partition is both. Nothing is available for writing
# in a R/O volume. kafs knows only the quota and the partition's size.
space()
{
	local used quota avail size

	read -r avail size < <(partition_figures)
	read -r used quota < <(volume_figures data)
	if [[ $client = kafs ]]; then
		check "df of a quota" "$quota $((quota - used)) $((quota - used))" \
			"$(statfs_kib /mnt/rw/data-rw)"
		return
	fi
	check "df of a quota" \
		"$quota $((quota - used)) $(minimum $((quota - used)) "$avail")" \
		"$(statfs_kib /mnt/rw/data-rw)"
	check "df of no quota" "$size $avail $avail" "$(statfs_kib /mnt/rw/free)"
	check "df of a R/O volume" "[0-9]+ [0-9]+ 0" "$(statfs_kib /mnt/ro)"
	check "df of a backup" "[0-9]+ [0-9]+ 0" "$(statfs_kib /mnt/rw/data-backup)"
	progress "df done"
}

# kafs made this tree. It cannot set the times of links; and it lists directories,
# like all else, without a type.
whole_tree()
{
	local options=(--no-link-times)

	[[ $client = kafs ]] || options+=(--known-directories)
	build/bin/make-tree /run/original deep empty lengths links names sizes times
	check_trees "${options[@]}" /run/original /mnt/rw/data/tree
	progress "tree compared"
}

# What only a VL server can refuse; the table of what needs none is
# selftests/wrong-mounts.
wrong_input()
{
	local source answer

	for source in no.such.volume root.cell.bogus 4711 4711.readonly free.readonly; do
		answer=$(build/bin/mount-call new "$client_type" "%$cell:$source" /mnt/one)
		check "mount of $source" 'ENOMEDIUM.*' "$answer"
		[[ $client = kafs ]] || check "message about $source" \
			".*${source%%.readonly}.*" "${answer#* }"
	done
	check "writing to a R/O volume" 'Read-only file system' "$(error_of touch /mnt/ro/new)"
	check "writing to a backup" 'Read-only file system' \
		"$(error_of touch /mnt/rw/data-backup/new)"
	progress "wrong input done"
}

"$cell_command" start "$(tools/testing/interop/openafs-snapshot)"
client_load
client_add_cell "$cell" "$address"
mkdir -p /mnt/one /mnt/rw /mnt/ro
sources
small_things
mount_points
space
wrong_input
whole_tree
umount /mnt/rw /mnt/ro
client_unload
finish "$client reads an OpenAFS cell"
