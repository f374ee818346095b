#!/bin/bash
# SPDX-License-Identifier: MIT
#
# afsx-nbd as a process: when it ends and with which status, what becomes of its
# socket, what clients are told of a disk that fails, and that it needs no more memory
# the longer it runs; and that servers replace each other unnoticed. AFSX_NBD_SOAK="CONNECTIONS REQUESTS" makes the last part longer.
set -euo pipefail

# shellcheck source=tools/testing/host/nbd/lib.sh
. "$AFSX_TOP/tools/testing/host/nbd/lib.sh"

image=$work/image
truncate -s 8M "$image"

client()
{
	passes "client: $1" python3 "$nbd_dir/lives.py" "$socket" "$1"
}

# A client in the background, that has got as far as it wants.
client_pid=
begin_client()
{
	: >"$work/client"
	python3 "$nbd_dir/lives.py" "$socket" "$1" >"$work/client" 2>&1 &
	client_pid=$!
	wait_for grep -q ready "$work/client"
}

client_ends()
{
	wait "$client_pid" || fail "client: $(<"$work/client")"
}

running()
{
	kill -0 "$server_pid" 2>/dev/null || fail "$1"
	checks=$((checks + 1))
}

ends_with_the_last_client()
{
	start -f raw "$image"
	client probe
	sleep 0.3
	running 'the server ends although nobody used it'
	client leave
	ended 0
	start -f raw "$image"
	client vanish
	ended 0
	start -f raw -e 2 "$image"
	client two
	ended 0
	start -f raw -t "$image"
	client leave
	client leave
	sleep 0.3
	running 'the server ends although it has -t'
	stop
}

ends_by_signals()
{
	local signal

	for signal in TERM INT HUP; do
		start -f raw -t "$image"
		begin_client stay
		kill -"$signal" "$server_pid"
		ended 0
		client_ends
	done
	start -f raw -t --handshake-timeout 3600 "$image"
	begin_client silent
	stop
	client_ends
	start -f raw -t --grace 1 "$image"
	begin_client deaf
	stop
	client_ends
}

# durable FILE FROM TO: every block has what was written last, of a number in between
durable()
{
	python3 - "$@" <<-'END'
		import struct, sys
		path, durable, number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
		with open(path, "rb") as f:
		    for block in range(1024):
		        words = set(struct.unpack(">512Q", f.read(4096)))
		        last = block + (durable - 1 - block) // 1024 * 1024
		        # of a write that was not answered any part may be there
		        for word in words:
		            assert last < 0 or last <= word <= number, (block, last, words)
	END
}

ends_under_load()
{
	local signal from to

	for signal in TERM KILL; do
		rm -f "$image"
		truncate -s 8M "$image"
		start -f raw -t "$@" "$image"
		begin_client load
		sleep 0.7
		kill -"$signal" "$server_pid"
		if [[ $signal == TERM ]]; then
			ended 0
		else
			wait "$server_pid" 2>/dev/null || true
			server_pid=
		fi
		client_ends
		read -r from to < <(tail -n 1 "$work/client")
		((to > 0)) || fail 'the client has written nothing'
		passes "the image after SIG$signal" durable "$image" "$from" "$to"
	done
}

# How the image is accessed makes no difference to that.
ends_under_any_load()
{
	ends_under_load --aio=threads
	rm -f "$socket"
	! dd if="$image" of=/dev/null bs=4096 count=1 iflag=direct status=none 2>/dev/null ||
		ends_under_load -n --aio=io_uring
	[[ -S $socket ]] || fail 'the test wants a socket that was left behind'
	# which is in nobody's way
	start -f raw -t "$image"
	client leave
	stop
}

socket_is_guarded()
{
	local status=0

	start -f raw -t --socket-mode 640 --socket-group daemon "$image"
	equal 'mode and group' "$(stat -c '%a %G' "$socket")" '640 daemon'
	"$afsx_nbd" --no-lock -f raw -k "$socket" "$image" 2>"$work/err" || status=$?
	equal 'a second server on the socket' "$status" 1
	grep -q "cannot listen on $socket: Address already in use" "$work/err" ||
		fail "a second server on the socket: $(<"$work/err")"
	client leave
	stop
}

