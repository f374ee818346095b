#!/bin/bash
# SPDX-License-Identifier: MIT
#
# afsx-nbd beside qemu-nbd (raw), nbdkit file and nbdkit memory, each on an image of its
# own in memory, taking turns: nbdcopy both ways and fio, over a Unix socket and TCP. The
# processor's time a server needs for a request is measured too; other load on the machine
# changes that less than the rates. AFSX_BENCH_TRANSPORTS=unix leaves TCP out.
set -euo pipefail
cd "$(dirname "$0")/../../.."
work=$(mktemp -d)
results=$work/results
. tools/testing/bench/lib.sh

transports=${AFSX_BENCH_TRANSPORTS:-unix tcp}
seconds=${AFSX_BENCH_SECONDS:-5}
servers=(afsx-nbd nbdkit-file nbdkit-memory qemu-nbd)
port=$((20000 + $$ % 20000))
image=/dev/shm/bench-nbd.$$
size=512
loads=('randread 4k 1' 'randread 4k 16' 'randwrite 4k 1' 'randwrite 4k 16'
	'read 128k 1' 'read 128k 16' 'write 128k 1' 'write 128k 16')
pid=

end_server()
{
	if [[ -n $pid ]]; then
		kill "$pid"
		wait "$pid" 2>/dev/null || true
		pid=
	fi
}

clean_up()
{
	end_server
	rm -rf "$work" "$image"*
}
trap clean_up EXIT

# start_server NAME TRANSPORT
start_server()
{
	local at=() address=127.0.0.1

	rm -f "$work/nbd"
	cp "$image" "$image.copy"
	uri="nbd+unix:///?socket=$work/nbd"
	[[ $2 == unix ]] || uri=nbd://$address:$port
	case $1 in
	nbdkit-*)
		at=(-U "$work/nbd")
		[[ $2 == unix ]] || at=(-i "$address" -p "$port")
		if [[ $1 == nbdkit-file ]]; then
			nbdkit -f "${at[@]}" file "$image.copy" &
		else
			nbdkit -f "${at[@]}" memory "${size}M" &
		fi ;;
	*)
		at=(-k "$work/nbd")
		[[ $2 == unix ]] || at=(-b "$address" -p "$port")
		[[ $1 == qemu-nbd ]] || set -- build/bin/afsx-nbd
		"$1" -f raw -t -e 16 "${at[@]}" "$image.copy" &
	esac
	pid=$!
	until nbdinfo --size "$uri" >/dev/null 2>&1; do
		sleep 0.05
	done
	[[ $1 != nbdkit-memory ]] || nbdcopy "$image" "$uri"
}

# Microseconds of processor time the server has used.
cpu_time()
{
	local -a stat

	read -ra stat < <(sed 's/.*) //' "/proc/$pid/stat")
	echo $(((stat[11] + stat[12]) * 1000000 / $(getconf CLK_TCK)))
}

# copy WHO FIGURE FROM TO: MB a second
copy()
{
	local start

	start=$(date +%s%N)
	nbdcopy --flush "$3" "$4"
	note "$1" "$2" "$((size * 2 ** 20 * 1000 / ($(date +%s%N) - start)))"
}

# load WHO FIGURE RW BLOCK DEPTH: requests a second, and processor time for each
load()
{
	local used count

	used=$(cpu_time)
	(cd "$work" && fio --name=load --ioengine=nbd --uri="$uri" --rw="$3" --bs="$4" --iodepth="$5" \
		--size="${size}m" --time_based --runtime="$seconds" --output="$work/fio" \
		--output-format=terse --terse-version=3 >/dev/null)
	count=$(awk -F ';' 'NF > 50 { print int(($6 + $47) / bs) }' bs="${4%k}" "$work/fio")
	note "$1" "$2" "$((count / seconds))"
	((count == 0)) || note "$1" "$2, us" \
		"$(awk -v t="$(($(cpu_time) - used))" -v n="$count" 'BEGIN { printf "%.1f", t / n }')"
}

round()
{
	local transport=$1 server=$2 what who=$1-$2

	start_server "$server" "$transport"
	copy "$who" 'copy from' "$uri" null:
	copy "$who" 'copy to' "$image" "$uri"
	for what in "${loads[@]}"; do
		# shellcheck disable=SC2086	# three words
		load "$who" "$what" $what
	done
	end_server
}

head -c "${size}M" /dev/urandom >"$image"
for ((i = 0; i < rounds; i++)); do
	for transport in $transports; do
		for server in "${servers[@]}"; do
			round "$transport" "$server"
		done
	done
	echo "round $((i + 1))" >&2
done
for transport in $transports; do
	for server in "${servers[@]:1}"; do
		table "MB or requests a second, $transport" "$transport-afsx-nbd" \
			"$transport-$server" 'copy from' 'copy to' "${loads[@]}"
		table 'processor time, us a request' "$transport-afsx-nbd" "$transport-$server" \
			"${loads[@]/%/, us}"
	done
done
