#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 900
#
# Mounts of volumes: how they are shown, which share a superblock,
# what remount changes and refuses, autocell, umount -f of a server that hangs.
set -euo pipefail
. tools/testing/vm/in-guest.sh --kernel uml-debug --cell --timeout 800
. tools/testing/selftests/mounts.bash

new()
{
	$mount_call new afsx "$@"
}

# Source, options, and how /proc/mounts shows that.
forms()
{
	cat <<-END
	%$cell:data||%$cell:data ro,relatime
	%$cell:data.||%$cell:data ro,relatime
	%${cell^^}:data||%$cell:data ro,relatime
	%$cell:$rw_id||%$cell:data ro,relatime
	#$cell:data||#$cell:data ro,relatime,flock=local
	#$cell:$ro_id||#$cell:data(.readonly)? ro,relatime,flock=local
	%$cell:data.readonly||#$cell:data.readonly ro,relatime,flock=local
	#$cell:data.readonly||#$cell:data.readonly ro,relatime,flock=local
	%$cell:data.backup||#$cell:data.backup ro,relatime,flock=local
	#$cell:data.backup||#$cell:data.backup ro,relatime,flock=local
	#$cell:free||%$cell:free ro,relatime
	#$cell:data|rwpath|%$cell:data ro,relatime
	none|cell=$cell,vol=data|#$cell:data ro,relatime,flock=local
	none|cell=$cell,vol=data,rwpath|%$cell:data ro,relatime
	%data|cell=$cell|%$cell:data ro,relatime
	none|source=%$cell:data|%$cell:data ro,relatime
	%$cell:free|vol=#$cell:data|#$cell:data ro,relatime,flock=local
	%$cell:data|flock=strict|%$cell:data ro,relatime,flock=strict
	%$cell:data|flock=openafs,autocell|%$cell:data ro,relatime,autocell,flock=openafs
	%$cell:data|noautocell|%$cell:data ro,relatime
	END
}

shown_forms()
{
	local source options wanted

	while IFS='|' read -r source options wanted; do
		check "mount of $source $options" OK "$(new "$source" /mnt/a "$options")"
		check "shown for $source $options" "$wanted" "$(shown /mnt/a)"
		umount /mnt/a
	done < <(forms)
	check "mount(2)" OK "$($mount_call old afsx "%$cell:data" /mnt/a noatime flock=write)"
	check "shown for mount(2)" "%$cell:data ro,noatime,flock=write" "$(shown /mnt/a)"
	umount /mnt/a
}

# What no volume answers to.
missing()
{
	local source options reason

	while IFS='|' read -r source options reason; do
		check "mount of $source $options" "ENOMEDIUM e afsx: $reason .*" \
			"$(new "$source" /mnt/a "$options")"
	done <<-END
	%$cell:nothing||volume 'nothing' of cell '$cell':
	%$cell:4711||volume '4711' of cell '$cell':
	#$cell:free.readonly||volume 'free' of cell '$cell':
	%$cell:free.backup||volume 'free' of cell '$cell':
	%$cell:data.bogus||volume 'data.bogus' of cell '$cell':
	none|cell=$cell,vol=nothing|volume 'nothing' of cell '$cell':
	END
}

device()
{
	stat -c %d "$1"
}

sharing()
{
	new "%$cell:data" /mnt/a >/dev/null
	new "%$rw_id" /mnt/b "cell=$cell" >/dev/null
	new "#$cell:data" /mnt/c >/dev/null
	check "same volume, same superblock" "$(device /mnt/a)" "$(device /mnt/b)"
	check "R/O beside R/W" different \
		"$([[ $(device /mnt/a) = "$(device /mnt/c)" ]] || echo different)"
	check "f_fsid" different \
		"$([[ $(stat -f -c %i /mnt/a) = "$(stat -f -c %i /mnt/c)" ]] || echo different)"
	check "f_fsid, again" "$(stat -f -c %i /mnt/a)" "$(stat -f -c %i /mnt/b)"
	check "name length and block size" '255 1024' "$(stat -f -c '%l %s' /mnt/a)"
	check "another flock=" 'EBUSY .*mounted already with another flock=.*' \
		"$(new "%$cell:data" /mnt/d flock=strict)"
	check "autocell" 'EBUSY .*mounted already with another autocell.*' \
		"$(new "%$cell:data" /mnt/d autocell)"
	umount /mnt/c /mnt/b /mnt/a
}

