#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 120
#
# Everything in the table wrong-mounts is refused, by both of the kernel's
# interfaces alike, with its error and with a reason: mount(2) has it in the
# kernel's log.
set -euo pipefail
. tools/testing/vm/in-guest.sh --kernel uml-debug --timeout 100
. tools/testing/selftests/mounts.bash

# Cells are looked up in DNS, which is not there.
negate_dns()
{
	mkdir -p /etc/request-key.d
	echo 'create dns_resolver * * /bin/keyctl negate %k 1 %S' \
		>/etc/request-key.d/negate.conf
}

refused()
{
	local error=$1 source=$2 options=$3 reason=$4

	check "fsconfig '$source' '$options'" "$error e afsx: $reason" \
		"$($mount_call new afsx "$source" /mnt "$options" | sed 's/ w afsx: [^:]*$//')"
	dmesg --clear
	check "mount(2) '$source' '$options'" "$error" \
		"$($mount_call old afsx "$source" /mnt '' "$options")"
	check "log of '$source' '$options'" "afsx: $reason" "$(said)"
	check "mounted by '$source' '$options'" '' "$(shown /mnt)"
}

modprobe afsx
negate_dns
while IFS='|' read -r error source options reason; do
	refused "$error" "$source" "$options" "$reason"
done < <(grep -v '^#' tools/testing/selftests/wrong-mounts)
check "not a directory" ENOTDIR "$($mount_call old afsx none /proc/version '' dyn)"
check "in a user namespace" 'E[A-Z]+.*' \
	"$(unshare --user --map-root-user --mount $mount_call new afsx none /mnt dyn)"
modprobe -r afsx
finish "mounts that must fail"
