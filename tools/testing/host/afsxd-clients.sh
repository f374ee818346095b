#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Many clients: whose promises a change breaks, clients that are slow, dead or greedy
# and hold nobody up, and what `afsx-vol status` says of it all.
# shellcheck disable=SC2119,SC2046,SC2086	# functions without arguments; words of FIDs
set -euo pipefail

# shellcheck source=tools/testing/host/afsxd/lib.sh
. "$AFSX_TOP/tools/testing/host/afsxd/lib.sh"

busy=110	# VBUSY

forget_events()
{
	local name kind

	for name; do
		for kind in callback asked init3; do
			good $name count $kind
		done
	done
}

# make COMMAND ARGUMENT...: leaves the FID of what a client made in $made
make()
{
	good "$@"
	made=$(cut -d' ' -f1-3 <<<"$answer")
}

# watch FID: both have a promise for it
watch()
{
	good a stat $1 0
	good b stat $1 0
}

# news FID...: b has heard of these by now, and a, who made the change, of nothing
news()
{
	local fid

	for fid; do
		good b await-callback $fid
	done
	good b quiet
	good a quiet
}

# Who makes a change keeps its promises for what the reply tells it of.
origins()
{
	make a mkdir $root dir 0 0 0
	dir=$made
	make a create $dir file 0 0 0
	file=$made
	make a mkdir $dir sub 0 0 0
	sub=$made
	watch "$root"
	watch "$dir"
	watch "$file"
	watch "$sub"
	forget_events a b
	good a create $dir new 0 0 0
	news "$dir"
	watch "$dir"
	good a store $file 1 0 10 10 0 0
	news "$file"
	watch "$file"
	good a set $file 1 1000 0 0 0 0
	news "$file"
	watch "$file"
	good a setacl $dir '1/0/system:anyuser,127/' 0
	news "$dir"
	watch "$dir"
	good a link $dir hard $file 0
	news "$dir" "$file"
	watch "$dir"
	watch "$file"
	good a rename $dir new $sub new 0
	news "$dir" "$sub"
	watch "$dir"
	watch "$sub"
	good a remove $sub new 0
	news "$sub"
	watch "$sub"
}

# What the reply does not tell is news for the maker, too.
news_for_makers()
{
	good a remove $dir hard 0	# the file has one name less
	news_of_both "$file"
	good b await-callback $dir
	watch "$file"
	watch "$dir"
	good a rename $dir sub $root sub 0	# and another ..
	news_of_both "$sub"
	good b await-callback $dir
	good b await-callback $root
	good a quiet
	good b quiet
}

news_of_both()
{
	good a await-callback $1
	good b await-callback $1
	good a quiet
}

# A promise that was kept still holds: the next change by another is told.
promises_hold()
{
	watch "$dir"
	good a create $dir one 0 0 0
	good b await-callback $dir
	good b create $dir two 0 0 0
	good a await-callback $dir
	good b quiet
}

# status_of NAME: the value of a line
status_of()
{
	online status | sed -n "s/^$1  *\([0-9]*\).*/\1/p"
}

# A client that stops in the middle of its data holds up neither readers nor writers
# of the same file, nor anybody else, and leaves nothing.
slow_senders()
{
	good a store $file 5 0 3000000 3000000 0 0
	good c store-slowly $file 2000000
	wait_for 30 in_progress 1
	good a stat $file 0
	equal size "$(value size)" 3000000
	good a data $file 5 0 3000000
	good b store $file 6 0 1000000 3000000 0 0
	good b create $dir three 0 0 0
	in_progress 1 || fail 'others waited for the slow client'
	online check --data >/dev/null || fail 'the store is damaged while data come'
	end_client c
	wait_for 90 in_progress 0
	good a data $file 6 0 1000000
	good a data $file 5 1000000 2000000
	online check --data >/dev/null || fail 'the store is damaged'
}

# in_progress NUMBER: of calls
in_progress()
{
	[[ $(status_of 'calls in progress') == "$1" ]]
}

# Many changes while a client is dead that was promised to hear of each: it is waited
# for once, and those who live hear of everything meanwhile.
dead_clients()
{
	local i unheard

	start_client d 127.0.0.8 1008
	for i in 1 2 3 4 5 6 7 8; do
		make a mkdir $root "d$i" 0 0 0
		dirs[i]=$made
		good b stat ${dirs[i]} 0
		good d stat ${dirs[i]} 0
	done
	forget_events a b d
	unheard=$(status_of 'callbacks unheard')
	kill -STOP "${client_pid[d]}"
	for i in 1 2 3 4 5 6 7 8; do
		good a create ${dirs[i]} x 0 0 0
		good b await-callback ${dirs[i]}
	done
	good a quiet
	equal 'callbacks unheard' "$(status_of 'callbacks unheard')" $((unheard + 1))
	equal 'times d was found dead' "$(grep -c 'client is down.*127.0.0.8' "$work/server.log")" 1
	kill -CONT "${client_pid[d]}"
	good d stat ${dirs[1]} 0
	good d await init3
}
declare -a dirs

