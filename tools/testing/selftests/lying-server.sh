#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 900
#
# A server that lies gets errors: never a hang, a fault or a leak, and the client
# works as before once the server is honest again. What liar says and how:
# selftests/liar/liar.h.
set -euo pipefail
. tools/testing/vm/in-guest.sh --kernel uml-debug --timeout 800
. tools/testing/selftests/mounts.bash

rules=/run/liar.rules
heard=/run/liar.out
dir=/mnt/liar
limit=60

lie()
{
	printf '%s\n' "$@" >$rules.new
	mv $rules.new $rules
}

mounted()
{
	timeout $limit "$mount_call" new afsx "%$cell:root.cell" $dir
}

# attempt WHAT WANTED COMMAND...: WANTED is the error, in words.
attempt()
{
	check "$1" "$2" "$(error_of timeout $limit "${@:3}")"
}

# With a fresh mount and cold caches, and the server honest until it is mounted.
attempt_mounted()
{
	lie
	mounted >/dev/null
	lie "$1"
	attempt "$@"
	umount $dir
}

honest()
{
	lie
	check "mount" OK "$(mounted)"
	check "names" 'link other plain point ' "$(names $dir)"
	check "data" "10000 $(head -c 10000 /dev/zero | tr '\0' c | md5sum)" \
		"$(stat -c %s $dir/plain) $(md5sum <$dir/plain)"
	check "link" plain "$(readlink $dir/link)"
	check "statfs" 1000 "$(stat -f -c %b $dir)"
	umount $dir
}

# Rule, and the error of the mount.
refused_mounts()
{
	local rule wanted

	while IFS='|' read -r rule wanted; do
		lie "$rule"
		check "mount with $rule" "$wanted .*" "$(mounted)"
	done <<-END
	VL.GetEntryByNameU cut 4|EBADMSG
	VL.GetEntryByNameU cut 100000|EBADMSG
	VL.GetEntryByNameU pad 4|EBADMSG
	VL.GetEntryByNameU pad 100000|EBADMSG
	VL.GetEntryByNameU word 65 0xffffffff|EBADMSG
	VL.GetEntryByNameU endless|EBADMSG
	VL.GetEntryByNameU abort 363524|ENOMEDIUM
	VL.GetAddrsU cut 4|EBADMSG
	VL.GetAddrsU word 12 0xffffffff|EBADMSG
	VL.GetAddrsU endless|EBADMSG
	FS.FetchStatus cut 4|EBADMSG
	FS.FetchStatus pad 4|EBADMSG
	FS.FetchStatus pad 100000|EBADMSG
	FS.FetchStatus endless|EBADMSG
	FS.FetchStatus word 1 1|(EIO|ESTALE|ENOTDIR)
	FS.FetchStatus word 1 7|(EIO|EBADMSG)
	FS.FetchStatus abort 102|ESTALE
	FS.FetchStatus abort 105|ENODEV
	FS.FetchStatus abort 12345678|EREMOTEIO
	END
}

# Rule, error and command, after a mount.
refused_reads()
{
	attempt_mounted "FS.FetchData64 word 0 0x7fffffff" "Bad message" ls $dir
	attempt_mounted "FS.FetchData64 word 1 0xffffffff" "Bad message" ls $dir
	attempt_mounted "FS.FetchData64 word 1 1024" "(Input/output error|Bad message)" ls $dir
	attempt_mounted "FS.FetchData64 word 2 0" "Input/output error" ls $dir
	# The second entry is for vnode 0.
	attempt_mounted "FS.FetchData64 word 131 0" "Input/output error" ls $dir
	attempt_mounted "FS.FetchData64 cut 2000" "Bad message" ls $dir
	attempt_mounted "FS.FetchData64 endless" "(Bad message|Input/output error)" ls $dir
	attempt_mounted "FS.GetVolumeStatus word 12 0x7fffffff" "Bad message" df $dir
	attempt_mounted "FS.GetVolumeStatus endless" "Bad message" df $dir
	attempt_mounted "FS.InlineBulkStatus endless" "Bad message" cat $dir/plain
	attempt_mounted "FS.InlineBulkStatus cut 8" "Bad message" cat $dir/plain
}

