#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Requests that are cut short, too long, out of range or no requests at all are
# refused with the protocol's codes, and the server goes on.
# shellcheck disable=SC2119	# functions that may do without arguments
set -euo pipefail

# shellcheck source=tools/testing/host/afsxd/lib.sh
. "$AFSX_TOP/tools/testing/host/afsxd/lib.sh"

# RXGEN_SS_UNMARSHAL, RXGEN_OPCODE; the unified errors of EINVAL, ENAMETOOLONG
unmarshal=-453 opcode=-455 inval=49733397 nametoolong=49733411

# refused CODE SERVICE HEX...
refused()
{
	local code=$1 service=$2

	shift 2
	good one "raw-$service" "$@"
	equal "answer to $*" "$answer" "$code"
}

word()
{
	printf %08x "$1"
}

# A whole request, cut after every byte, and with more behind it.
cut_and_extended()
{
	local service=$1 request=$2 length

	for ((length = 0; length < ${#request}; length += 2)); do
		refused "$unmarshal" "$service" "${request:0:length}"
	done
	refused "$unmarshal" "$service" "${request}00"
	refused "$unmarshal" "$service" "${request}00000000"
}

malformed()
{
	local fid

	fid=$(word "$volume")$(word 1)$(word 1)
	cut_and_extended fs "00000084$fid"
	cut_and_extended fs "00010001$fid$(word 0)$(word 0)$(word 0)$(word 1)"
	cut_and_extended fs "00000095$(word "$volume")"
	cut_and_extended vl "0000020f0000000563616c6c73000000"
	cut_and_extended vl "0000020e$(word "$volume")ffffffff"
	# No, too many, and more than came: FIDs of a bulk call
	refused "$inval" fs "0001000000000000"
	refused "$unmarshal" fs "0001000000000033$(printf "$fid%.0s" {1..51})"
	refused "$unmarshal" fs "0001000000000002$fid"
	refused "$unmarshal" fs "00010000ffffffff$fid"
	# A name that is longer than it says, too long, or has a NUL in it
	refused "$unmarshal" fs "000000a1${fid}00000fff61616161"
	refused "$unmarshal" fs "000000a1${fid}00000104$(printf '61%.0s' {1..260})"
	refused "$nametoolong" fs "000000a1${fid}00000100$(printf '61%.0s' {1..256})"
	refused "$unmarshal" fs "000000a1${fid}0000000361006100"
	# A link's target with a NUL in it
	refused "$unmarshal" fs "0000008b${fid}0000000161000000" \
		"0000000362006300$(printf '00%.0s' {1..24})"
	# Offsets below 0
	refused "$unmarshal" fs "00000082${fid}ffffffff00000001"
	refused "$unmarshal" fs "00010001${fid}ffffffffffffffff0000000000000001"
	refused "$unmarshal" fs "00010001${fid}0000000000000000ffffffffffffffff"
}

unknown()
{
	local code

	for code in 0 1 129 204 206 65538000 4294967295; do
		refused "$opcode" fs "$(word "$code")"
		refused "$opcode" vl "$(word "$code")"
	done
	refused "$opcode" fs 0000020f0000000563616c6c73000000	# a VL call
	refused "$opcode" vl "00000084$(word "$volume")0000000100000001"
}

# More than a server should read
endless()
{
	good one zeros-fs 132 5000000
	equal 'answer to 5 MB' "$answer" "$unmarshal"
	good one zeros-fs 65536 5000000
	equal 'answer to a bulk call of 5 MB' "$answer" "$unmarshal"
}

# Datagrams that are no Rx packets, and headers without sense
noise()
{
	local type port

	for port in "$fs_port" "$vl_port"; do
		good one datagram "$port"
		good one datagram "$port" 00
		for type in {0..20} 255; do
			good one datagram "$port" "00000001000000400000000100000001" \
				"00000001$(printf %02x "$type")ff000000000001"
			good one datagram "$port" "00000001000000400000000100000001" \
				"00000001$(printf %02x "$type")0500000000000100000084"
		done
		good one noise "$port" 3000 "$port"
	done
}

need nbdkit
build_programs
start_nbd 128M
vol format >/dev/null
make_volume calls 0
start_server
start_client one 127.0.0.3
good one status "$volume" 1 1 0
malformed
unknown
endless
noise
good one status "$volume" 1 1 0
good one vl calls "$volume" w
kill -0 "$server_pid" || fail 'the server is gone'
stop_server
echo "$checks requests answered as they should be"
