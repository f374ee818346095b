#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 120
#
# The dynamic root: how it is mounted, shown, shared and remounted, what it lists,
# and that none of this sends a call.
set -euo pipefail
. tools/testing/vm/in-guest.sh --kernel uml-debug --timeout 100
. tools/testing/selftests/mounts.bash

# Unknown names with a dot are asked of DNS; here it knows nothing, and counts.
count_dns()
{
	mkdir -p /etc/request-key.d
	cat >/etc/request-key.d/count.conf <<-'END'
	create dns_resolver * * /bin/sh -c "echo %d >>/run/dns; keyctl negate %k 1 %S"
	END
	: >/run/dns
}

mounting()
{
	local source

	for source in none anything '%c.d:v' /dev/null; do
		check "dyn with $source" OK "$($mount_call new afsx "$source" /mnt/a dyn)"
		check "name with $source" 'none ro,relatime,dyn' "$(shown /mnt/a)"
		umount /mnt/a
		check "dyn with $source, mount(2)" OK \
			"$($mount_call old afsx "$source" /mnt/a '' dyn)"
		check "name with $source, mount(2)" 'none ro,relatime,dyn' "$(shown /mnt/a)"
		umount /mnt/a
	done
	check "dyn without a source" OK "$($mount_call new afsx '' /mnt/a dyn)"
	umount /mnt/a
	check "dyn with vol=" 'EINVAL e afsx: dyn and vol=v exclude each other' \
		"$($mount_call new afsx none /mnt/a dyn,vol=v)"
	check "dyn with rwpath" 'OK w afsx: rwpath means nothing with dyn' \
		"$($mount_call new afsx none /mnt/a dyn,rwpath)"
	umount /mnt/a
}

# One superblock for all of a namespace; options cannot differ but by remount.
sharing()
{
	$mount_call new afsx none /mnt/a dyn,flock=write >/dev/null
	$mount_call new afsx none /mnt/b dyn >/dev/null
	check "device of the second mount" "$(stat -c %d /mnt/a)" "$(stat -c %d /mnt/b)"
	check "options of the second mount" 'none ro,relatime,dyn,flock=write' \
		"$(shown /mnt/b)"
	check "another flock=" 'EBUSY .*mounted already with another flock=.*' \
		"$($mount_call new afsx none /mnt/c dyn,flock=strict)"
	check "the same flock=" OK "$($mount_call new afsx none /mnt/c dyn,flock=write)"
	check "other namespace" "$(stat -c %d /mnt/a | sed 's/.*/(?!&)/;s/.*/[0-9]+/')" \
		"$(unshare --net --mount sh -c "$mount_call new afsx none /mnt/c dyn >/dev/null
			stat -c %d /mnt/c")"
	umount /mnt/c /mnt/b /mnt/a
}

remounting()
{
	$mount_call new afsx none /mnt/a dyn >/dev/null
	check "flock= by remount" OK "$($mount_call pick /mnt/a flock=strict)"
	check "shown" 'none ro,relatime,dyn,flock=strict' "$(shown /mnt/a)"
	check "flock=, mount(2)" OK \
		"$($mount_call old '' '' /mnt/a remount,ro flock=local)"
	check "shown" 'none ro,relatime,dyn,flock=local' "$(shown /mnt/a)"
	check "mount(8)" 'no error' "$(error_of mount -o remount,flock=openafs /mnt/a)"
	check "shown" 'none ro,relatime,dyn,flock=openafs' "$(shown /mnt/a)"
	check "writing" 'EROFS e afsx: this version reads only.*' \
		"$($mount_call pick /mnt/a rw)"
	check "writing, mount(2)" EROFS "$($mount_call old '' '' /mnt/a remount '')"
	check "the reason in the log" 'afsx: this version reads only.*' "$(said)"
	check "another kind" 'EINVAL e afsx: remount cannot make a volume.*' \
		"$($mount_call pick /mnt/a vol=v)"
	check "unchanged" 'none ro,relatime,dyn,flock=openafs' "$(shown /mnt/a)"
	umount /mnt/a
}

# lists WANTED: the names in /mnt/a, sorted, on one line.
lists()
{
	check "names" "$1" "$(names /mnt/a)"
}

contents()
{
	local name

	$mount_call new afsx none /mnt/a dyn >/dev/null
	lists ''
	check "no @cell" 'No such file or directory' "$(error_of stat /mnt/a/@cell)"
	check "no cell yet" 'No such file or directory' "$(error_of stat /mnt/a/one)"
	echo 'add one 192.0.2.1' >$proc/cells
	echo 'add two.example 192.0.2.2:192.0.2.3' >$proc/cells
	lists '\.one \.two\.example one two\.example '
	check "the cell that came late" '555 directory 2' \
		"$(stat -c '%a %F %h' /mnt/a/one)"
	echo 'two.example' >$proc/rootcell
	lists '\.@cell \.one \.two\.example @cell one two\.example '
	check "@cell" two.example "$(readlink /mnt/a/@cell)"
	check ".@cell" .two.example "$(readlink /mnt/a/.@cell)"
	check "size of @cell" 11 "$(stat -c %s /mnt/a/@cell)"
	echo 'one' >$proc/rootcell
	check "@cell follows" one "$(readlink /mnt/a/@cell)"
	while read -r ino name; do
		check "number of $name" "$ino" "$(stat -c %i "/mnt/a/$name")"
	done < <(find /mnt/a -mindepth 1 -maxdepth 1 -printf '%i %f\n')
	check "distinct numbers" "$(find /mnt/a -maxdepth 1 | wc -l)" \
		"$(find /mnt/a -maxdepth 1 -printf '%i\n' | sort -u | wc -l)"
	check "the root" '1 555 directory' "$(stat -c '%i %a %F' /mnt/a)"
	check "df" '1024 0 0 0 255' "$(stat -f -c '%s %b %f %a %l' /mnt/a)"
	check "creating" 'Read-only file system' "$(error_of touch /mnt/a/new)"
	check "mkdir" 'Read-only file system' "$(error_of mkdir /mnt/a/new)"
	check "a name too long" 'File name too long' \
		"$(error_of stat "/mnt/a/$(printf 'n%.0s' {1..256})")"
	umount /mnt/a
}

# DNS is asked for unknown names with a dot, once in a while, and for no other.
asks_dns_rarely()
{
	local name

	$mount_call new afsx none /mnt/a dyn >/dev/null
	: >/run/dns
	for name in none .none @sys a..b one .two.example; do
		stat "/mnt/a/$name" >/dev/null 2>&1 || true
	done
	check "asked for other names" '' "$(cat /run/dns)"
	for _ in 1 2 3; do
		check "unknown cell" 'No such file or directory' \
			"$(error_of stat /mnt/a/no.such.cell)"
	done
	check "asked for an unknown cell" '(afsdb:no\.such\.cell)?' "$(cat /run/dns)"
	umount /mnt/a
}

modprobe afsx
mkdir -p /mnt/a /mnt/b /mnt/c
count_dns
mounting
sharing
remounting
contents
asks_dns_rarely
check "calls sent" 0 "$(calls_sent)"
modprobe -r afsx
finish "the dynamic root"
