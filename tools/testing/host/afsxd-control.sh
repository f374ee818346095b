#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Control commands whose client does not read what they print, or whose source or
# sink is stuck, hold up neither changes by others nor the end of the server.
# shellcheck disable=SC2119	# functions that may do without arguments
set -euo pipefail

# shellcheck source=tools/testing/host/afsxd/lib.sh
. "$AFSX_TOP/tools/testing/host/afsxd/lib.sh"

# unread COMMAND...: a control command nobody reads a word of
unread()
{
	"$afsx_vol" --control "$control" "$@" >"$work/unread" 2>&1 &
	stuck+=($!)
}

end_unread()
{
	local pid

	for pid in "${stuck[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	stuck=()
}
declare -a stuck=()
trap 'end_unread; clean_up' EXIT

# commands_done NUMBER: control commands of a kind the server is done with
commands_done()
{
	(($(grep -c "control command.*command=\"\?$1\"\? " "$work/server.log") >= $2))
}

# Changes that fill the log several times: nothing keeps an old state of the store.
log_begins_anew()
{
	local i

	for i in 1 2 3; do
		online create "copy.$i" >/dev/null
		online import "copy.$i" "$work/many" >/dev/null 2>&1 || return 1
	done
}

shown_to_nobody()
{
	unread show many /
	wait_for 60 commands_done show 1 || fail 'show waits for its reader'
	log_begins_anew || fail 'show keeps the log from being begun anew'
	end_unread
}

imported_for_nobody()
{
	unread import calls "$work/fifos"
	wait_for 60 commands_done import 4 || fail 'import waits for its reader'
	end_unread
}

dumped_for_a_reader()
{
	online dump large >"$work/dump"
	"$AFSX_TOP/tools/testing/host/dump/list-dump" --compare "$work/large" "$work/dump" >&2 ||
		fail 'a dump from the server is wrong'
	checks=$((checks + 1))
}

# A dump is more than is kept for a reader, so it does wait; others do not.
dumped_for_nobody()
{
	unread dump large
	sleep 1
	online set large --motd meanwhile
	online list >/dev/null
	! commands_done dump 2 || fail 'a dump is kept in memory'
	unread restore "$work/silent"
	unread dump large "$work/unheard"
	stop_server
	end_unread
}

stuck_at_the_end()
{
	unread show many /
	unread import calls "$work/fifos"
	wait_for 60 commands_done import 1
	stop_server
	end_unread
}

need nbdkit
build_programs
mkdir "$work/many" "$work/fifos" "$work/large"
(cd "$work/many" && touch a-file-with-a-rather-long-name-{00001..12000})
(cd "$work/fifos" && mkfifo p{0001..3000})
mkfifo "$work/silent" "$work/unheard" "$work/unread"
exec 9<>"$work/unread"	# and never read
head -c 90000000 /dev/urandom >"$work/large/file"
start_nbd 512M
vol format --wal 8M >/dev/null
make_volume calls 0
for name in many large; do
	vol create "$name" >/dev/null
	vol import "$name" "$work/$name" >/dev/null
done
start_server
shown_to_nobody
imported_for_nobody
dumped_for_a_reader
dumped_for_nobody
start_server
stuck_at_the_end
vol check >/dev/null || fail 'the store is damaged'
echo "$checks checks passed"
