#!/bin/bash
# SPDX-License-Identifier: MIT
#
# qcow2 images that are damaged, or have what is not supported, are refused by name
# and stay as they are; one that was not closed well is put right before writing.
set -euo pipefail

# shellcheck source=tools/testing/host/qcow2/lib.sh
. "$AFSX_TOP/tools/testing/host/qcow2/lib.sh"
need qemu-img qemu-io
image=$work/image

new_image()
{
	rm -f "$image"
	qemu-img create -q -f qcow2 "$@" "$image" 8M
	qemu-io -c 'write -q -P 3 0 200k' "$image"
}

# refused PATTERN [OPTION...]: the image cannot be opened, and is not changed.
refused()
{
	local pattern=$1 before

	shift
	before=$(sha256sum <"$image")
	expect 2 "$pattern" "$bin/image-test" "$@" random "$image" "$work/model" 1 1 1
	[[ $(sha256sum <"$image") == "$before" ]] || fail "$pattern: the image was changed"
}

# header OFFSET HEX PATTERN: an image with that in its header is refused.
header()
{
	new_image
	poke "$image" "$1" "$2"
	refused "$3" -f qcow2
}

readable()
{
	expect 0 '^$' "$bin/image-test" read "$image" "$work/is" 1
}

headers()
{
	header 0 00 'not a qcow2 image'
	header 4 00000004 'qcow2 version 4 is not supported'
	header 4 00000001 'qcow2 version 1 is not supported'
	header 20 00000008 'clusters of 2\^8 bytes, which is not from 512 to 2M'
	header 20 00000016 'clusters of 2\^22 bytes'
	header 32 00000001 'encryption method 1 is not supported'
	header 79 20 'incompatible feature 5 is not known'
	header 72 80 'incompatible feature 63 is not known'
	header 96 00000007 'reference counts of 2\^7 bits'
	header 100 00000060 'the header claims to have 96 bytes'
	header 100 00000069 'the header claims to have 105 bytes'
	header 100 00020000 'the header claims to have 131072 bytes'
	header 104 02 'compression type 2 is not supported'
	header 104 01 'compression type 1 contradicts the feature bit'
	header 24 0000010000000000 'the L1 table of 1 entries is too small for 1099511627776 bytes'
	header 36 00400001 'an L1 table of 4194305 entries is too large'
	header 36 00300000 'before its tables do: it is cut off'
	header 40 0000000000030200 'a table of the header is not at the start of a cluster'
	header 40 0100000000000000 'a table of the header is past byte 2\^56'
	header 40 0000000000000000 'no L1 table'
	header 48 0000000000000000 'no table of reference counts'
	header 56 00000100 'a table of reference counts of 256 clusters is too large'
	header 79 02 'the image is marked as corrupt'
	readable
}

features()
{
	new_image -o extended_l2=on
	refused "feature 'extended L2 entries' is not supported"
	new_image -o data_file="$work/data"
	refused "feature 'external data file' is not supported"
	# the same without the table of names: type 0x6803f857 becomes an unknown one
	poke "$image" "$(LC_ALL=C grep -obaP '\x68\x03\xf8\x57' "$image" | head -n 1 | cut -d: -f1)" 11
	refused "feature 'external data file' is not supported"
}

tables()
{
	new_image
	# the block of counts is the third cluster, the L2 table the fifth
	poke "$image" $((2 * 65536 + 2 * 4)) 0000
	refused 'an L2 table at byte 262144 is in use but not counted as such'
	readable
	new_image
	poke "$image" $((2 * 65536)) 0000
	refused 'the header at byte 0 is in use but not counted as such'
	new_image
	poke "$image" $((65536 + 6)) 0200
	refused 'a block of reference counts at byte 131584 is not a cluster of the file'
	new_image
	# the first entry of the L2 table points into the middle of a cluster
	poke "$image" $((4 * 65536 + 6)) 02
	expect 1 'reading .* bytes at 0: Input/output error' \
		"$bin/image-test" read "$image" "$work/is" 1
	new_image
	truncate -s 200000 "$image"
	expect 1 'Input/output error' "$bin/image-test" read "$image" "$work/is" 1
}

snapshots()
{
	new_image
	qemu-img snapshot -c first "$image"
	expect 2 "no snapshot 'second' in the image" "$bin/image-test" -n second part "$image"
	expect 2 "no snapshot '2' in the image" "$bin/image-test" -i 2 part "$image"
	expect 2 "no snapshot '2' in the image" "$bin/image-test" -i 2 -n first part "$image"
	expect 2 "no snapshot 'x' in the image" "$bin/image-test" -l x part "$image"
	expect 0 '' "$bin/image-test" -i 1 -n first part "$image"
	poke "$image" 60 00ffffff
	expect 2 'the table of snapshots is damaged' "$bin/image-test" -n second part "$image"
	truncate -s 1M "$work/raw"
	expect 2 'raw: images of format raw have no snapshots' \
		"$bin/image-test" -f raw -l x part "$work/raw"
	expect 2 "unknown format 'vdi'" "$bin/image-test" -f vdi part "$work/raw"
	expect 0 'level=warn .*taken for raw' "$bin/image-test" part "$work/raw"
}

backing()
{
	qemu-img create -q -f raw "$work/base" 8M
	new_image -b base -F raw
	rm "$work/base"
	refused 'backing file of .*image: .*base: cannot be opened: No such file'
	qemu-img rebase -q -u -b image -F qcow2 "$image"
	refused 'the image is in its own chain of backing files'
	qemu-img rebase -q -u -b nbd://localhost/x -F raw "$image"
	refused "the backing file 'nbd://localhost/x' is not a file"
	qemu-img rebase -q -u -b "file:$work/other:raw" -F raw "$image"
	truncate -s 8M "$work/other:raw"
	readable
	qemu-img rebase -q -u -b other -F vdi "$image" 2>/dev/null || true
	new_image
	poke "$image" 8 0000000000000200000007d0
	refused 'the name of the backing file, 2000 bytes at 512, is out of place'
	poke "$image" 8 0000000000010000
	refused 'the name of the backing file'
}

# An image whose counts are stale, as QEMU leaves it when it dies.
not_closed()
{
	local cluster

	for cluster in 512 65536; do
		new_image -o "lazy_refcounts=on,cluster_size=$cluster"
		qemu-io -c 'write -q -c -P 4 2M 64k' -c 'discard -q 0 64k' "$image"
		qemu-img snapshot -c old "$image"
		{ qemu-io -c 'write -q -P 9 100k 900k' -c flush -c abort "$image" >/dev/null 2>&1; } 2>/dev/null || true
		expect 2 ERROR qemu-img check "$image"
		cp "$image" "$work/dirty"
		readable
		cmp "$image" "$work/dirty" || fail 'reading changed the image'
		cp "$work/is" "$work/model"
		"$bin/image-test" random "$image" "$work/model" 7 300 2
		qemu-img check "$image" >"$work/check" 2>&1 || fail "$(<"$work/check")"
		qemu-img compare -q -f raw -F qcow2 "$work/model" "$image" || fail 'contents'
		checks=$((checks + 1))
	done
	# what contradicts itself is left to qemu-img: a cluster of two tables' sole use
	new_image
	poke "$image" 79 01
	poke "$image" $((4 * 65536 + 8)) 8000000000050000
	refused 'not closed well, and beyond repair here .*: try qemu-img check -r'
	readable
}

truncate -s 8M "$work/model"
headers
features
tables
snapshots
backing
not_closed
echo "$checks images refused or put right as expected"
