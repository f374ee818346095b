#!/bin/bash
# SPDX-License-Identifier: MIT
#
# afsxd beside OpenAFS's file server, natively, in namespaces of their own, under the
# same calls of 1, 4 and 16 clients. Their blocks are in files of the same kind in
# memory: OpenAFS's on ext4, afsxd's behind afsx-nbd. Three servers take turns:
#
# afsxd         a change is durable when it is acknowledged
# openafs-sync  the same, as far as OpenAFS can: -sync always on ext4 mounted with
#               -o sync,dirsync, for -sync says nothing of directories and status
# openafs       as it comes: a crash takes back what was acknowledged lately
#
# With them comes the limit: bench-floor, which answers the calls of status at once. More
# than it reaches is out of reach of any server with these callers. AFSX_BENCH_SERVERS may
# have floor (it sleeps while there is nothing to do) and floor-poll (it never does).
#
# To look at a part of it: AFSX_BENCH_SERVERS, AFSX_BENCH_CALLERS and AFSX_BENCH_CALLS
# (status, names, small, big) leave out the others; AFSX_BENCH_CLIENTS=0 the crowd.
# AFSX_BENCH_NBD=nbdkit has nbdkit serve the blocks.
set -euo pipefail
cd "$(dirname "$0")/../../.."
if [[ -z ${AFSX_BENCH_INSIDE:-} ]]; then
	exec env AFSX_BENCH_INSIDE=$$ AFSX_TOP="$PWD" unshare --mount --net --pid --fork \
		--mount-proc --kill-child "$0" "$@"
fi
work=$(mktemp -d)
results=$work/results
. tools/testing/bench/lib.sh

cell=tools/testing/interop/openafs-cell
load=$PWD/build/bench/bin/bench-server
read -ra servers <<<"${AFSX_BENCH_SERVERS:-openafs-sync openafs afsxd floor}"
read -ra callers <<<"${AFSX_BENCH_CALLERS:-1 4 16}"
read -ra calls <<<"${AFSX_BENCH_CALLS:-}"
status=(GetTime FetchStatus 'InlineBulkStatus of 50' StoreStatus)
metadata=("${status[@]}" CreateFile Rename RemoveFile)
bulk=('FetchData 4 KiB' 'StoreData 4 KiB' 'FetchData 1 MiB, MB' 'StoreData 1 MiB, MB')
bases=()	# what afsxd is compared with
floors=()
for server in "${servers[@]}"; do
	case $server in
	openafs*) bases+=("$server") ;;
	floor*) floors+=("$server") ;;
	esac
done
((${#bases[@]})) || bases=(afsxd)
clients=${AFSX_BENCH_CLIENTS:-10000}
image=/dev/shm/bench-server.$AFSX_BENCH_INSIDE

clean_up()
{
	umount /vicepa 2>/dev/null || true
	rm -rf "$image" "$work"
	[[ -z $made_partition ]] || rmdir /vicepa
}

# Directories of the host that OpenAFS writes to are hidden behind empty ones.
set_up_machine()
{
	local dir

	for dir in /var/lib /var/log /run; do
		mount -t tmpfs tmpfs "$dir"
	done
	mkdir /run/upper /run/work
	mount -t overlay overlay /etc \
		-o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work
	ip link set lo up
	ip address add 10.7.0.2/32 dev lo
	ip address add 10.9.0.0/16 dev lo	# of the crowd
	if [[ ! -d /vicepa ]]; then
		mkdir /vicepa
		made_partition=y
	fi
}

new_image()
{
	rm -f "$image"
	dd if=/dev/zero of="$image" bs=1M count=3072 status=none
}

# Servers leave their port, volume and process id in these.
start_openafs()
{
	new_image
	mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0,nodiscard "$image"
	mount -o "loop$1" "$image" /vicepa
	CELL_FILESERVER=$2 "$cell" start >/dev/null
	"$cell" volume bench 0 >/dev/null
	"$cell" acl bench rlidwka
	volume=$("$cell" id bench)
	pid=$(</run/openafs-cell/fileserver.pid)
	port=7000
	address=10.7.0.1
}

stop_openafs()
{
	"$cell" stop
	umount /vicepa
	rm -rf /var/lib/openafs
}

start_afsxd()
{
	new_image
	serve_blocks "$image"
	uri="nbd+unix:///?socket=$work/nbd"
	build/bin/afsx-vol --store "$uri" format >/dev/null
	build/bin/afsx-vol --store "$uri" create --anyone rlidwka bench >/dev/null
	volume=$(build/bin/afsx-vol --store "$uri" list | awk '$NF == "bench" { print $1 }')
	build/bin/afsxd --cell bench.example --store "$uri" --listen 10.7.0.2 \
		--log-level warn --max-clients "$((clients + 100))" 2>"$work/afsxd.log" &
	pid=$!
	port=7000
	address=10.7.0.2
	until ss -Hulpn "sport = :$port" | grep -q "pid=$pid,"; do
		kill -0 "$pid" || { cat "$work/afsxd.log"; exit 1; }
		sleep 0.1
	done
}

stop_afsxd()
{
	kill "$pid"
	wait "$pid"
	end_blocks
}

# start_floor [poll]
start_floor()
{
	build/bench/bin/bench-floor 10.7.0.2 7000 "$@" &
	pid=$!
	port=7000
	address=10.7.0.2
	volume=1
	until ss -Hulpn "sport = :$port" | grep -q "pid=$pid,"; do
		kill -0 "$pid"
		sleep 0.1
	done
}

stop_floor()
{
	kill "$pid"
	wait "$pid" || true
}

start_server()
{
	case $1 in
	floor) start_floor ;;
	floor-poll) start_floor poll ;;
	afsxd) start_afsxd ;;
	openafs) start_openafs '' '' ;;
	openafs-sync) start_openafs ,sync,dirsync '-sync always' ;;
	esac
}

