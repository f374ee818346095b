# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034	# variables are for whoever sources this
#
# What the tests of the mount interface share. Sourced in a guest, at the top of
# the checkout.
. tools/testing/interop/check.sh

mount_call=build/bin/mount-call
proc=/proc/fs/afsx
cell=${AFSX_CELL_NAME:-cell.example}
address=127.0.0.1

# Calls sent so far, of all kinds.
calls_sent()
{
	awk '/^SENT/ { on = 1; next } on { sum += $1 } END { print sum + 0 }' $proc/stats
}

# shown DIR: source and options of a mount as /proc/mounts has them.
shown()
{
	awk -v dir="$1" '$2 == dir { print $1, $4 }' /proc/mounts
}

# said: the newest line of afsx in the kernel's log.
said()
{
	dmesg | grep -o 'afsx: .*' | tail -n 1
}

# write_to FILE TEXT: the error of writing it, or "no error".
write_to()
{
	# shellcheck disable=SC2016	# the inner shell expands
	error_of bash -c 'printf "%s\n" "$2" >"$1"' - "$1" "$2"
}

# names DIR: what is in a directory, sorted, on one line.
names()
{
	find "$1/" -mindepth 1 -maxdepth 1 -printf '%f\n' | LC_ALL=C sort | tr '\n' ' '
}

vol()
{
	afsx-vol --control /run/cell/control "$@"
}

# The number of a volume.
vol_id()
{
	vol list | awk -v name="$1" '$NF == name { print $1 }'
}

# replace NAME TEXT: put a file with that text into the volume data.
replace()
{
	local tree

	tree=$(mktemp -d)
	echo "$2" >"$tree/$1"
	vol import --replace data "$tree" >/dev/null
	rm -r "$tree"
}

# make_volumes: in the cell of `run --cell`,
#	data		R/W, .readonly and .backup: `state` is three, two, one
#	free		R/W only
# and root.cell with a file, a directory and mount points, one of them to nothing.
make_volumes()
{
	local tree clone

	tree=$(mktemp -d)
	seq 150000 >"$tree/numbers"
	vol create data --quota 100000
	while read -r state clone; do
		echo "$state" >"$tree/state"
		vol import --replace data "$tree"
		[[ -z $clone ]] || vol clone data "$clone"
	done <<-END
	one backup
	two readonly
	three
	END
	vol create free
	rm "$tree"/*
	mkdir "$tree/dir"
	echo 'hello from root.cell' | tee "$tree/hello" >"$tree/dir/file"
	vol import root.cell "$tree"
	rm -r "$tree"
	for name in data free no-such-volume; do
		vol mkmount root.cell "/$name" "$name"
	done
	vol clone root.cell readonly
}
