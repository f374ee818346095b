#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Every wrong command line of afsx-nbd ends with status 1 and a sentence that names
# what was wrong, and nothing is left behind.
set -euo pipefail

# shellcheck source=tools/testing/host/nbd/lib.sh
. "$AFSX_TOP/tools/testing/host/nbd/lib.sh"

image=$work/image
truncate -s 1M "$image"
mkdir "$work/directory" "$work/other"
mkfifo "$work/fifo"
cp "$image" "$work/other/image"

# wrong SENTENCE OPTION...
wrong()
{
	local sentence=$1 status=0

	shift
	timeout 10 "$afsx_nbd" "$@" >"$work/out" 2>"$work/err" || status=$?
	[[ $status == 1 ]] || fail "afsx-nbd $*: status $status: $(<"$work/err")"
	grep -qxF -- "afsx-nbd: $sentence" <(sed 's|^[^ ]*/afsx-nbd: |afsx-nbd: |' "$work/err") ||
		fail "afsx-nbd $*: no '$sentence' in: $(<"$work/err")"
	[[ ! -s $work/out ]] || fail "afsx-nbd $*: says: $(<"$work/out")"
	[[ ! -e $socket ]] || fail "afsx-nbd $*: leaves a socket"
	checks=$((checks + 1))
}

# Every option that is a number, with its limits.
numbers='
port number 1 65535
shared number 1 1000000
offset size 0 9223372036854775807
handshake-timeout number 1 3600
request-max size 65536 67108864
partition number 1 128
threads number 1 256
grace number 0 3600'

wrong_numbers()
{
	local name what lowest highest value

	while read -r name what lowest highest; do
		[[ -n $name ]] || continue
		for value in -1 x '' 7x ' 7' 0x10 99999999999999999999 1KB; do
			wrong "--$name: '$value' is not a $what from $lowest to $highest" \
				"--$name=$value" "$image"
		done
		if ((lowest > 0)); then
			value=$((lowest - 1))
			wrong "--$name: '$value' is not a $what from $lowest to $highest" \
				"--$name=$value" "$image"
		fi
		if [[ $what == number ]]; then
			for value in $((highest + 1)) 1K; do
				wrong "--$name: '$value' is not a $what from $lowest to $highest" \
					"--$name=$value" "$image"
			done
		fi
		"$afsx_nbd" --help | grep -q -- "--$name=" || fail "no help for --$name"
	done <<<"$numbers"
	wrong "--port: '0' is not a number from 1 to 65535" -p 0 "$image"
	wrong "--shared: '0' is not a number from 1 to 1000000" -e 0 "$image"
	wrong "--offset: '-1' is not a size from 0 to 9223372036854775807" -o -1 "$image"
	wrong "--request-max: '65M' is not a size from 65536 to 67108864" \
		--request-max 65M "$image"
	wrong "--request-max: '9999999999T' is not a size from 65536 to 67108864" \
		--request-max 9999999999T "$image"
}

