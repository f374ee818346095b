#!/bin/bash
# SPDX-License-Identifier: MIT
#
# On a network that loses every fragment of IP, short replies are in single packets after
# a few that had to be repeated.
# shellcheck disable=SC2119	# functions without arguments
set -euo pipefail

# shellcheck source=tools/testing/host/afsxd/lib.sh
. "$AFSX_TOP/tools/testing/host/afsxd/lib.sh"

# ask TIMES: for 50 statuses
ask()
{
	local i

	for ((i = 0; i < $1; i++)); do
		good some raw-fs "$request"
		[[ $answer == '0 00000032'* ]] || fail "not 50 statuses: $answer"
	done
}

if [[ -z ${INSIDE:-} ]]; then
	need ip
	need unshare
	build_programs
	unshare --net true 2>/dev/null || skip 'no network name space can be made'
	INSIDE=y exec unshare --net "$0"
fi

ip link set lo mtu 1500 up
echo 1 >/proc/sys/net/ipv4/ipfrag_low_thresh
echo 1 >/proc/sys/net/ipv4/ipfrag_high_thresh
make_open_volume 64M bulk
request=$(bulk_request "$volume")
start_server
start_client some 127.0.0.3 1
ask 10
grep -q 'datagrams of several packets get lost' "$work/server.log" ||
	fail 'no reply was lost, or nobody noticed'
begin=$SECONDS
ask 30
took=$((SECONDS - begin))
((took <= 5)) || fail "30 replies took $took s"
stop_server
echo "30 replies came in $took s without a fragment"
