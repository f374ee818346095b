#!/bin/bash
# SPDX-License-Identifier: MIT
#
# An export that becomes larger while the server of the cell runs: told of it, the server
# uses all of it, while clients fill it, and nothing that they were told is lost.
# shellcheck disable=SC2119,SC2086	# functions without arguments; words of FIDs
set -euo pipefail

# shellcheck source=tools/testing/host/afsxd/lib.sh
. "$AFSX_TOP/tools/testing/host/afsxd/lib.sh"

image=$work/image
diskfull=28	# VDISKFULL, which librx makes ENOSPC of
clients=4
bytes=300000

serve()
{
	serve_nbd file "$image" "$@"
}

serve_afsx_nbd()
{
	rm -f "$work/nbd"
	"$AFSX_TOP/build/bin/afsx-nbd" -t -e 16 -f raw -k "$work/nbd" "$image" &
	nbd_pid=$!
	wait_for 60 test -S "$work/nbd" || fail 'afsx-nbd does not start'
}

# Requests are always under way.
serve_slowly()
{
	serve --filter=log --filter=delay wdelay=20ms logfile="$work/requests"
}

# A connection that is given up has nothing under way that could come late: of those that
# wrote, none asks for anything before all that the one before asked for was answered, and
# all of it was done.
nothing_comes_late()
{
	awk '
	match($0, /connection=[0-9]+ (Read|Write|Flush|Zero|Trim) /) ||
	match($0, /connection=[0-9]+ \.\.\.(Read|Write|Flush|Zero|Trim) /) {
		split(substr($0, RSTART + 11, RLENGTH), part, " ")
		c = part[1]
		if (!(c in first))
			first[c] = NR
		last[c] = NR
		writes[c] += part[2] == "Write"
		most = c > most ? c + 0 : most
	}
	/ \.\.\.[A-Z].* return=/ && !/ return=0/ { late++ }
	END {
		for (c = 1; c <= most; c++) {
			if (!writes[c])
				continue
			if (before && first[c] < last[before])
				late++
			before = c
			nr++
		}
		print nr, late + 0
	}' "$work/requests" >"$work/late"
	equal 'connections that wrote, and came too early' "$(<"$work/late")" "$1 0"
}

stop_nbd()
{
	kill "-$1" "$nbd_pid"
	wait "$nbd_pid" 2>/dev/null || true
	nbd_pid=
}

connections()
{
	grep -c 'connected to the NBD server again' "$work/server.log" || true
}

expect_size()
{
	online show | grep -q "^device *$1 KiB" || fail "not $1 KiB: $(online show)"
	checks=$((checks + 1))
}

# fill NAME: files until there is no room, each in the list of those acknowledged
fill()
{
	local name=$1 number reply words

	for ((number = 0; ; number++)); do
		reply=$(tell "$name" create "$volume" 1 1 "$name.$round.$number" 0 0 0)
		[[ $reply == ok* ]] || break
		read -ra words <<<"$reply"
		reply=$(tell "$name" store ${words[1]} ${words[2]} ${words[3]} $((number + 1)) 0 $bytes $bytes 0 0)
		[[ $reply == ok* ]] || break
		echo "${words[1]} ${words[2]} ${words[3]} $((number + 1))" >>"$work/$name.done"
		[[ ! -e $work/enough ]] || return 0
	done
	[[ $reply == *$diskfull* ]] || fail "$name: $reply"
	echo full >"$work/$name.full"
}