# What is wrong with a file when its directory is right.
refused_files()
{
	local rule

	while read -r rule; do
		lie
		mounted >/dev/null
		names $dir >/dev/null
		stat $dir/plain >/dev/null
		lie "$rule"
		attempt "cat with $rule" "(Bad message|Input/output error)" cat $dir/plain
		umount $dir
	done <<-END
	FS.FetchData64 word 1 20000
	FS.FetchData64 word 1 100
	FS.FetchData64 word 0 1
	FS.FetchData64 cut 400
	FS.FetchData64 pad 400
	FS.FetchData64 endless
	END
}

# A server that is busy, or says the volume moved, is asked again.
patience()
{
	local code

	for code in 110 111 103 106 113; do
		lie "FS.FetchStatus abort $code 2"
		check "mount after abort $code, twice" OK "$(mounted)"
		umount $dir
	done
	lie "FS.FetchStatus abort 111"
	check "mount of what has moved for ever" 'ENOMEDIUM .*' "$(mounted)"
}

# await RPC: until a call of that name was left without a reply.
await()
{
	for _ in {1..300}; do
		if grep -q "^silent $1\$" $heard; then
			return
		fi
		sleep 0.1
	done
	check "a call that gets no reply" "$1" none
}

# wait_for COMMAND...: with a fresh mount, begin what the server, with the rules
# there are, will never let end.
wait_for()
{
	: >$heard
	error_of timeout $limit "$@" >/run/waiting &
	waiting=$!
}

# No call has as little time as what waits has to end.
end_by_force()
{
	local status=0

	timeout 15 umount -f $dir 2>/dev/null || status=$?
	check "umount -f during $1" '(0|32)' "$status"
	check "what waits for $1" over \
		"$(timeout 15 tail -f --pid=$waiting /dev/null && echo over)"
	wait $waiting || true
	check "its error" 'Input/output error' "$(</run/waiting)"
	lie
	! mountpoint -q $dir || umount $dir
}

# umount -f ends whatever call is waited for. Its rules; the last is for that call.
forced()
{
	local -a lies

	while IFS='|' read -ra lies; do
		lie
		mounted >/dev/null
		cat $dir/other >/dev/null
		stat $dir/plain >/dev/null
		lie "${lies[@]}"
		wait_for cat $dir/plain
		await "${lies[-1]% silent}"
		end_by_force "${lies[-1]}"
	done <<-END
	FS.FetchData64 silent
	FS.FetchData64 abort 103|VL.GetEntryByIDU silent
	FS.FetchData64 abort 103|VL.GetEntryByIDU word 209 2|VL.GetAddrsU silent
	END
}

# Once a probe has failed, new operations fail like it, for a while: not those of
# whom umount -f has ended, which the VFS begins anew.
forced_after_probe()
{
	lie
	mounted >/dev/null
	cat $dir/other >/dev/null
	lie "FS.FetchData64 abort -1" "FS.GetCapabilities silent"
	wait_for cat $dir/plain
	await FS.GetCapabilities
	lie "FS.FetchData64 abort -1" "FS.GetCapabilities silent" "VL.GetEntryByIDU silent"
	await VL.GetEntryByIDU
	end_by_force "the VLDB after a probe"
}

# An automount is ended through the mount it lies in.
forced_automount()
{
	lie
	mounted >/dev/null
	lie "VL.GetEntryByNameU silent"
	wait_for ls $dir/point/
	await VL.GetEntryByNameU
	end_by_force "an automount"
}

# learn NAME: the file or link has another version by now, and its status is asked for.
learn()
{
	stat --cached=never -c %s "$dir/$1" >/dev/null
}

# settle PID: until the process has ended, or sleeps for so long that it waits for
# somebody. Nothing is executed, which takes long on a busy machine: a call that gets
# no reply is given up after a while.
settle()
{
	local asleep=0 state

	while ((asleep < 5)) && read -r _ _ state _ 2>/dev/null <"/proc/$1/stat"; do
		read -rt 0.2 -u "$never" || true
		[[ $state = [SD] ]] && asleep=$((asleep + 1)) || asleep=0
	done 2>/dev/null
}