stop_server()
{
	"stop_${1%-*}"
}

# Milliseconds of processor time of the server
processor_ms()
{
	awk '{ print ($14 + $15) * 10 }' "/proc/$pid/stat"
}

# run_load SERVER CALLERS CALLS...: OpenAFS's server sometimes takes its volume offline under
# renames (abort code 106). Then the calls are begun again, with a new one.
run_load()
{
	local tries=3

	until "$load" "$address" "$port" "$volume" "${@:2}" >"$work/figures"; do
		if [[ $1 != openafs* ]] || ! ((--tries)); then
			return 1
		fi
		echo "$1 failed with $2 callers, and is started again" >&2
		stop_server "$1"
		start_server "$1"
		before=0
	done
}

round()
{
	local before nr groups=("${calls[@]}")

	[[ $1 != floor* ]] || groups=(status)
	start_server "$1"
	before=$(processor_ms)
	for nr in "${callers[@]}"; do
		run_load "$1" "$nr" "${groups[@]}"
		note_lines "$1" <"$work/figures"
	done
	note "$1" 'processor, s' "$((($(processor_ms) - before) / 1000))"
	stop_server "$1"
}

status_of()
{
	awk -v "field=$1:" '$1 == field { print $2 }' "/proc/$pid/status"
}

# Memory and threads before and after many clients each have a promise.
crowd()
{
	local before

	start_server "$1"
	before=$(status_of VmRSS)
	"$load" "$address" "$port" "$volume" crowd "$clients"
	note "$1" 'memory at rest, KiB' "$before"
	note "$1" 'memory with them, KiB' "$(status_of VmRSS)"
	note "$1" 'threads' "$(status_of Threads)"
	stop_server "$1"
}

made_partition=
trap clean_up EXIT
openafs=$(tools/testing/vm/openafs)
export AFSX_CACHE=${openafs%/openafs}
set_up_machine
for ((i = 0; i < rounds; i++)); do
	for server in "${servers[@]}"; do
		round "$server"
		echo "round $((i + 1)), $server" >&2
	done
done

for nr in "${callers[@]}"; do
	figures=("${metadata[@]/%/, $nr callers}" "${bulk[@]/%/, $nr callers}")
	for base in "${bases[@]}"; do
		table 'a second' afsxd "$base" "${figures[@]}"
	done
done
figures=()
for nr in "${callers[@]}"; do
	figures+=("${status[@]/%/, $nr callers}")
done
for floor in "${floors[@]}"; do
	for base in "${bases[@]}"; do
		table 'limit, a second' "$floor" "$base" "${figures[@]}"
	done
done
for base in "${bases[@]}"; do
	table 'of the whole server' afsxd "$base" 'processor, s'
done

((clients)) || exit 0
for server in openafs afsxd; do
	crowd "$server"
done
table "$clients clients" afsxd openafs 'memory at rest, KiB' 'memory with them, KiB' threads
