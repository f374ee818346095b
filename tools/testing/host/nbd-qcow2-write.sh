#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Random writes, zeroes and discards by four threads on random qcow2 images: then
# qemu-img check finds nothing, the contents are those of a model, snapshots are
# what they were, and so are the backing files. The long run: IMAGES=200. An image
# that leaks as qemu-img made it (SEED=909) is passed over; more than a tenth may not.
# time-limit: 1800
set -euo pipefail

# shellcheck source=tools/testing/host/qcow2/lib.sh
. "$AFSX_TOP/tools/testing/host/qcow2/lib.sh"
need qemu-img qemu-io

# The sums of all snapshots and backing files.
others()
{
	local name file

	for name in "${image_snapshots[@]}"; do
		qemu-img convert -l "snapshot.name=$name" -O raw "$work/image" "$work/snapshot"
		sha256sum <"$work/snapshot"
	done
	for file in "$work"/{base,middle}; do
		[[ ! -e $file ]] || sha256sum <"$file"
	done
}

# check_image STEP: no error and no leak.
check_image()
{
	local status=0 output

	output=$(qemu-img check "$work/image" 2>&1) || status=$?
	[[ $status == 0 && $output != *leaked* ]] || fail "seed $seed: $1: $output"
}

# Whether qemu-img finds leaks, and nothing worse.
leaks()
{
	local status=0

	qemu-img check "$work/image" >/dev/null 2>&1 || status=$?
	((status == 3))
}

images=${IMAGES:-20}
leaking=0
for ((seed = ${SEED:-1}; seed < ${SEED:-1} + images; seed++)); do
	random_chain "$((seed + 1000))"
	if leaks; then
		leaking=$((leaking + 1))
		continue
	fi
	check_image 'as qemu-img made it'
	qemu-img convert -O raw "$work/image" "$work/model"
	before=$(others)
	"$bin/image-test" -f qcow2 random "$work/image" "$work/model" "$seed" \
		"${OPERATIONS:-800}" 4 || fail "seed $seed"
	check_image 'after writing'
	qemu-img convert -O raw "$work/image" "$work/is"
	cmp "$work/is" "$work/model" || fail "seed $seed: contents"
	[[ $(others) == "$before" ]] || fail "seed $seed: a snapshot or backing file changed"
	# and once more on what we made ourselves
	"$bin/image-test" random "$work/image" "$work/model" "$((seed + 5000))" 100 1
	check_image 'after writing again'
	qemu-img compare -q -f raw -F qcow2 "$work/model" "$work/image" ||
		fail "seed $seed: contents after writing again"
done

# The temporary overlay: everything as on the image, which stays as it is.
for ((seed = 1; seed <= 3; seed++)); do
	random_chain "$seed"
	qemu-img convert -O raw "$work/image" "$work/model"
	before=$(sha256sum <"$work/image")
	"$bin/image-test" -r -s random "$work/image" "$work/model" "$seed" 2000 4
	[[ $(sha256sum <"$work/image") == "$before" ]] || fail "overlay: the image changed"
done
((leaking * 10 <= images)) || fail "$leaking of $images images leak as qemu-img made them"
echo "$((images - leaking)) images are sound and hold what was written," \
	"$leaking leaked as qemu-img made them"
