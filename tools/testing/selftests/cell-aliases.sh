#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 900
#
# One server in several cells: it has several records here, but keeps one list of
# promises for this client. What it says must reach all, and what is said to it in
# the name of one must not leave another trusting promises that are gone. Nor does
# a cell get what another one is trusted with.
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

# await_records NUMBER: the goodbye of a record is sent by a worker.
await_records()
{
	local i

	for ((i = 0; i < 100; i++)); do
		[[ $(records) != "$1" ]] || break
		sleep 0.1
	done
	check "records of servers" "$1" "$(records)"
}

# A cell of strangers, whose VLDB says that its volume lies on the server of our cell,
# under an identity that is not the server's. It speaks for nobody else.
strangers()
{
	local rules=/run/strangers

	# 248: the number of the read/write volume in the entry
	echo "VL.GetEntryByNameU word 248 $(vol_id data)" >$rules
	build/bin/liar $rules 127.0.0.2 >/run/strangers.out &
	check "adding strangers" 'no error' \
		"$(write_to $proc/cells 'add strangers.example 127.0.0.2')"
	check "their mount" 'OK.*' "$($mount_call new afsx '%strangers.example:root.cell' /mnt/b)"
	check "records of servers" 2 "$(records)"
	check "before" 'five five ' "$(states)"
	umount /mnt/b
	await_records 1
	replace state six
	check "after their goodbye" six "$(</mnt/a/state)"
	kill %%
}

# calls_after COMMAND...: how many are sent to look at a file afterwards
calls_after()
{
	local before

	stat /mnt/a/state >/dev/null
	"$@"
	before=$(calls_sent)
	stat /mnt/a/state >/dev/null
	echo $(($(calls_sent) - before))
}

# effective ID: the user that a copy of id(1) there runs as, for nobody
effective()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups "$1" -u
}

# What strangers call root's and set-user-id runs as root for him who mounts it by
# hand, and says nosuid if he likes. It does not for who comes by through /afs, not
# even when both share a superblock. The cell of this machine is trusted.
set_ids()
{
	local tree

	tree=$(mktemp -d)
	install -m 4755 "$(type -P id)" "$tree/id"
	vol create tools
	vol import tools "$tree"
	vol mkmount root.cell /tools tools
	vol clone root.cell readonly
	rm -r "$tree"
	check "by hand" 'OK.*' "$($mount_call new afsx "%$alias:tools" /mnt/b)"
	check "user, by hand" 0 "$(effective /mnt/b/id)"
	check "user, in the root cell" 0 "$(effective "/afs/.$cell/tools/id")"
	check "user, in passing" 65534 "$(effective "/afs/.$alias/tools/id")"
	check "user, by hand again" 65534 "$(effective /mnt/b/id)"
	check "user, in the root cell" 0 "$(effective "/afs/.$cell/tools/id")"
	umount /mnt/b
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
await_records 1
replace state five
check "after the alias is gone" five "$(</mnt/a/state)"
strangers
check "calls, a stranger has lost its promises" 0 \
	"$(calls_after tools/testing/selftests/init-state 127.0.0.9)"
check "calls, the server has lost its promises" 2 \
	"$(calls_after tools/testing/selftests/init-state 127.0.0.1)"
set_ids
umount /mnt/a
finish "cell aliases"
