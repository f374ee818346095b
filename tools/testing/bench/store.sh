#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The volume store beside files on ext4 with fsync, and beside its NBD server alone.
# Both have an image of the same size in the same directory, once on the disk
# (AFSX_BENCH_DIR) and once in memory, where a flush costs nothing but time of the
# processor. They take turns, on a fresh image each time. ext4 has the image at hand, and in
# other tables the same way to its blocks as the store: an NBD server, by way of nbdfuse, and
# in a guest of the kernel's client (store/in-guest.sh). AFSX_BENCH_PLACES chooses
# some of "disk memory guest"; AFSX_BENCH_NBD=nbdkit has nbdkit serve the blocks.
set -euo pipefail
cd "$(dirname "$0")/../../.."
work=$(mktemp -d)
results=$work/results
. tools/testing/bench/lib.sh

image_mib=3072
bench=$PWD/build/bench/bin/bench-store
afsx_vol=$PWD/build/bin/afsx-vol
declare -A dirs=([disk]=${AFSX_BENCH_DIR:-$PWD/build/bench} [memory]=/dev/shm)
read -ra places <<<"${AFSX_BENCH_PLACES:-disk memory guest}"
changes=('create' 'create, 16 at once' 'create, 1000 a sync' 'rename'
	'rename, 16 at once' 'remove' 'remove, 16 at once' 'write 4 KiB'
	'write 4 KiB, 16 at once' 'write 4 KiB, 1000 a sync' 'full directory: fill'
	'full directory: insert' 'full directory: delete')
lookups=('full directory: look up' 'full directory: status')
others=('clone of 100 vnodes, us' 'clone of 100000 vnodes, us'
	'space of 200 clones, KiB' 'device for 1000000 vnodes, KiB'
	'memory for 1000000 vnodes, KiB' 'memory in all, KiB')

clean_up()
{
	local dir

	for dir in files device; do
		if mountpoint -q "$work/$dir"; then
			umount "$work/$dir"
		fi
	done
	end_blocks
	rm -rf "$work" "${image:-}" "${tree:-}"
}

# new_image DIR: blocks that were written before, as those of a disk in use are
new_image()
{
	image=$1/bench-store.$$
	dd if=/dev/zero of="$image" bs=1M count="$image_mib" conv=fsync status=none
}

new_server()
{
	new_image "$1"
	serve_blocks "$image"
	uri="nbd+unix:///?socket=$work/nbd"
}

# run_on_ext4 FILE WHO
run_on_ext4()
{
	mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0,nodiscard "$1"
	mkdir -p "$work/files"
	mount -o loop "$1" "$work/files"
	"$bench" files "$work/files" names small-writes full-directory >"$work/figures"
	umount "$work/files"
	note_lines "$2" <"$work/figures"
}

on_files()
{
	new_image "$1"
	run_on_ext4 "$image" "$2-files"
	rm "$image"
}

# The host's kernel need not have an NBD client: nbdfuse makes a file of an export.
on_device()
{
	local file=$work/device/nbd left

	new_server "$1"
	mkdir -p "$work/device"
	nbdfuse "$file" "$uri" &
	for ((left = 100; left > 0; left--)); do
		[[ ! -f $file ]] || break
		sleep 0.1
	done
	run_on_ext4 "$file" "$2-device"
	umount "$work/device"
	wait $!
	end_blocks
	rm "$image"
}

on_store()
{
	new_server "$1"
	"$afsx_vol" --store "$uri" format >/dev/null
	"$bench" store "$uri" names small-writes full-directory sequential clones \
		<"$tree" >"$work/figures"
	end_blocks
	rm "$image"
	note_lines "$2-store" <"$work/figures"
}

# speed WHO FIGURE COMMAND...: MB a second that a command moves a GiB at
speed()
{
	local start

	start=$(date +%s%N)
	"${@:3}"
	note "$1" "$2" "$((2 ** 30 * 1000 / ($(date +%s%N) - start)))"
}

# The server alone, as fast as its own client can ask it: over several connections. The file
# is the same, and is durable at the end, as in the store's first row.
on_server()
{
	new_server "$1"
	speed "$2-nbd" 'sequential write' nbdcopy --flush "$tree" "$uri"
	truncate -s 1G "$image"
	end_blocks
	serve_blocks "$image"
	speed "$2-nbd" 'sequential read' nbdcopy "$uri" null:
	end_blocks
	rm "$image"
}

# What a store could do that took no time for its changes but to make them durable
on_log()
{
	new_server "$1"
	"$bench" log "$uri" names >"$work/figures"
	end_blocks
	rm "$image"
	note_lines "$2-limit" <"$work/figures"
}

million()
{
	new_server "$1"
	"$afsx_vol" --store "$uri" format >/dev/null
	"$bench" store "$uri" million >"$work/figures"
	end_blocks
	rm "$image"
	note_lines "$2-store" <"$work/figures"
}

# has PLACE: whether it is among those chosen
has()
{
	[[ " ${places[*]} " == *" $1 "* ]]
}

on_host()
{
	local i name

	for ((i = 0; i < rounds; i++)); do
		for name; do
			on_files "${dirs[$name]}" "$name"
			on_device "${dirs[$name]}" "$name"
			on_store "${dirs[$name]}" "$name"
			on_log "${dirs[$name]}" "$name"
			on_server "${dirs[$name]}" "$name"
		done
		echo "round $((i + 1))" >&2
	done
}

# The guest's clock counts instructions: emulated processors that wait for each other would
# show the load of this machine.
in_guest()
{
	mkdir -p "$results"
	tools/testing/vm/run --icount --mem 2560 --timeout "$((rounds * 600))" --out "$results" \
		--env AFSX_BENCH_ROUNDS="$rounds" --env AFSX_BENCH_NBD="${AFSX_BENCH_NBD:-}" \
		-- tools/testing/bench/store/in-guest.sh
}

host_tables()
{
	local name

	for name; do
		table 'operations a second' "$name-store" "$name-files" "${changes[@]}" \
			"${lookups[@]}"
		table 'both on NBD (nbdfuse)' "$name-store" "$name-device" "${changes[@]}" \
			"${lookups[@]}"
		table 'a log alone: the limit' "$name-limit" "$name-files" "${changes[@]:0:7}"
		table 'MB a second' "$name-store" "$name-nbd" 'sequential write' \
			'sequential read' 'sequential write, 16 MiB a sync'
	done
}

memory_table()
{
	local figure

	printf '\n%-40s %12s\n' 'in memory' store
	for figure in "${others[@]}"; do
		printf '%-40s %12s\n' "$figure" "$(median memory-store "$figure")"
	done
}

trap clean_up EXIT
tree=/dev/shm/bench-tree.$$
on_hosts=()
for name in "${places[@]}"; do
	[[ $name = guest ]] || on_hosts+=("$name")
done
if ((${#on_hosts[@]})); then
	head -c 1G /dev/urandom >"$tree"
	on_host "${on_hosts[@]}"
	host_tables "${on_hosts[@]}"
fi
if has memory; then
	million "${dirs[memory]}" memory
	memory_table
fi
if has guest; then
	in_guest
	table 'in a guest, both on NBD' guest-store guest-files "${changes[@]}" "${lookups[@]}"
fi
