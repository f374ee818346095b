#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Random qcow2 images made by qemu-img and qemu-io, with backing files, compressed
# clusters and snapshots: what we read is what qemu-img converts, and our map of
# zeroes and holes is qemu-img's. The long run: IMAGES=200.
# time-limit: 1800
set -euo pipefail

# shellcheck source=tools/testing/host/qcow2/lib.sh
. "$AFSX_TOP/tools/testing/host/qcow2/lib.sh"
need qemu-img qemu-io python3

snapshots=0

compare_snapshots()
{
	local name id

	for name in "${image_snapshots[@]}"; do
		id=$((${name#snap } + 1))
		qemu-img convert -l "snapshot.name=$name" -O raw "$work/image" "$work/want"
		choose "-n|$name" "-i|$id" "-l|$name" "-l|$id"
		"$bin/image-test" "${REPLY%|*}" "${REPLY#*|}" read "$work/image" "$work/is" 1
		cmp "$work/is" "$work/want" || fail "seed $seed: snapshot $name"
		snapshots=$((snapshots + 1))
	done
}

# qemu-img's map has rows of the same kind that follow each other; ours has not.
compare_maps()
{
	"$bin/image-test" map "$work/image" >"$work/map"
	qemu-img map --output=json "$work/image" >"$work/map.json"
	"$qcow2_dir/compare-maps" "$work/map" "$work/map.json" || fail "seed $seed: map"
}

for ((seed = ${SEED:-1}; seed < ${SEED:-1} + ${IMAGES:-25}; seed++)); do
	random_chain "$seed"
	qemu-img convert -O raw "$work/image" "$work/want"
	"$bin/image-test" -f qcow2 read "$work/image" "$work/is" "$seed"
	cmp "$work/is" "$work/want" || fail "seed $seed: contents"
	compare_maps
	compare_snapshots
done
echo "${IMAGES:-25} images, $snapshots snapshots read as qemu-img reads them"
