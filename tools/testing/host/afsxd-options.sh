#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Every wrong command line of afsxd ends with status 2 and a sentence that names
# what was wrong, and nothing else happens.
set -euo pipefail

afsxd=${AFSXD:-$AFSX_TOP/build/bin/afsxd}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cases=0
good='--cell example.org --store nbd://localhost'

# wrong SENTENCE OPTION...
wrong()
{
	local sentence=$1 status=0

	shift
	timeout 10 "$afsxd" "$@" >"$work/out" 2>"$work/err" || status=$?
	[[ $status == 2 ]] || { echo "afsxd $*: status $status"; exit 1; }
	grep -qxF -- "afsxd: $sentence" <(sed 's|^[^ ]*/afsxd: |afsxd: |' "$work/err") ||
		{ echo "afsxd $*: no '$sentence' in: $(<"$work/err")"; exit 1; }
	[[ ! -s $work/out ]] || { echo "afsxd $*: says: $(<"$work/out")"; exit 1; }
	cases=$((cases + 1))
}

# Every option that is a number, with its limits.
numbers='
fs-port 1 65535
vl-port 1 65535
threads 2 1024
request-timeout 1 3600
idle-timeout 1 3600
udp-buffer 64 65536
datagram-packets 1 6
max-clients 1 1000000
max-promises 64 100000000
promise-time 30 86400
callback-timeout 6 300
callback-retry 1 3600
max-commands 1 256
grace 0 300
readers 1 256
cache 1 65536
data-cache 1 65536
answer-timeout 1 3600
reconnect 1 3600'

wrong '--cell is missing'
wrong '--cell is missing' --store nbd://localhost
wrong '--store is missing' --cell example.org
wrong "--cell: a name has 1 to 253 characters" --cell ''
wrong "--cell: a name has 1 to 253 characters" --cell "$(printf 'a%.0s' {1..254})"
wrong "--cell: '/' cannot be in a name" --cell a/b
wrong "--cell: ' ' cannot be in a name" --cell 'a b'
wrong "--cell: '.a' is not a domain name" --cell .a
wrong "--cell: 'a..b' is not a domain name" --cell a..b
wrong "--store: '/dev/sda' is not an NBD URI" --store /dev/sda
wrong "--store: 'http://x' is not an NBD URI" --store http://x
wrong "--listen: 'localhost' is not an IPv4 address" --listen localhost
wrong "--listen: '1.2.3.4.5' is not an IPv4 address" --listen 1.2.3.4.5
wrong "--listen: '' is not an IPv4 address" --listen ''
wrong "--listen: 127.0.0.2 is given twice" --listen 127.0.0.2 --listen 127.0.0.2
wrong "--listen: 0.0.0.0 goes with no other" --listen 0.0.0.0 --listen 127.0.0.2
wrong "--listen: 0.0.0.0 goes with no other" --listen 127.0.0.2 --listen 0.0.0.0
mapfile -t many < <(printf -- '--listen\n127.0.1.%d\n' {1..11})
wrong '--listen: more than 10 addresses' "${many[@]}"
wrong "--log-level: 'loud' is not error, warn, info or debug" --log-level loud
wrong "'file': there are options only" file
# shellcheck disable=SC2086	# words
wrong '--fs-port and --vl-port are both 7003' $good --fs-port 7003
wrong "unrecognized option '--bogus'" --bogus
wrong "option '--cell' requires an argument" --cell

while read -r name lowest highest; do
	[[ -n $name ]] || continue
	for value in $((lowest - 1)) $((highest + 1)) x '' 7x 99999999999999999999; do
		wrong "--$name: '$value' is not a number from $lowest to $highest" \
			"--$name=$value"
	done
	"$afsxd" --help | grep -q -- "--$name=" || { echo "no help for --$name"; exit 1; }
done <<<"$numbers"

for program in afsxd afsx-vol; do
	for option in $("$AFSX_TOP/build/bin/$program" --help | grep -o -- '--[a-z-]*' | sort -u); do
		[[ $option == --help || $option == --usage || $option == --version ]] ||
			grep -q -- "^\.B.*${option//-/\\\\-}" \
				"$AFSX_TOP/packaging/man/$program.8" ||
			{ echo "$option is not in the manual of $program"; missing=1; }
	done
done
((!${missing:-0}))

"$afsxd" --version | grep -q '^afsxd [0-9]' || { echo 'no version'; exit 1; }
echo "$cases wrong command lines refused"
