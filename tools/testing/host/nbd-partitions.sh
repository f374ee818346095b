#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Partitions of MBR (primary, and chains of extended records of types 5, f and 85)
# and GPT, made by sfdisk and sgdisk, are where sfdisk says; damaged tables, loops
# and partitions that leave the image are refused, each with its own words.
set -euo pipefail

# shellcheck source=tools/testing/host/qcow2/lib.sh
. "$AFSX_TOP/tools/testing/host/qcow2/lib.sh"
need sfdisk sgdisk python3
disk=$work/disk

# part STATUS PATTERN OPTION...: what image-test says of a part of the disk.
part()
{
	local status=$1 pattern=$2

	shift 2
	expect "$status" "$pattern" "$bin/image-test" -f raw "$@" part "$disk"
}

# All partitions that sfdisk sees are where it sees them, and no others are.
compare_all()
{
	local nr start size kind seen=' '

	while read -r nr start size kind; do
		seen+="$nr "
		if [[ $kind == extended ]]; then
			part 2 "partition $nr is an extended one" -P "$nr"
		else
			part 0 "^$((start * $1)) $((size * $1))$" -P "$nr"
		fi
	done < <(sfdisk --json "$disk" 2>/dev/null | "$qcow2_dir/list-partitions")
	[[ $seen != ' ' ]] || fail "sfdisk sees nothing"
	for nr in {1..20} 127 128; do
		[[ $seen == *" $nr "* ]] || part 2 "partition $nr does not exist" -P "$nr"
	done
}

# dos SEED: primary partitions and an extended one with logical ones.
dos()
{
	local table='label: dos' extended logical i

	RANDOM=$1
	truncate -s 0 "$disk"
	truncate -s 64M "$disk"
	choose 5 f 85
	extended=$REPLY
	below 12
	logical=$REPLY
	below 3
	for ((i = 0; i < REPLY; i++)); do
		table+=$'\n'"size=$((2048 * (i + 1))), type=83"
	done
	table+=$'\n'"type=$extended"
	for ((i = 0; i < logical; i++)); do
		below 1000
		table+=$'\n'"size=$((REPLY + 1)), type=$((82 + i % 2))"
	done
	# not made in a pipe: bash forgets the seed in a process of its own
	sfdisk -q "$disk" <<<"$table"
	# a gap in the chain; sfdisk numbers what is left anew
	((logical < 5)) || sfdisk -q --delete "$disk" 6
	compare_all 512
}

gpt()
{
	local i commands=()

	RANDOM=$1
	truncate -s 0 "$disk"
	truncate -s 64M "$disk"
	for i in 1 2 5 "$((RANDOM % 100 + 6))" 127 128; do
		below 2000
		commands+=(-n "$i:0:+$((REPLY + 1))s")
	done
	sgdisk -o -a 1 "${commands[@]}" "$disk" >/dev/null
	compare_all 512
}

damaged_gpt()
{
	local size last

	size=$(stat -c %s "$disk")
	last=$((size - 512))
	# the primary header, its table, then the backup too
	cp "$disk" "$work/sound"
	poke "$disk" $((512 + 40)) ff
	part 0 '^[0-9]+ [0-9]+$' -P 2
	cp "$work/sound" "$disk"
	poke "$disk" $((1024 + 200)) ff
	part 0 '^[0-9]+ [0-9]+$' -P 2
	poke "$disk" $((last + 16)) 00000000
	part 2 'partition 2: both copies of the GPT are damaged' -P 2
	cp "$work/sound" "$disk"
	truncate -s 1M "$disk"
	part 2 'partition 127 has sectors' -P 127
	printf 'x' >"$disk"
	part 2 'partition 1: the image has no partition table' -P 1
}

# An extended partition of 100 sectors at sector 10, by hand; its entry is the first.
by_hand()
{
	truncate -s 0 "$disk"
	truncate -s 1M "$disk"
	poke "$disk" 510 55aa
	poke "$disk" 450 05 # type
	poke "$disk" 454 0a00000064000000
	poke "$disk" $((5120 + 510)) 55aa
	poke "$disk" $((5120 + 450)) 83
	poke "$disk" $((5120 + 454)) 0100000003000000
}

broken_chains()
{
	by_hand
	part 0 '^5632 1536$' -P 5
	part 2 'partition 6 does not exist' -P 6
	# the next record is the first one again
	poke "$disk" $((5120 + 466)) 05
	poke "$disk" $((5120 + 470)) 0000000064000000
	part 0 '^5632 1536$' -P 5
	part 2 'partition 6: the chain of records at sector 10 does not end' -P 6
	# a record further on leads back to itself, and holds nothing
	poke "$disk" $((5120 + 470)) 14000000
	poke "$disk" $((15360 + 510)) 55aa
	poke "$disk" $((15360 + 466)) 05
	poke "$disk" $((15360 + 470)) 1400000064000000
	part 2 'partition 6: the chain of records at sector 10 does not end' -P 6
	# past the end of the extended partition; nothing there
	poke "$disk" $((5120 + 470)) 64000000
	part 2 'partition 6: the record at sector 110 is out of its chain' -P 6
	poke "$disk" $((5120 + 470)) 30000000
	part 2 'partition 6: no extended record at sector 58' -P 6
	# partitions that leave the image
	poke "$disk" $((5120 + 458)) ffffff7f
	part 2 'partition 5 ends at byte 1099511632896, but the image at 1048576' -P 5
	poke "$disk" 466 83
	poke "$disk" 470 ffffffffffffffff
	part 2 'partition 2 ends at byte' -P 2
	part 2 'partition 129 is not a number from 1 to 128' -P 129
}

contents()
{
	truncate -s 0 "$disk"
	truncate -s 64M "$disk"
	sfdisk -q "$disk" <<<$'label: dos\nsize=2048, type=83\ntype=5'
	dd if=/dev/urandom of="$disk" bs=512 seek=2048 count=4000 conv=notrunc status=none
	"$bin/image-test" -f raw -P 1 read "$disk" "$work/is" 1 >/dev/null
	read -r start size < <("$bin/image-test" -f raw -P 1 part "$disk")
	cmp "$work/is" <(tail -c "+$((start + 1))" "$disk" | head -c "$size") || fail 'contents'
	"$bin/image-test" -f raw -o 1000001 read "$disk" "$work/is" 1
	cmp "$work/is" <(tail -c +1000002 "$disk") || fail 'contents from an offset'
}

for seed in {1..7}; do
	dos "$seed"
done
for seed in {1..3}; do
	gpt "$seed"
done
damaged_gpt
broken_chains
contents
echo "$checks partitions and errors as expected"
