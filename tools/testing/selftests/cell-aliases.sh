#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 900
#
# One cell known by two names: its server has two records here, but keeps one list of
# promises for this client. What it says must reach both, and what is said to it in
# the name of one must not leave the other trusting promises that are gone.
set -euo pipefail
. tools/testing/vm/in-guest.sh --kernel uml-debug --cell --timeout 800
. tools/testing/selftests/mounts.bash

alias=alias.example

# Records of servers; their addresses are on lines of their own.
records()
{
	awk '$NF ~ /[.]example$/' $proc/servers | wc -l
}

states()
{
	cat /mnt/a/state /mnt/b/state | tr '\n' ' '
}

make_volumes
check "adding the alias" 'no error' "$(write_to $proc/cells "add $alias $address")"
mkdir -p /mnt/a /mnt/b
check "mount by the name" 'OK.*' "$($mount_call new afsx "%$cell:data" /mnt/a)"
check "mount by the alias" 'OK.*' "$($mount_call new afsx "%$alias:data" /mnt/b)"
check "two records of the server" 2 "$(records)"
check "before" 'three three ' "$(states)"
replace state four
check "after a change" 'four four ' "$(states)"
umount /mnt/b
# The goodbye of the alias's record is sent by a worker.
for ((i = 0; i < 100; i++)); do
	[[ $(records) != 1 ]] || break
	sleep 0.1
done
check "one record left" 1 "$(records)"
replace state five
check "after the alias is gone" five "$(</mnt/a/state)"
umount /mnt/a
finish "cell aliases"
