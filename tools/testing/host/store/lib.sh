# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the tests of the store share: programs under ASan and UBSan, NBD servers
# on a Unix socket, and judging of what afsx-vol says. Processes end with the
# test.
# shellcheck source=tools/testing/host/lib.sh
. "$AFSX_TOP/tools/testing/host/lib.sh"

work=$(mktemp -d)
socket=$work/nbd
uri="nbd+unix:///?socket=$socket"
server_pid=

clean_up()
{
	stop_server TERM
	rm -rf "$work"
}

# Start an NBD server in the background and wait until it listens.
start_server()
{
	rm -f "$socket"
	"$@" >"$work/server.log" 2>&1 &
	server_pid=$!
	# the file is there before anybody may connect; the flag says that one may
	while ! grep -q " 00010000 .* $socket\$" /proc/net/unix; do
		kill -0 "$server_pid" 2>/dev/null || fail "server: $(<"$work/server.log")"
		sleep 0.05
	done
}

start_nbdkit()
{
	start_server nbdkit -f -U "$socket" "$@"
}

stop_server()
{
	if [[ -n $server_pid ]]; then
		kill "-$1" "$server_pid" 2>/dev/null || true
		wait "$server_pid" 2>/dev/null || true
		server_pid=
	fi
}

vol()
{
	"$bin/afsx-vol" --store "$uri" "$@"
}

expect_sound()
{
	expect 0 'no problems found' vol check --data
}

trap clean_up EXIT
trap 'exit 130' INT TERM
build host/store