# put_off CLIENT WAITING NAME: with so many calls that wait it is told to come back, and
# others are served, who make NAME
put_off()
{
	wait_for 30 waiting "$2"
	good "$1" stat $file $busy
	good a stat $file 0
	good b create $dir "$3" 0 0 0
	waiting "$2" || fail "others waited for $1"
}

# A client that has all the calls it may have waits, and then is told to; others are
# served.
greedy_clients()
{
	start_client e 127.0.0.9 1009
	restart --threads 4 --client-calls 1
	good e store-slowly $file 20000
	wait_for 30 in_progress 1
	good e store-slowly $file 20000
	put_off e 1 four
	equal 'calls put off' "$(status_of 'calls put off')" 1
	end_client e
	wait_for 90 in_progress 0
}

# The same for an address with many ports: it has four of eight threads at most, and
# two that wait.
greedy_addresses()
{
	local name

	restart --threads 8
	for name in x1 x2 x3 x4; do
		client_port=$((client_port + 1))
		start_client "$name" 127.0.0.12 "20${name#x}"
		good "$name" stat $file 0
		good "$name" store-slowly $file 20000
	done
	wait_for 30 in_progress 4
	good x1 store-slowly $file 20000
	good x4 store-slowly $file 20000
	put_off x2 2 eight
	for name in x1 x2 x3 x4; do
		end_client "$name"
	done
	wait_for 90 in_progress 0
}

# Requests that are never whole: others are served, all the same when they come from
# one client and from several, and in the end they are ended.
half_requests()
{
	start_client h 127.0.0.10 1010
	start_client i 127.0.0.11 1011
	restart --threads 4 --client-calls 1 --request-timeout 3600 --idle-timeout 3600
	good h stat $file 0
	good h half-fs 1
	wait_for 30 in_progress 1
	sleep 0.3
	good h stat $file $busy
	good h half-fs 40
	good a stat $file 0
	restart --threads 4 --request-timeout 3600 --idle-timeout 3600
	good h half-fs 40
	good i half-fs 40
	good a stat $file 0
	good b create $dir seven 0 0 0
	restart --threads 4 --request-timeout 1 --idle-timeout 3600
	good h half-fs 1
	wait_for 30 in_progress 1
	wait_for 60 in_progress 0 || fail 'half a request is waited for'
	good h stat $file 0
	end_client h
	end_client i
}

# What is not there is not promised, so nobody can fill the table with it.
made_up()
{
	local before i

	before=$(status_of promises)
	for i in {2..40..2}; do
		good a stat "$volume" $((9000 + i)) 1 102
	done
	equal promises "$(status_of promises)" "$before"
}

waiting()
{
	[[ $(status_of 'calls waiting') == "$1" ]]
}

# The counters, by what a client did since the server was started
statistics()
{
	local served errors

	restart
	forget_events a b
	for _ in 1 2 3 4 5; do
		good a stat $dir 0
	done
	good b stat $dir 0
	good a stat "$volume" 9998 1 102
	good a store $file 7 0 5000 3000000 0 0
	good a data $file 7 0 5000
	good b create $dir five 0 0 0
	read -r served errors < <(online status | awk '$1 == "FS.FetchStatus" { print $2, $3 }')
	equal 'FetchStatus served' "$served" 7
	equal 'FetchStatus errors' "$errors" 1
	equal 'clients' "$(status_of clients)" 2
	equal 'clients up' "$(status_of 'clients up')" 2
	equal 'data stored' "$(status_of 'data stored')" 5000
	equal 'data fetched' "$(status_of 'data fetched')" 5000
	equal 'promises broken' "$(status_of 'promises broken')" 1
	equal 'callbacks sent' "$(status_of 'callbacks sent')" 1
	equal 'commits' "$(status_of commits)" 2
	(($(status_of 'NBD writes') > 0)) || fail 'no writes are counted'
	! vol status >/dev/null 2>&1 || fail 'a status without a server'
}

need nbdkit
build_programs
start_nbd 256M
vol format >/dev/null
vol create --anyone all clients >/dev/null
volume=$(vol_id clients)
root="$volume 1 1"
start_server --callback-timeout 6
start_client a 127.0.0.3 1001
start_client b 127.0.0.4 1002
start_client c 127.0.0.5 1003
origins
news_for_makers
promises_hold
slow_senders
dead_clients
greedy_clients
greedy_addresses
half_requests
made_up
statistics
stop_server
vol check --data >/dev/null || fail 'the store is damaged'
echo "$checks answers as expected"
