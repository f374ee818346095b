#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 2400
#
# Load, mount in every form, read, unmount, unload, fifty times on the debug
# kernel: no splat (the guest would say so), no leak, no inode left.
set -euo pipefail
. tools/testing/vm/in-guest.sh --kernel uml-debug --cell --timeout 2300
. tools/testing/selftests/mounts.bash

rounds=50

# Source, options and the `state` file's word, or - where there is none.
forms()
{
	cat <<-END
	%$cell:data - three
	#$cell:data - two
	#$cell:data rwpath three
	%$cell:data.readonly - two
	#$cell:data.backup - one
	%data - three
	none vol=data two
	none vol=%data three
	none cell=$cell,vol=%data,flock=strict three
	%$id - three
	#$cell:free autocell -
	%$cell:root.cell - -
	none dyn -
	END
}

round()
{
	local source options state dir number=0

	modprobe afsx "rootcell=$cell:$address"
	while read -r source options state; do
		dir=/mnt/$((number++))
		mkdir -p "$dir"
		check "mount of $source $options" OK \
			"$($mount_call new afsx "$source" "$dir" "${options#-}" |
				cut -d' ' -f1)"
		[[ $state = - ]] || check "state in $source $options" "$state" "$(<"$dir/state")"
		ls -l "$dir" >/dev/null
		umount "$dir"
	done < <(forms)
}

# Several at a time, with automounts below.
together()
{
	mkdir -p /mnt/{rw,ro,dyn}
	$mount_call new afsx "%$cell:root.cell" /mnt/rw >/dev/null
	$mount_call new afsx "#$cell:root.cell" /mnt/ro >/dev/null
	$mount_call new afsx none /mnt/dyn dyn >/dev/null
	check "from R/W" three "$(</mnt/rw/data/state)"
	check "from R/O" two "$(</mnt/ro/data/state)"
	check "through the dynamic root" two "$(</mnt/dyn/@cell/data/state)"
	check "through .CELL" three "$(<"/mnt/dyn/.$cell/data/state")"
	check "the same contents" 'no error' \
		"$(error_of cmp /mnt/rw/data/numbers /mnt/dyn/@cell/data/numbers)"
	check "a volume that is not there" 'No medium found' "$(error_of ls /mnt/ro/no-such-volume/)"
	umount /mnt/dyn /mnt/ro /mnt/rw
	modprobe -r afsx
}

make_volumes
umount /afs
modprobe -r afsx
id=$(vol_id data)
dmesg --clear
for ((i = 1; i <= rounds; i++)); do
	round
	together
done
check "what else the kernel said" '' \
	"$(dmesg | grep afsx | grep -v 'out-of-tree module\|no-such-volume' || true)"
modprobe afsx
finish "$rounds rounds of loading and unloading"