few_descriptors()
{
	(
		ulimit -n 24
		exec "$plain_nbd" -k "$socket" -f raw -t -e 100 "$image" 2>"$work/server.log"
	) &
	server_pid=$!
	wait_for socket_or_end
	client many
	grep -q 'client not accepted.*Too many open files' "$work/server.log" ||
		fail 'there were descriptors enough'
	stop
}

verbose()
{
	start -f raw -v "$image"
	client leave
	ended 0
	grep -q 'level=debug prog=afsx-nbd msg="client left"' "$work/server.log" ||
		fail '-v does not log what clients do'
	"$afsx_nbd" -k "$socket" "$image" 2>"$work/server.log" &
	server_pid=$!
	wait_for socket_or_end
	client leave
	ended 0
	grep -q "level=warn .*format not given.*image=$image" "$work/server.log" ||
		fail 'no warning that the format was not given'
	checks=$((checks + 1))
}

gone()
{
	! kill -0 "$1" 2>/dev/null
}

in_background()
{
	local pid message pid_file=$work/pid

	passes '--fork' "$afsx_nbd" --fork --pid-file "$pid_file" -f raw -t -k "$socket" "$image"
	equal 'what --fork says' "$(<"$work/out")" ''
	pid=$(<"$pid_file")
	equal 'who has the number' "$(readlink -f "/proc/$pid/exe")" "$(readlink -f "$afsx_nbd")"
	equal 'its session' "$(ps -o sid= -p "$pid" | tr -d ' ')" "$pid"
	equal 'its standard error' "$(readlink "/proc/$pid/fd/2")" /dev/null
	client leave
	if message=$("$afsx_nbd" --fork --pid-file "$work/other" --no-lock -f raw -k "$socket" "$image" 2>&1); then
		fail 'a second server gets the socket'
	fi
	equal 'what is said of it' "$message" "afsx-nbd: cannot listen on $socket: Address already in use"
	[[ ! -e $work/other ]] || fail 'a server that did not start leaves its number'
	kill "$pid"
	wait_for gone "$pid"
	[[ ! -e $pid_file && ! -e $socket ]] || fail 'the socket or the number is left behind'
	if message=$("$afsx_nbd" --fork --pid-file "$work/none/pid" -f raw -k "$socket" "$image" 2>&1); then
		fail 'a server without its file starts'
	fi
	equal 'no such directory' "$message" \
		"afsx-nbd: --pid-file: $work/none/pid: No such file or directory"
	[[ ! -e $socket ]] || fail 'a socket is left behind'
}

# A part of the tests that is a program of its own, for Debian's Python, which has libnbd.
part()
{
	/usr/bin/python3 "$nbd_dir/$1.py" "${@:2}" || fail "$1"
	checks=$((checks + 1))
}

ends_with_the_last_client
ends_by_signals
ends_under_any_load
socket_is_guarded
few_descriptors
verbose
in_background
part activation "$afsx_nbd" "$work" "$image"
part handover "$afsx_nbd" "$work"
passes 'pace-test' "$bin/pace-test"
part faults "$plain_nbd" "$bin/failing-disk.so" "$work"
part relay "$plain_nbd" "$bin/failing-disk.so" "$work" 2000
# the library comes before the sanitizer's
ASAN_OPTIONS+=:verify_asan_link_order=0 \
	part relay "$afsx_nbd" "$bin/failing-disk.so" "$work" 400
part qcow2-faults "$plain_nbd" "$bin/failing-disk.so" "$work"
# shellcheck disable=SC2086	# two numbers
part soak "$plain_nbd" "$work" ${AFSX_NBD_SOAK:-600 40000}
echo "$checks checks"
