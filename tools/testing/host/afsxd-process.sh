#!/bin/bash
# SPDX-License-Identifier: MIT
#
# afsxd as a process: it needs no privileges, says why it cannot start, ends by
# SIGTERM and SIGINT with its store closed even while it is busy, and guards its
# control socket.
# shellcheck disable=SC2119	# functions that may do without arguments
set -euo pipefail

# shellcheck source=tools/testing/host/afsxd/lib.sh
. "$AFSX_TOP/tools/testing/host/afsxd/lib.sh"

# does_not_start SENTENCE OPTION...: status 1, and the log says why
does_not_start()
{
	local sentence=$1 status=0

	shift
	timeout 60 "$afsxd" --cell test.example --listen "$server" \
		--fs-port "$fs_port" --vl-port "$vl_port" "$@" 2>"$work/failed.log" ||
		status=$?
	[[ $status == 1 ]] || fail "afsxd $*: status $status"
	grep 'level=error' "$work/failed.log" | grep -qF -- "$sentence" ||
		fail "afsxd $*: no '$sentence' in: $(<"$work/failed.log")"
	checks=$((checks + 1))
}

reasons_not_to_start()
{
	does_not_start "$work/nothing" --store "nbd+unix:///?socket=$work/nothing" --reconnect 1
	does_not_start 'cannot listen' --store "$uri" --listen 192.0.2.1
	does_not_start "$work/no/socket: No such file" --store "$uri" --control "$work/no/socket"
	does_not_start 'path is too long' --store "$uri" --control "/$(printf 'x%.0s' {1..200})"
	: >"$work/file"
	does_not_start "$work/file: Address already in use" --store "$uri" --control "$work/file"
	[[ -f $work/file ]] || fail 'a file was taken for a socket and removed'
}

while_another_runs()
{
	does_not_start '' --store "$uri"
	does_not_start '' --store "$uri" --control "$control"
	good one status "$volume" 1 1 0
	online list | grep -q calls || fail 'the first server is disturbed'
}

control_is_guarded()
{
	equal 'mode of the socket' "$(stat -c %a "$control")" 600
	! online nonsense 2>"$work/err" || fail 'a nonsense command succeeds'
	grep -q nonsense "$work/err" || fail "nonsense: $(<"$work/err")"
	[[ $(id -u) == 0 ]] || return 0
	chmod a+x "$work" "$(dirname "$work")"
	chmod 666 "$control"
	! setpriv --reuid 65534 --clear-groups "$afsx_vol" --control "$control" list \
		>"$work/out" 2>"$work/err" || fail 'anybody may give commands'
	grep -q "only the daemon's user" "$work/err" || fail "other user: $(<"$work/err")"
	checks=$((checks + 1))
}

# Stopped while data is on its way to a client that does not take it.
stops_while_busy()
{
	good slow lookup "$volume" 1 1 big 0
	# shellcheck disable=SC2086	# the three words of a FID
	good slow begin-fetch $answer 20000000
	stop_server
}

# More commands than may run at the same time: each has its turn.
commands_take_turns()
{
	local i pids=()

	restart --max-commands 1
	for i in {1..10}; do
		online create "turn.$i" >/dev/null &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || fail 'a command failed'
	done
	equal 'volumes made' "$(online list | grep -c 'turn\.')" 10
}

# As many addresses as there may be: all of them answer, and clients are told all.
listens_on_addresses()
{
	local more=() i

	for i in {20..28}; do
		more+=(--listen "127.0.0.$i")
	done
	restart "${more[@]}"
	good one addrs calls 10
	server=127.0.0.28 start_client other 127.0.0.5
	good other status "$volume" 1 1 0
	good other addrs calls 10
	end_client other
}

# A client that does not take its data loses its call, and no other.
idle_calls_end()
{
	restart --idle-timeout 1
	good slow lookup "$volume" 1 1 big 0
	# shellcheck disable=SC2086	# the three words of a FID
	good slow begin-fetch $answer 20000000
	wait_for 120 grep -q 'FetchData64 code=-' "$work/server.log" || fail 'the call does not end'
	good slow status "$volume" 1 1 0
}

# receive_buffer WANTED: of the file service's socket, bytes; socket(7) says it is twice
# what was asked for. The kernel may have a lower limit than what is wanted.
receive_buffer()
{
	local limit

	limit=$(($(</proc/sys/net/core/rmem_max) / 1024))
	(($1 <= limit)) || { echo "no buffers of $1 KiB here, but of $limit"; return; }
	equal "receive buffer for $1 KiB" \
		"$(ss -Huamn "src $server and sport = :$fs_port" | sed -n 's/.*,rb\([0-9]*\),.*/\1/p')" \
		$((2 * 1024 * $1))
}

# Packets of many clients at once are lost where there is no room for them.
has_room_for_packets()
{
	receive_buffer 2048
	restart --udp-buffer 100
	receive_buffer 100
}

as_nobody()
{
	[[ $(id -u) == 0 ]] || return 0
	chmod a+x "$work" "$(dirname "$work")"
	chmod 666 "$work/nbd"
	mkdir "$work/run"
	chown 65534 "$work/run"
	: >"$work/server.log"	# not what the last one said
	setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all \
		--no-new-privs "$afsxd" --cell test.example --store "$uri" \
		--listen "$server" --fs-port "$fs_port" --vl-port "$vl_port" \
		--control "$work/run/control" 2>"$work/server.log" &
	server_pid=$!
	wait_for 60 grep -q 'msg="\?serving' "$work/server.log" || fail 'does not start as nobody'
	good one status "$volume" 1 1 0
	stop_server INT
	[[ ! -e $work/run/control ]] || fail 'the socket is left behind'
}

need nbdkit setpriv ss
build_programs
mkdir "$work/source"
head -c 20000000 /dev/urandom >"$work/source/big"
start_nbd 256M
vol format >/dev/null
make_volume calls 0
vol import calls "$work/source" >/dev/null 2>&1
reasons_not_to_start
start_server
start_client one 127.0.0.3
start_client slow 127.0.0.4 7
good one status "$volume" 1 1 0
good slow status "$volume" 1 1 0
while_another_runs
control_is_guarded
stops_while_busy
[[ ! -e $control ]] || fail 'the socket is left behind'
start_server
listens_on_addresses
commands_take_turns
idle_calls_end
restart
has_room_for_packets
stop_server INT
as_nobody
vol check >/dev/null || fail 'the store was not closed properly'
echo "$checks checks passed"
