#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 300
#
# Everything in the table wrong-mounts is refused, by both of the kernel's
# interfaces alike, with its error and with a reason: mount(2) has it in the
# kernel's log.
set -euo pipefail
. tools/testing/vm/in-guest.sh --kernel uml-debug --timeout 280
. tools/testing/selftests/mounts.bash

# DNS knows two cells, with IPv6 addresses. The kernel wants a NUL behind the text.
answer_dns()
{
	cat >/run/answer-dns <<-'END'
	#!/bin/bash
	printf '2001:db8::1,::1\0' | keyctl pinstantiate "$1" 0
	END
	chmod +x /run/answer-dns
	mkdir -p /etc/request-key.d
	cat >/etc/request-key.d/answer.conf <<-END
	create dns_resolver afsdb:six.example * /run/answer-dns %k
	create dns_resolver afsdb:sechs.example * /run/answer-dns %k
	create dns_resolver * * /bin/keyctl negate %k 1 %S
	END
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
answer_dns
echo 'add sechs.example' >$proc/cells
while IFS='|' read -r error source options reason; do
	refused "$error" "$source" "$options" "$reason"
done < <(grep -v '^#' tools/testing/selftests/wrong-mounts)
check "not a directory" ENOTDIR "$($mount_call old afsx none /proc/version '' dyn)"
check "in a user namespace" 'E[A-Z]+.*' \
	"$(unshare --user --map-root-user --mount $mount_call new afsx none /mnt dyn)"
modprobe -r afsx
finish "mounts that must fail"
