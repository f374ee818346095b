#!/bin/bash
# SPDX-License-Identifier: MIT
#
# afsx-nbd beside qemu-nbd, nbdkit file and nbdkit memory, each on an image of its own in
# memory, taking turns: nbdcopy both ways, fio, and durable writes, over a Unix socket
# and TCP; and beside qemu-nbd with images in qcow2. The processor's time a server needs
# for a request is measured too; other load on the machine changes that less than the
# rates. Ratios are taken in each round, and their medians compared with the aims; what is
# below an aim is listed at the end.
#
# A round takes about 140 seconds. AFSX_BENCH_TRANSPORTS="unix tcp qcow2" are the parts,
# AFSX_BENCH_SECONDS=1 how long each load is.
set -euo pipefail
cd "$(dirname "$0")/../../.."
work=$(mktemp -d)
results=$work/results
. tools/testing/bench/lib.sh

transports=${AFSX_BENCH_TRANSPORTS:-unix tcp qcow2}
seconds=${AFSX_BENCH_SECONDS:-1}
declare -A servers=(
	[unix]='afsx-nbd nbdkit-file nbdkit-memory qemu-nbd'
	[tcp]='afsx-nbd nbdkit-file qemu-nbd'
	[qcow2]='afsx-nbd qemu-nbd'
)
port=$((20000 + $$ % 12000))
image=/dev/shm/bench-nbd.$$
size=256
loads=('randread 4k 1' 'randread 4k 16' 'randwrite 4k 1' 'randwrite 4k 16' 'durable 4k 1'
	'read 128k 1' 'read 128k 16' 'write 128k 1' 'write 128k 16')
figures=('copy from' 'copy to' "${loads[@]}")
pid=

# aim TRANSPORT SERVER FIGURE: how many times what SERVER does is wanted; 0 for any
aim()
{
	case $1-$2:$3 in
	qcow2-*) echo 1 ;;
	*-nbdkit-file:*) echo 1 ;;
	*-qemu-nbd:*' 4k '*) echo 1.5 ;;
	*) echo 0 ;;
	esac
}

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
	local at=() address=127.0.0.1 format=raw

	rm -f "$work/nbd"
	uri="nbd+unix:///?socket=$work/nbd"
	[[ $2 != tcp ]] || uri=nbd://$address:$port
	[[ $2 != qcow2 ]] || format=qcow2
	cp "$image.$format" "$image.copy"
	case $1 in
	nbdkit-*)
		at=(-U "$work/nbd")
		[[ $2 != tcp ]] || at=(-i "$address" -p "$port")
		if [[ $1 == nbdkit-file ]]; then
			nbdkit -f "${at[@]}" file "$image.copy" &
		else
			nbdkit -f "${at[@]}" memory "${size}M" &
		fi ;;
	*)
		at=(-k "$work/nbd")
		[[ $2 != tcp ]] || at=(-b "$address" -p "$port")
		[[ $1 == qemu-nbd ]] || set -- build/bin/afsx-nbd
		"$1" -f "$format" -t -e 16 "${at[@]}" "$image.copy" &
	esac
	pid=$!
	until nbdinfo --size "$uri" >/dev/null 2>&1; do
		sleep 0.05
	done
	[[ $1 != nbdkit-memory ]] || nbdcopy "$image.raw" "$uri"
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

# How many requests a second fio gets done.
fio_rate()
{
	(cd "$work" && fio --name=load --ioengine=nbd --uri="$uri" --rw="$1" --bs="$2" --iodepth="$3" \
		--size="${size}m" --time_based --runtime="$seconds" --output="$work/fio" \
		--output-format=terse --terse-version=3 >/dev/null)
	awk -F ';' 'NF > 50 { print int($8 + $49) }' "$work/fio"
}

# load WHO FIGURE RW BLOCK DEPTH: requests a second, and processor time for each
load()
{
	local used rate _

	used=$(cpu_time)
	if [[ $3 == durable ]]; then
		read -r rate _ < <(build/bench/bin/nbd-load "$uri" fua $((${4%k} * 1024)) "$5" "$seconds")
	else
		rate=$(fio_rate "$3" "$4" "$5")
	fi
	note "$1" "$2" "$rate"
	((rate == 0)) || note "$1" "$2, us" \
		"$(awk -v t="$(($(cpu_time) - used))" -v n="$((rate * seconds))" \
		'BEGIN { printf "%.1f", t / n }')"
}

round()
{
	local transport=$1 server=$2 what who=$1-$2

	start_server "$server" "$transport"
	copy "$who" 'copy from' "$uri" null:
	copy "$who" 'copy to' "$image.raw" "$uri"
	for what in "${loads[@]}"; do
		# shellcheck disable=SC2086	# three words
		load "$who" "$what" $what
	done
	end_server
}

# ratio TRANSPORT SERVER FIGURE: the median, over rounds, of afsx-nbd's figure by SERVER's
ratio()
{
	paste "$results/$1-afsx-nbd/$3" "$results/$1-$2/$3" |
		awk '$2 > 0 { printf "%.2f\n", $1 / $2 }' | sort -g |
		awk '{ v[NR] = $1 } END { print NR ? v[int((NR + 1) / 2)] : "-" }'
}

# Ratios to each server, marked where they are below the aim.
compare()
{
	local transport=$1 figure server got wanted
	local -a others

	read -ra others <<<"${servers[$transport]#* }"
	printf '\n%-24s %10s' "$transport, MB or requests" afsx-nbd
	printf ' %15s' "${others[@]/#/by }"
	echo
	for figure in "${figures[@]}"; do
		printf '%-24s %12s' "$figure" "$(median "$transport-afsx-nbd" "$figure")"
		for server in "${others[@]}"; do
			got=$(ratio "$transport" "$server" "$figure")
			wanted=$(aim "$transport" "$server" "$figure")
			printf ' %14s' "$got"
			if awk -v got="$got" -v wanted="$wanted" 'BEGIN { exit !(got < wanted) }'; then
				printf '*'
				missed+=("$transport, $figure: $got of $wanted times $server")
			else
				printf ' '
			fi
		done
		echo
	done
}

head -c "${size}M" /dev/urandom >"$image.raw"
qemu-img convert -f raw -O qcow2 "$image.raw" "$image.qcow2"
for ((i = 0; i < rounds; i++)); do
	for transport in $transports; do
		for server in ${servers[$transport]}; do
			round "$transport" "$server"
		done
	done
	echo "round $((i + 1)) after $SECONDS s" >&2
done
missed=()
for transport in $transports; do
	compare "$transport"
	read -r _ server _ <<<"${servers[$transport]}"
	table "$transport: processor time" "$transport-afsx-nbd" "$transport-$server" \
		"${loads[@]/%/, us}"
done
printf '\nbelow the aim: %s\n' "${#missed[@]}"
((${#missed[@]} == 0)) || printf '  %s\n' "${missed[@]}"
