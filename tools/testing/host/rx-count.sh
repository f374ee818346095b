#!/bin/bash
# SPDX-License-Identifier: MIT
#
# rx-count counts what goes over the loopback interface: hand-made packets, laid
# out by OpenAFS doc/txt/rx-spec.txt, must be counted or left alone.
set -euo pipefail

bin=$AFSX_TOP/build/bin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! "$bin/rx-count" -o "$work/out" true 2>"$work/error"; then
	echo "no packet socket here: $(<"$work/error")"
	exit 77
fi

word()
{
	printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) \
		$(($1 >> 8 & 255)) $(($1 & 255))
}

# packet FD CALL SEQ TYPE FLAGS SECURITY OPCODE: send it, on channel 0 of a
# connection that is the same for all. Nobody listens, so the answer to the
# packet before, "port unreachable", may be in the way: then it was not sent.
packet()
{
	local fd=$1 call=$2 seq=$3 type=$4 flags=$5 security=$6 opcode=$7

	until printf %b "$(word 1)$(word 64)$(word "$call")$(word "$seq")$(word 9)$(
		word $((type << 24 | flags << 16 | security)))$(word 1)$(
		word "$opcode")" >&"$fd"; do
		:
	done
}

send_packets()
{
	exec 5<>/dev/udp/127.0.0.1/7000 6<>/dev/udp/127.0.0.1/7003 \
		7<>/dev/udp/127.0.0.1/7009
	packet 5 1 1 1 1 0 132	# FetchStatus
	packet 5 1 1 1 1 0 132	# the same again: a retransmission
	packet 5 2 1 1 5 0 132	# the next call, last packet of its request
	packet 5 3 1 1 1 0 65537	# FetchData64
	packet 5 3 2 1 1 0 7		# its second packet
	packet 5 4 1 2 1 0 132	# an acknowledgement
	packet 5 5 1 1 0 0 132	# data of a server
	packet 5 6 1 1 1 2 132	# a secured call
	packet 6 1 1 1 1 0 527	# GetEntryByNameU
	packet 6 2 1 1 1 0 4711	# no operation known by name
	packet 7 1 1 1 1 0 1		# some other service
}

export -f word packet send_packets
"$bin/rx-count" -o "$work/out" bash -c send_packets 2>"$work/error"
cat >"$work/expected" <<'END'
1 FS (secured)
2 FS FetchStatus
1 FS FetchData64
1 VL GetEntryByNameU
1 VL 4711
1 other 1
7 all calls
END
diff -u "$work/expected" "$work/out"
status=0
"$bin/rx-count" sh -c 'exit 42' 2>/dev/null || status=$?
((status == 42)) || { echo "the command's status became $status"; exit 1; }
echo "calls are counted, other packets are not"