# part PAGE: begin to read one page of `plain` into /run/part-PAGE.
part()
{
	dd if=$dir/plain bs=4096 skip="$1" count=1 status=none >"/run/part-$1" &
}

# letters FILE: which letters it consists of, in which order.
letters()
{
	tr -s '[:alpha:]' <"$1"
}

# While pages of a file are being dropped for a newer version, and the first of
# them is still on its way, the others are not shown any more. Version 2 of
# `plain` is of the letter d.
old_pages()
{
	local killed pids=()

	lie
	mounted >/dev/null
	part 2
	wait $!
	check "the page that is cached" c "$(letters /run/part-2)"
	: >$heard
	lie "FS.FetchData64 silent"
	part 0
	pids+=($!)
	await FS.FetchData64
	lie "FS.FetchData64 silent" "content version 2"
	learn plain
	part 1
	killed=$!
	settle $killed
	part 2
	pids+=($!)
	settle $!
	kill -KILL $killed || true
	check "a reader that was killed" over \
		"$(timeout 15 tail -f --pid=$killed /dev/null && echo over)"
	lie "content version 2"
	wait "${pids[@]}" || true
	check "a cached page of a file that has changed" d "$(letters /run/part-2)"
	umount $dir
}

# Who maps a file sees a newer version that any process learnt of, without a break.
old_mapping()
{
	local ask answer line pid version

	lie
	mounted >/dev/null
	mkfifo /run/ask /run/answer
	build/bin/map-lines $dir/other </run/ask >/run/answer &
	pid=$!
	exec {ask}>/run/ask {answer}</run/answer
	for version in 1 2 3; do
		lie "content version $version"
		learn other
		echo >&"$ask"
		read -r line <&"$answer"
		check "version $version, mapped" "$(tr 123 efg <<<"$version")" \
			"$(tr -s '[:alpha:]' <<<"$line")"
	done
	exec {ask}>&- {answer}<&-
	wait "$pid"
	umount $dir
}

# The old target of a link is not followed while the new one is on its way, or when it does
# not come.
old_target()
{
	local walker

	lie
	mounted >/dev/null
	check "the link leads to plain" 2 "$(stat -L -c %i $dir/link)"
	lie "FS.FetchData64 silent" "content version 2"
	learn link
	wait_for readlink $dir/link
	await FS.FetchData64
	stat -L -c %i $dir/link >/run/walked &
	walker=$!
	settle $walker
	lie "FS.FetchData64 abort 12345678" "content version 2"
	wait $waiting $walker || true
	check "where it leads without a new target" '' "$(</run/walked)"
	check "the same later" 'Remote I/O error' \
		"$(error_of timeout $limit stat -L $dir/link)"
	lie "content version 2"
	check "the link leads to other" 4 "$(stat -L -c %i $dir/link)"
	umount $dir
}

noise()
{
	local i command mounts=0 status

	lie "* noise 1"
	for ((i = 0; i < 60; i++)); do
		[[ $(mounted) = OK* ]] || continue
		mounts=$((mounts + 1))
		for command in "ls -l $dir" "cat $dir/plain $dir/other" "df $dir"; do
			status=0
			# shellcheck disable=SC2086	# words are meant
			timeout $limit $command >/dev/null 2>&1 || status=$?
			check "$command in round $i" '[012]' "$status"
		done
		umount $dir
	done
	check "mounts in all this" '[1-9][0-9]*' "$mounts"
}

mkdir -p $dir
mkfifo /run/never
exec {never}<>/run/never
lie
build/bin/liar $rules >>$heard 2>&1 &
liar=$!
modprobe afsx "rootcell=$cell:127.0.0.1"
honest
progress "honest"
refused_mounts
progress "refused mounts"
refused_reads
progress "refused reads"
refused_files
progress "refused files"
patience
progress "patience"
forced
forced_after_probe
forced_automount
progress "forced ends"
old_pages
old_mapping
old_target
progress "old contents"
noise
progress "noise"
honest
check "the server" alive "$(kill -0 $liar && echo alive)"
kill $liar
modprobe -r afsx
finish "lying server"