remounting()
{
	new "%$cell:data" /mnt/a >/dev/null
	new "#$cell:data" /mnt/b >/dev/null
	new "#$cell:data.backup" /mnt/c >/dev/null
	check "R/W to write" 'EROFS e afsx: this version reads only.*' \
		"$($mount_call pick /mnt/a rw)"
	check "R/O to write" "EROFS e afsx: read-only volume 'data' of cell '$cell' .*" \
		"$($mount_call pick /mnt/b rw)"
	check "backup to write" "EROFS e afsx: backup volume 'data' of cell '$cell' .*" \
		"$($mount_call pick /mnt/c rw)"
	check "mount(8) to write" '.*' "$(error_of mount -o remount,rw /mnt/b)"
	check "still R/O" "#$cell:data ro,.*" "$(shown /mnt/b)"
	check "writing" 'Read-only file system' "$(error_of touch /mnt/a/new)"
	check "flock" OK "$($mount_call pick /mnt/b flock=write)"
	check "shown" "#$cell:data ro,relatime,flock=write" "$(shown /mnt/b)"
	check "mount(8) repeats options" 'no error' \
		"$(error_of mount -o remount,flock=strict /mnt/b)"
	check "shown" "#$cell:data ro,relatime,flock=strict" "$(shown /mnt/b)"
	check "the same source" OK "$($mount_call pick /mnt/a "source=%$cell:data")"
	check "another source" "EINVAL e afsx: remount cannot change the volume '%$cell:data'" \
		"$($mount_call pick /mnt/a "source=%$cell:free")"
	check "dyn" "EINVAL e afsx: remount cannot make a dynamic root of '%$cell:data'" \
		"$($mount_call pick /mnt/a dyn)"
	check "rwpath" "EINVAL e afsx: remount cannot apply rwpath to '#$cell:data'" \
		"$($mount_call pick /mnt/b rwpath)"
	umount /mnt/c /mnt/b /mnt/a
}

# autocell_in SOURCE SIGIL: in the root directory of SOURCE, cells are mounted with
# SIGIL, their names with a dot with %.
autocell_in()
{
	check "autocell in $1" OK "$(new "$1" /mnt/a autocell)"
	check "a cell" 'hello from root.cell' "$(<"/mnt/a/$cell/hello")"
	check "its mount" "$2$cell:root.cell ro,.*" "$(shown "/mnt/a/$cell")"
	check "a cell, R/W" 'hello from root.cell' "$(<"/mnt/a/.$cell/hello")"
	check "its mount" "%$cell:root.cell ro,.*" "$(shown "/mnt/a/.$cell")"
	check "an entry comes first" 'hello from root.cell' "$(</mnt/a/hello)"
	check "a cell is not listed" '' "$(names /mnt/a | grep -o "$cell" || true)"
	check "below the root" 'No such file or directory' \
		"$(error_of ls "/mnt/a/dir/$cell")"
	umount /mnt/a
	check "automounts went along" '' "$(awk '$3 == "afsx"' /proc/mounts)"
}

# Names of cells are found in the root directory alone. From a R/W volume, R/W
# volumes are reached.
autocell()
{
	new "%$cell:root.cell" /mnt/a >/dev/null
	check "a cell without autocell" 'No such file or directory' \
		"$(error_of ls "/mnt/a/$cell")"
	check "autocell by remount" OK "$($mount_call pick /mnt/a autocell)"
	check "shown" "%$cell:root.cell ro,relatime,autocell" "$(shown /mnt/a)"
	check "unknown cell" 'No such file or directory' "$(error_of ls /mnt/a/nowhere)"
	echo "add nowhere $address" >$proc/cells
	check "the cell that came late" 'directory 555' "$(stat -c '%F %a' /mnt/a/nowhere)"
	check "noautocell" OK "$($mount_call pick /mnt/a noautocell)"
	check "unknown again" 'No such file or directory' "$(error_of ls "/mnt/a/$cell")"
	umount /mnt/a
	autocell_in "%$cell:root.cell" %
	autocell_in "#$cell:root.cell" '#'
}

# A mount whose network is another namespace's reaches no server, and shares nothing.
namespaces()
{
	new "%$cell:data" /mnt/a >/dev/null
	check "no network" 'ENETUNREACH e afsx: .+' \
		"$(unshare --net "$mount_call" new afsx "%$cell:data" /mnt/b)"
	umount /mnt/a
}

# read_hanging: start to read, and wait until a call for it was sent.
read_hanging()
{
	local before

	before=$(calls_sent)
	cat /mnt/a/numbers >/dev/null 2>/run/cat.err &
	reader=$!
	for _ in {1..100}; do
		if (($(calls_sent) > before)); then
			return
		fi
		sleep 0.1
	done
	check "a call was sent" yes no
}

# A server that hangs: who waits for it can be killed, and umount -f frees the rest.
hanging_server()
{
	local reader server

	server=$(</run/cell/afsxd.pid)
	new "%$cell:data" /mnt/a >/dev/null
	kill -STOP "$server"
	read_hanging
	kill -KILL "$reader"
	wait "$reader" 2>/dev/null || true
	check "killed while it waited" '.*No such process.*' "$(kill -0 "$reader" 2>&1 || true)"
	read_hanging
	umount -f /mnt/a 2>/dev/null || true
	wait "$reader" || true
	check "ended by umount -f" '.*Input/output error' "$(</run/cat.err)"
	kill -CONT "$server"
	umount /mnt/a 2>/dev/null || true
	check "unmounted" '' "$(shown /mnt/a)"
}

make_volumes
umount /afs
rw_id=$(vol_id data)
ro_id=$(vol_id data.readonly)
mkdir -p /mnt/{a,b,c,d}
for part in shown_forms missing sharing remounting autocell namespaces hanging_server; do
	"$part"
	progress "$part done"
done
finish "mounts of volumes"
