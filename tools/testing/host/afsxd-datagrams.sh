#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A reply of four packets is one datagram once the client is known to take that, and four
# where the administrator says so.
# shellcheck disable=SC2119	# functions without arguments
set -euo pipefail

# shellcheck source=tools/testing/host/afsxd/lib.sh
. "$AFSX_TOP/tools/testing/host/afsxd/lib.sh"

calls=20

datagrams()
{
	good "$1" datagrams
	echo "$answer"
}

# datagrams_of_replies CLIENT: leaves how many came for $calls replies in $came
datagrams_of_replies()
{
	local before i

	good "$1" raw-fs "$request"	# after it the server has nothing to ask
	before=$(datagrams "$1")
	for ((i = 0; i < calls; i++)); do
		good "$1" raw-fs "$request"
		[[ $answer == "0 00000032"* ]] || fail "not 50 statuses: $answer"
	done
	came=$(($(datagrams "$1") - before))
}

build_programs
make_open_volume 64M bulk
request=$(bulk_request "$volume")
start_server
start_client some 127.0.0.3 1
datagrams_of_replies some	# the first one says what the client takes
datagrams_of_replies some
((came <= calls + calls / 10)) || fail "$came datagrams for $calls replies"
restart --datagram-packets 1
datagrams_of_replies some
((came == 4 * calls)) || fail "$came datagrams for $calls replies of four packets"
stop_server
echo "$checks answers, in as many datagrams as they shall"
