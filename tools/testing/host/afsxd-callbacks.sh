#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Callback promises: every client that was promised to hear of a change hears of
# it before the change is acknowledged, and no other; clients that do not answer
# hold nobody up for long, and learn when they are back that they missed something.
# shellcheck disable=SC2119	# functions that may do without arguments
set -euo pipefail

# shellcheck source=tools/testing/host/afsxd/lib.sh
. "$AFSX_TOP/tools/testing/host/afsxd/lib.sh"

# A change of the root directory, inside the server.
changes=0
change()
{
	changes=$((changes + 1))
	online mkmount calls "/mount.$changes" nowhere >/dev/null
}

# hear NAME...: each has heard of the root's change by now, and of nothing else
hear()
{
	local name

	for name in "$@"; do
		good "$name" count callback
		equal "callbacks of $name" "$answer" 1
		good "$name" quiet
	done
}

# watch NAME...: be promised to hear of the root
watch()
{
	local name

	for name in "$@"; do
		good "$name" status "$volume" 1 1 0
		equal "promise to $name" "$(value promise)" "${1:+$promise_time}"
	done
}

first_contact()
{
	local name

	for name in "$@"; do
		good "$name" await asked
		good "$name" await init3
		good "$name" quiet
	done
}

promises_are_kept()
{
	local version

	watch a b c
	version=$(value dv)
	first_contact a b c
	change
	hear a b c
	change			# promised to nobody
	good a quiet
	watch a b
	equal 'data version' "$(value dv)" $((version + 2))
	change
	hear a b
	good c quiet
}

promises_are_given_up()
{
	watch a b c
	good a give-up "$volume" 1 1
	good b give-up-all
	change
	good a quiet
	good b quiet
	hear c
	watch a
	good a give-up-none
	change
	good a quiet
}

clones_change_as_a_whole()
{
	local readonly=$((volume + 1))

	good a status "$readonly" 1 1 0
	good a lookup "$readonly" 1 1 file 0
	good b status "$readonly" 1 1 0
	change
	good a quiet		# the clone is as it was
	online clone calls readonly >/dev/null
	good a await-callback "$readonly" 0 0
	good b await-callback "$readonly" 0 0
	good a quiet
	good b quiet
	good c quiet
	good a lookup "$readonly" 1 1 "mount.$changes" 0
}

dead_clients_cost_once()
{
	local readonly=$((volume + 1))

	good b status "$readonly" 1 1 0
	watch a b c
	kill -STOP "${client_pid[b]}"
	change
	hear a c
	grep -q 'client is down.*127.0.0.4' "$work/server.log" || fail 'b is not down'
	watch a
	change			# without asking b
	hear a
	equal 'times b was found dead' "$(grep -c 'client is down' "$work/server.log")" 1
	online clone calls readonly >/dev/null	# of this b hears when it is back
	good a await-callback "$readonly" 0 0
	kill -CONT "${client_pid[b]}"
	watch b
	good b await-callback "$readonly" 0 0
	good b await init3
	good b count callback	# that of the root, and what waited in its socket
	good b count asked
	change
	hear b
}

restarts_are_told()
{
	watch a
	restart --callback-timeout 6
	watch a b c
	first_contact a b c
	change
	hear a b c
}

# What was promised is lost with the server, and so is nothing that it said.
crashes_are_told()
{
	local version

	watch a b
	version=$(value dv)
	crash_server
	start_again --callback-timeout 6
	watch a b
	equal 'data version' "$(value dv)" "$version"
	first_contact a b
	change
	hear a b
}

# A client that has two addresses is one client.
clients_have_two_addresses()
{
	start_client a2 127.0.0.6 1001
	watch a a2
	good a2 await asked
	good a2 quiet		# not told to forget: it is known
	change
	hear a a2
}

# With room for 64 promises, the oldest of the one who has most of them are broken to
# make room, and nobody else's.
promises_are_bounded()
{
	restart --max-promises 64
	watch b a
	first_contact b a
	good a tree "$many" "$work/source"
	good a await-callback "$volume" 1 1
	good b quiet
	change
	hear b
	good a count callback
}

# With room for four clients, one of an address that has three of five goes.
addresses_are_bounded()
{
	local name

	restart --max-clients 4
	watch a
	first_contact a
	for name in x1 x2 x3; do
		client_port=$((client_port + 1))
		start_client "$name" 127.0.0.12 "20${name#x}"
	done
	watch b x1 x2
	first_contact b x1 x2
	good x1 quiet
	watch x3
	good x1 await init3
	first_contact x3
	good a quiet
	change
	hear a b x2 x3
	good x1 quiet
	end_client x1
	end_client x2
	end_client x3
}

# With room for one client, the other is told to forget.
clients_are_bounded()
{
	restart --max-clients 1
	watch a
	first_contact a
	watch b
	good a await init3
	first_contact b
	good a quiet
	change
	hear b
	good a quiet
}

# A client that takes no callbacks is served, is promised nothing, and is not
# asked at every call.
mute_clients_get_no_promises()
{
	start_client mute 127.0.0.7 mute
	good mute status "$volume" 1 1 0
	equal 'promise to mute' "$(value promise)" 0
	good mute status "$volume" 1 1 0
	equal 'second promise to mute' "$(value promise)" 0
	equal 'times mute was asked' \
		"$(grep -c 'does not take callbacks.*127.0.0.7' "$work/server.log")" 1
}

# silent_client CONNECTION: send a FetchStatus request, and never read
silent_client()
{
	local socket i hex packet=''

	hex=00000001$(printf %06x "$1")00000000010000000100000001010500000000000100000084
	hex+=$(printf %08x "$volume")0000000100000001
	for ((i = 0; i < ${#hex}; i += 2)); do
		packet+="\\x${hex:i:2}"
	done
	exec {socket}<>"/dev/udp/$server/$fs_port"
	printf %b "$packet" >&"$socket"
}

# Clients that never answer cannot take all threads: others are served before the
# time-out of the first of them.
silent_clients_hold_nobody_up()
{
	local i

	restart --threads 4
	watch a
	for i in {1..8}; do
		silent_client "$i"
	done
	watch a
	good a vl calls "$volume" wr
	! grep -q 'does not take callbacks' "$work/server.log" || fail 'a was held up'
	wait_for 60 grep -q 'does not take callbacks' "$work/server.log" ||
		fail 'nobody was silent'
	equal 'busy answers' "$(grep -c 'FS.FetchStatus code=110' "$work/server.log")" 6
}

need nbdkit
build_programs
mkdir "$work/source"
echo contents >"$work/source/file"
touch "$work"/source/many.{1..100}
start_nbd 256M
vol format >/dev/null
make_volume many 0
many=$volume
vol import many "$work/source" >/dev/null 2>&1
make_volume calls 0
vol import calls "$work/source" >/dev/null 2>&1
vol clone calls readonly >/dev/null
start_server --callback-timeout 6
start_client a 127.0.0.3 1001
start_client b 127.0.0.4 1002
start_client c 127.0.0.5 1003
promises_are_kept
promises_are_given_up
clones_change_as_a_whole
dead_clients_cost_once
restarts_are_told
crashes_are_told
clients_have_two_addresses
promises_are_bounded
addresses_are_bounded
clients_are_bounded
mute_clients_get_no_promises
silent_clients_hold_nobody_up
stop_server
echo "$checks answers as expected"