wrong_words()
{
	local modes='none, writeback, writethrough, directsync or unsafe'

	wrong 'FILE is missing'
	wrong 'FILE is missing' -t
	wrong "unrecognized option '--bogus'" --bogus "$image"
	wrong "invalid option -- 'Z'" -Z "$image"
	wrong "option requires an argument -- 'p'" "$image" -p
	wrong "option '--socket' requires an argument" "$image" --socket
	wrong "option '--persistent' doesn't allow an argument" --persistent=1 "$image"
	wrong "--cache: 'fast' is not $modes" --cache=fast "$image"
	wrong "--cache: '' is not $modes" --cache= "$image"
	wrong '--cache: the cache mode was given by --nocache already' -n --cache=none "$image"
	wrong '--nocache: the cache mode was given by --cache already' --cache=none -n "$image"
	wrong '--nocache: the cache mode was given by --nocache already' -nn "$image"
	wrong "--aio: 'quick' is not threads, io_uring or native" --aio=quick "$image"
	wrong '--aio: is given twice' --aio=threads --aio=threads "$image"
	wrong "--discard: 'maybe' is not ignore, off, unmap or on" --discard=maybe "$image"
	wrong '--discard: is given twice' --discard=on --discard=off "$image"
	wrong "--format: 'vmdk' is not a format" -f vmdk "$image"
	wrong "--format: '' is not a format" -f '' "$image"
	wrong "--connect: 'nbd0' is not an absolute path" -c nbd0 "$image"
	wrong '--connect: goes with one FILE only' -c /dev/nbd0 "$image" "$image"
	wrong '--disconnect: goes with one FILE only, the device' -d /dev/nbd0 /dev/nbd1
	wrong '--hand-over: does not go with --connect' -c /dev/nbd0 --hand-over /h "$image"
	wrong "--hand-over: 'h' is not an absolute path" --hand-over h "$image"
	wrong '--disconnect: does not go with --connect' -d -c /dev/nbd0 "$image"
	wrong '--disconnect: DEVICE is missing' -d
	wrong 'FILE is empty' ''
	wrong 'FILE is empty' "$image" ''
	wrong '--hand-over: does not go with a --socket of the same path' \
		--hand-over "$socket" -k "$socket" "$image"
	wrong "--socket: 'here' is not an absolute path" -k here "$image"
	wrong "--socket: '' is not an absolute path" -k '' "$image"
	wrong "--pid-file: 'pid' is not an absolute path" --pid-file pid "$image"
	wrong '--socket: does not go with --port or --bind' -k "$socket" -p 10809 "$image"
	wrong '--socket: does not go with --port or --bind' -b ::1 -k "$socket" "$image"
	wrong '--socket-mode and --socket-group go with --socket' --socket-mode 600 "$image"
	wrong '--socket-mode and --socket-group go with --socket' --socket-group root "$image"
	for mode in 8 '' -1 01777 7777 rw 00600; do
		wrong "--socket-mode: '$mode' is not octal permissions, as 660" \
			-k "$socket" --socket-mode="$mode" "$image"
	done
	wrong "--export-name: 'a' is given twice" -x a -x a "$image" "$image"
	wrong '--export-name: 1 names for 2 files' -x a "$image" "$image"
	wrong '--export-name: 2 names for 1 files' -x a -x b "$image"
	wrong '--export-name: is longer than 4096 bytes' -x "$(printf 'x%.0s' {1..4097})" "$image"
	wrong '--description: is longer than 4096 bytes' -D "$(printf 'x%.0s' {1..4097})" "$image"
	wrong '--offset: goes with one FILE only' -o 1 "$image" "$image"
	wrong '--oldstyle: goes with one FILE only' --oldstyle "$image" "$image"
	wrong '--partition: goes with one FILE only' -P 1 "$image" "$image"
	wrong '--partition: does not go with --offset' -P 1 -o 512 "$image"
	wrong '--load-snapshot: is given twice' -l 1 -l 2 "$image"
	wrong "--load-snapshot: 'snapshot.x=1' in 'snapshot.x=1' is not snapshot.id=ID or snapshot.name=NAME" \
		-l snapshot.x=1 "$image"
	wrong "--load-snapshot: 'y' in 'snapshot.id=1,y' is not snapshot.id=ID or snapshot.name=NAME" \
		-l snapshot.id=1,y "$image"
	wrong "--load-snapshot: 'snapshot.id=2' in 'snapshot.id=1,snapshot.id=2' is not snapshot.id=ID or snapshot.name=NAME" \
		-l snapshot.id=1,snapshot.id=2 "$image"
}

