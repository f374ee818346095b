# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the tests of images share: image-test under ASan and UBSan, random images
# made by QEMU's programs, and judging by them.
# shellcheck source=tools/testing/host/lib.sh
. "$AFSX_TOP/tools/testing/host/lib.sh"

export qcow2_dir=$AFSX_TOP/tools/testing/host/qcow2
work=$(mktemp -d)

# A random number below $1, of the sequence that RANDOM=SEED began.
below()
{
	REPLY=$(((RANDOM * 32768 + RANDOM) % $1))
}

# One of the arguments.
choose()
{
	below $#
	shift "$REPLY"
	REPLY=$1
}

# poke FILE OFFSET HEX: overwrite bytes.
poke()
{
	python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.argv[1]))' "$3" |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# image_size: a size in bytes, a multiple of 512, of a few MiB.
image_size()
{
	choose $((1 << 20)) $((5 << 20)) $((12 << 20))
	local most=$REPLY

	below $((most / 512))
	REPLY=$(((REPLY + 9) * 512))
}

# Change an image through qemu-io: $1 the image, $2 its size, $3 its cluster size,
# $4 how often.
scribble()
{
	local image=$1 size=$2 cluster=$3 times=$4 commands=() offset len pattern

	for ((; times; times--)); do
		below $((size / 512))
		offset=$((REPLY * 512))
		below $((size - offset < 300000 ? size - offset : 300000))
		len=$((REPLY / 512 * 512 + 512))
		((offset + len <= size)) || continue
		below 255
		pattern=$((REPLY + 1))
		choose write write write zero trim packed
		case $REPLY in
		write)
			commands+=(-c "write -q -P $pattern $offset $len")
			;;
		zero)
			choose '' -u
			commands+=(-c "write -q -z $REPLY $offset $len")
			;;
		trim)
			commands+=(-c "discard -q $offset $len")
			;;
		packed)
			offset=$((offset / cluster * cluster))
			((offset + cluster > size)) ||
				commands+=(-c "write -q -c -P $pattern $offset $cluster")
			;;
		esac
	done
	# a cluster that is allocated cannot be compressed: that is an error, and ignored
	((${#commands[@]} == 0)) ||
		qemu-io -d unmap "${commands[@]}" "$image" >/dev/null 2>&1 || true
}

# random_image NAME [BACKING FORMAT]: a qcow2 image $work/NAME. Sets image_bytes,
# image_cluster and image_snapshots.
random_image()
{
	local image=$work/$1 options

	image_size
	image_bytes=$REPLY
	choose 512 1024 4096 4096 65536 65536 262144 2097152
	image_cluster=$REPLY
	options=cluster_size=$image_cluster
	image_snapshots=()
	choose 0.10 1.1 1.1
	options+=,compat=$REPLY
	if [[ $REPLY == 1.1 ]]; then
		choose 1 2 4 8 16 16 32 64
		# a snapshot needs counts up to 3
		options+=,refcount_bits=$REPLY
		((REPLY > 1)) || options+=,extended_l2=off
		image_refcount_bits=$REPLY
		choose zlib zstd
		options+=,compression_type=$REPLY
		choose off on
		options+=,lazy_refcounts=$REPLY
	else
		image_refcount_bits=16
	fi
	if [[ -n ${2:-} ]]; then
		qemu-img create -q -f qcow2 -b "$2" -F "$3" -o "$options" "$image" "$image_bytes"
	else
		choose off off off metadata
		qemu-img create -q -f qcow2 -o "$options,preallocation=$REPLY" "$image" \
			"$image_bytes"
	fi
	scribble "$image" "$image_bytes" "$image_cluster" 6
	# QEMU 7.2 itself makes an image now and then that it calls corrupt: another one
	if qemu-img info "$image" | grep -q 'corrupt: true'; then
		random_image "$@"
		return
	fi
	if ((image_refcount_bits > 2)); then
		below 3
		for ((i = 0; i < REPLY; i++)); do
			qemu-img snapshot -c "snap $i" "$image"
			image_snapshots+=("snap $i")
		done
		((${#image_snapshots[@]} == 0)) || scribble "$image" "$image_bytes" "$image_cluster" 4
	fi
}

# random_chain SEED: images $work/base (perhaps), $work/middle (perhaps) and the top
# one, $work/image.
random_chain()
{
	local below_it='' format=''

	RANDOM=$1
	rm -f "$work"/{base,middle,image}
	choose none raw qcow2 qcow2
	case $REPLY in
	raw)
		image_size
		head -c "$REPLY" /dev/urandom >"$work/base"
		below_it=base format=raw
		;;
	qcow2)
		random_image base
		below_it=base format=qcow2
		;;
	esac
	choose no no yes
	if [[ $REPLY == yes ]]; then
		random_image middle ${below_it:+"$below_it"} ${format:+"$format"}
		below_it=middle format=qcow2
	fi
	random_image image ${below_it:+"$below_it"} ${format:+"$format"}
}

trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
build host/qcow2
[[ -x $bin/image-test && -x $bin/image-crash ]]
