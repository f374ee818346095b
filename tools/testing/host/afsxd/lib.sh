# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the tests of afsxd share: a store in memory, a server on it, and clients
# that are told what to do. Everything listens on addresses 127.0.0.x and ports
# of this process alone, and is gone when the test ends.
# shellcheck source=tools/testing/host/lib.sh
. "$AFSX_TOP/tools/testing/host/lib.sh"

# Another build of the server can be tested with AFSXD=PATH.
afsxd=${AFSXD:-$bin/afsxd}
afsx_vol=$AFSX_TOP/build/bin/afsx-vol
work=$(mktemp -d)
server=127.0.0.2
fs_port=$((20000 + $$ % 10000 * 4))
vl_port=$((fs_port + 1))
client_port=$((fs_port + 2))
promise_time=7200
uri="nbd+unix:///?socket=$work/nbd"
control=$work/control
server_pid=
nbd_pid=
declare -A client_pid=() client_in=() client_out=()
# Suppressions for what the Rx library keeps until the end of the process.
export LSAN_OPTIONS=suppressions=$AFSX_TOP/tools/testing/host/afsxd/lsan.supp:print_suppressions=0
# A report of a sanitizer must not look like an exit status of the server's own.
export ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99:print_stacktrace=1

clean_up()
{
	local name

	for name in "${!client_pid[@]}"; do
		kill -KILL "${client_pid[$name]}" 2>/dev/null || true
	done
	[[ -z $server_pid ]] || kill -KILL "$server_pid" 2>/dev/null || true
	[[ -z $nbd_pid ]] || kill "$nbd_pid" 2>/dev/null || true
	wait 2>/dev/null
	rm -rf "$work"
}
trap clean_up EXIT

build_programs()
{
	build host/afsxd
	[[ -x $afsx_vol ]] || skip 'afsx-vol is not built: make tools'
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for()
{
	local until=$((SECONDS + $1))

	shift
	until "$@" 2>/dev/null; do
		((SECONDS < until)) || return 1
		sleep 0.05
	done
}

# serve_nbd PLUGIN ARGUMENT: an export by nbdkit
serve_nbd()
{
	rm -f "$work/nbd"
	nbdkit --foreground --unix "$work/nbd" --exit-with-parent "$@" &
	nbd_pid=$!
	wait_for 60 test -S "$work/nbd" || fail 'nbdkit does not start'
}

# An export of SIZE zero bytes.
start_nbd()
{
	serve_nbd memory "$1"
}

vol()
{
	"$afsx_vol" --store "$uri" "$@"
}

# The same commands inside the server.
online()
{
	"$afsx_vol" --control "$control" "$@"
}

# start_server OPTION...: until clients are served
start_server()
{
	: >"$work/server.log"	# not what the last one said
	"$afsxd" --cell test.example --store "$uri" --listen "$server" \
		--fs-port "$fs_port" --vl-port "$vl_port" --control "$control" \
		--promise-time "$promise_time" --log-level debug "$@" \
		2>"$work/server.log" &
	server_pid=$!
	wait_for 60 grep -q 'msg="\?serving' "$work/server.log" ||
		fail 'the server does not start'
}

# stop_server [SIGNAL]: its exit status must be 0
# shellcheck disable=SC2120	# tests name the signal
stop_server()
{
	local status=0

	kill "-${1:-TERM}" "$server_pid"
	wait "$server_pid" || status=$?
	server_pid=
	((status == 0)) || fail "the server ended with status $status"
}

crash_server()
{
	kill -KILL "$server_pid"
	wait "$server_pid" 2>/dev/null || true
	server_pid=
}

# start_again OPTION...: the server; the clients make new connections to it
start_again()
{
	local name

	start_server "$@"
	for name in "${!client_pid[@]}"; do
		good "$name" reconnect
	done
}

# restart OPTION...
restart()
{
	# shellcheck disable=SC2119
	stop_server
	start_again "$@"
}

# start_client NAME ADDRESS [UUID|mute]
start_client()
{
	local name=$1 in out

	mkfifo "$work/$name.in" "$work/$name.out"
	"$bin/afsxd-client" "$server" "$fs_port" "$vl_port" "$2" "$client_port" \
		"$promise_time" "${3:-0}" <"$work/$name.in" >"$work/$name.out" &
	client_pid[$name]=$!
	disown
	exec {in}>"$work/$name.in" {out}<"$work/$name.out"
	client_in[$name]=$in
	client_out[$name]=$out
}

end_client()
{
	kill -KILL "${client_pid[$1]}"
	unset "client_pid[$1]"
}

# tell NAME COMMAND...: print the answer
tell()
{
	local name=$1 reply

	shift
	echo "$*" >&"${client_in[$name]}"
	read -r -t 180 -u "${client_out[$name]}" reply || fail "$name: no answer to: $*"
	echo "$reply"
}

# good NAME COMMAND...: the answer must be ok; what follows is left in $answer
good()
{
	answer=$(tell "$@")
	[[ $answer == ok* ]] || fail "$*: $answer"
	answer=${answer#ok}
	answer=${answer# }
	checks=$((checks + 1))
}

# value KEY: of the KEY=VALUE words in $answer
value()
{
	sed -n "s/.*\<$1=\([^ ]*\).*/\1/p" <<<"$answer"
}

# make_volume NAME QUOTA-KIB: leaves its id in $volume
make_volume()
{
	vol create --quota "$2" "$1" >/dev/null
	# shellcheck disable=SC2034	# for the tests
	volume=$(vol_id "$1")
}

# make_open_volume SIZE NAME: the only one of a new store, with a .readonly, and
# anyone may do everything in it; leaves its id in $volume
make_open_volume()
{
	start_nbd "$1"
	vol format >/dev/null
	vol create --anyone all "$2" >/dev/null
	# shellcheck disable=SC2034	# for the tests
	volume=$(vol_id "$2")
	vol clone "$2" readonly >/dev/null
}

# vol_id NAME: id of its read/write volume
vol_id()
{
	vol show "$1" | sed -n 's/^id[: =]*\([0-9]*\).*/\1/p'
}

# bulk_request VOLUME: InlineBulkStatus of its root 50 times, for raw-fs
bulk_request()
{
	local i

	printf '%08x' 65536 50
	for ((i = 0; i < 50; i++)); do
		printf '%08x' "$1" 1 1
	done
}