# What is well said but cannot be done.
wrong_world()
{
	local long

	set -- -k "$socket" -f raw
	wrong "$work/none: cannot be opened for writing: No such file or directory" "$@" "$work/none"
	wrong "$work/none: cannot be opened: No such file or directory" "$@" -r "$work/none"
	wrong "$work/directory: cannot be opened for writing: Is a directory" "$@" "$work/directory"
	wrong "$work/directory: neither a file nor a block device" "$@" -r "$work/directory"
	wrong "$work/fifo: neither a file nor a block device" "$@" "$work/fifo"
	wrong '/dev/null: neither a file nor a block device' "$@" /dev/null
	wrong '--offset: 1048577: the image has 1048576 bytes' "$@" -o 1048577 "$image"
	wrong '--offset: 2097152: the image has 1048576 bytes' "$@" -o 2M "$image"
	wrong 'partition 1: the image has no partition table' "$@" -P 1 "$image"
	for device in "$image" /dev/null; do
		wrong "$device: not a device of NBD" "$@" -c "$device" "$image"
		wrong "$device: not a device of NBD" -d "$device"
	done
	wrong "$image: images of format raw have no snapshots" "$@" -l 1 "$image"
	wrong "$image: not a qcow2 image" -k "$socket" -f qcow2 "$image"
	printf 'QFI\xfb' >"$work/short"
	wrong "$work/short: too short for a qcow2 image" -k "$socket" -f qcow2 "$work/short"
	wrong "$work/other/image: another file has that name; -x gives others" \
		"$@" "$image" "$work/other/image"
	ln "$image" "$work/link"
	wrong "$work/link: is given twice, and only one export may change it" \
		"$@" -x a -x b "$image" "$work/link"
	wrong "--tls-certificates: $work/other/ca-cert.pem: No such file or directory" \
		"$@" --tls-certificates "$work/other" "$image"
	: >"$work/no-keys"
	wrong "--tls-psk: $work/no-keys: no keys are in it" "$@" --tls-psk "$work/no-keys" "$image"
	# the last one counts, as with qemu-nbd
	wrong "cannot listen on $work/none/socket: No such file or directory" \
		-f qcow2 -f raw -k "$socket" -k "$work/none/socket" "$image"
	wrong 'cannot listen on 192.0.2.1 port 10811: Cannot assign requested address' \
		-f raw -b 127.0.0.1 -b 192.0.2.1 -p 10810 -p 10811 "$image"
	long=/$(printf 'x%.0s' {1..108})
	wrong "the socket $long is longer than 107 bytes" -f raw -k "$long" "$image"
	wrong "cannot listen on $work/none/socket: No such file or directory" \
		-f raw -k "$work/none/socket" "$image"
	wrong "--socket-group: there is no group 'no-such-group'" \
		"$@" --socket-group no-such-group "$image"
	wrong 'cannot listen on 192.0.2.1 port 10809: Cannot assign requested address' \
		-f raw -b 192.0.2.1 "$image"
	: >"$work/file"
	wrong "cannot listen on $work/file: Address already in use" -f raw -k "$work/file" "$image"
	[[ -f $work/file ]] || fail 'a file was taken for a socket'
	cut_image
}

# Direct I/O cannot reach the end of this one.
cut_image()
{
	local message

	truncate -s 1000 "$work/cut"
	if message=$(timeout 10 "$afsx_nbd" -k "$socket" -f raw -n "$work/cut" 2>&1); then
		fail 'an image of 1000 bytes is served with direct I/O'
	fi
	[[ $message == *"is not a multiple of "*", as direct I/O needs" ||
		$message == *'for direct I/O: Invalid argument' ]] || fail "1000 bytes: $message"
}

# Why a name is not known depends on the resolver there is.
no_such_host()
{
	local message

	if message=$(timeout 60 "$afsx_nbd" -f raw -b 'no such host' "$image" 2>&1); then
		fail 'a server listens on no host'
	fi
	[[ $message == "afsx-nbd: --bind: 'no such host': "?* ]] || fail "no such host: $message"
}

wrong_numbers
wrong_words
wrong_world
no_such_host
"$afsx_nbd" --version | grep -q '^afsx-nbd [0-9]' || fail 'no version'
"$afsx_nbd" -V | grep -q '^afsx-nbd [0-9]' || fail 'no version with -V'
cmp <("$afsx_nbd" -h) <("$afsx_nbd" --help) || fail '-h is not --help'
for option in $("$afsx_nbd" --help | grep -o -- '--[a-z-]*' | sort -u); do
	[[ $option == --help || $option == --usage || $option == --version ]] ||
		grep -q -- "^\.B.*${option//-/\\\\-}" "$AFSX_TOP/packaging/man/afsx-nbd.8" ||
		fail "$option is not in the manual"
done
((checks >= 60)) || fail "only $checks command lines"
echo "$checks wrong command lines refused"