# The clients at once, in the background
begin_filling()
{
	rm -f "$work"/*.full "$work/enough"
	pids=()
	round=$((round + 1))
	for ((n = 1; n <= clients; n++)); do
		fill "c$n" >"$work/c$n.says" &
		pids+=($!)
	done
}

end_filling()
{
	local pid

	for pid in "${pids[@]}"; do
		wait "$pid" || fail "$(cat "$work"/c?.says)"
	done
}
declare -a pids=()
round=0

number_done()
{
	cat "$work"/c?.done 2>/dev/null | wc -l
}

has_done()
{
	(($(number_done) >= $1))
}

all_is_there()
{
	local n words line

	for ((n = 1; n <= clients; n++)); do
		while read -r line; do
			read -ra words <<<"$line"
			good "c$n" data "${words[@]}" 0 $bytes
		done <"$work/c$n.done"
	done
	online check --data >"$work/check" || fail "$(<"$work/check")"
}

nothing_to_do()
{
	local before

	before=$(connections)
	expect 0 'not larger than the 65536 KiB in use' online grow
	equal 'connections' "$(connections)" "$before"
}

# Several times while clients store files; they wait, and no call fails.
grows_under_load()
{
	local mib

	begin_filling
	for mib in 72 80 96; do
		wait_for 60 has_done $(($(number_done) + 5)) || fail 'the clients are stuck'
		truncate -s ${mib}M "$image"
		expect 0 "grown from [0-9]+ to $((mib * 1024)) KiB" online grow
		expect_size $((mib * 1024))
	done
	! compgen -G "$work/*.full" >/dev/null || fail 'full too early to show anything'
	end_filling
	nothing_comes_late 6	# format, create, afsxd, and three more
	# 4 KiB of a MiB or so are for other things
	(($(number_done) * bytes > 70000000)) || fail "only $(number_done) files fit"
	all_is_there
}

full_and_then_not()
{
	local avail

	good c1 volume "$volume"
	avail=$(value avail)
	equal 'largest number of blocks' "$(($(value max) < 98304))" 1
	good c1 create "$volume" 1 1 no-room 0 0 0
	set -- $answer
	good c1 store "$1" "$2" "$3" 1 0 9000000 9000000 0 $diskfull
	truncate -s 128M "$image"
	expect 0 'grown from 98304 to 131072 KiB' online grow
	good c1 store "$1" "$2" "$3" 1 0 9000000 9000000 0 0
	good c1 data "$1" "$2" "$3" 1 0 9000000
	good c1 volume "$volume"
	(($(value avail) > avail + 20000)) || fail "avail: $(value avail) after $avail"
}

# It ends, and a larger one comes: used when the administrator says so, not before.
another_server()
{
	stop_nbd KILL
	truncate -s 150M "$image"
	serve_afsx_nbd
	wait_for 60 grep -q 'the export is larger than before.*new_kib=153600' \
		"$work/server.log" || fail 'the log does not tell of the larger export'
	expect_size 131072
	expect 0 'grown from 131072 to 153600 KiB' online grow
	expect_size 153600
}

# Nor does afsx-nbd have to be started again.
afsx_nbd_goes_on()
{
	local mib before

	before=$(connections)
	begin_filling
	for mib in 155 160; do
		wait_for 60 has_done $(($(number_done) + 3)) || fail 'the clients are stuck'
		truncate -s ${mib}M "$image"
		expect 0 "grown from [0-9]+ to $((mib * 1024)) KiB" online grow
		expect_size $((mib * 1024))
		expect 0 "not larger than the $((mib * 1024)) KiB" online grow
	done
	touch "$work/enough"
	end_filling
	equal 'connections' "$(connections)" $((before + 2))
	all_is_there
	stop_nbd TERM
	serve
}

# The connection there is stays in use.
smaller_ones_are_refused()
{
	local before

	before=$(connections)
	truncate -s 150M "$image"
	expect 1 'smaller: 153600 KiB, of 163840' online grow
	equal 'connections' "$(connections)" "$before"
	truncate -s 160M "$image"
	good c1 create "$volume" 1 1 after-smaller 0 0 0
}

# A server that serves nobody else has to be started again.
one_connection_only()
{
	stop_nbd KILL
	serve --filter=limit limit=1
	good c1 create "$volume" 1 1 alone 0 0 0
	truncate -s 170M "$image"
	expect 1 'no second connection' online grow
	good c1 create "$volume" 1 1 still-alone 0 0 0
	stop_nbd KILL
	serve --filter=limit limit=1
	good c1 create "$volume" 1 1 alone-again 0 0 0
	expect 0 'grown from 163840 to 174080 KiB' online grow
}

# The superblocks as well: another server, and a restart.
what_was_told_is_there()
{
	stop_nbd KILL
	serve
	all_is_there
	stop_server
	expect 0 'no problems found' vol check --data
	expect 0 'not larger than the 174080 KiB' vol grow
	truncate -s 180M "$image"
	stop_nbd TERM
	serve
	expect 0 'device *174080 KiB' vol show
	expect 0 'grown from 174080 to 184320 KiB' vol grow
	expect 0 'device *184320 KiB' vol show
	expect 0 'no problems found' vol check --data
	stop_nbd TERM
	truncate -s 190M "$image"
	serve --readonly
	expect 1 'the export is read-only' vol grow
}

need nbdkit
nbdkit --dump-plugin --filter=delay --filter=limit file >/dev/null 2>&1 ||
	skip 'nbdkit lacks the delay or the limit filter'
build_programs
truncate -s 64M "$image"
serve_slowly
vol format >/dev/null
vol create --anyone all grow >/dev/null
volume=$(vol_id grow)
start_server
for ((n = 1; n <= clients; n++)); do
	start_client "c$n" 127.0.0.$((n + 2)) $((1000 + n))
done
nothing_to_do
grows_under_load
full_and_then_not
another_server
afsx_nbd_goes_on
smaller_ones_are_refused
one_connection_only
what_was_told_is_there
echo "an export that grows: $checks results as expected"
