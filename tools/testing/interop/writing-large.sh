#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 4000
#
# Files that need offsets of 64 bits, on afsxd and on OpenAFS's own file server with
# the same steps: a sparse one across 2 GiB and 4 GiB, which must answer as a local
# file does. AFSX_WRITING=long: then 3 GiB, streamed in by one client and read back whole
# by the other. In an emulated guest that took 16 minutes on afsxd and 26 on OpenAFS's
# server, all of the test 43; the guest has 14 GiB of memory then.
set -euo pipefail
tools/testing/vm/openafs >/dev/null
memory=1536
if [[ ${AFSX_WRITING:-} = long ]]; then
	memory=14336	# half of it is the most that the files of both servers can have
fi
. tools/testing/vm/in-guest.sh --timeout "${AFSX_WRITING:+3}900" --mem "$memory" \
	${AFSX_WRITING:+--env AFSX_WRITING="$AFSX_WRITING"}

. tools/testing/interop/servers.sh
local=/run/local
made=/run/made
part=64		# MiB; what takes more than 120 s the guest's kernel takes to hang
stream_mib=3072

# compare_local SERVER: all that a local file answers
compare_local()
{
	local status=0

	diff "$local/answers" "$answers/large.$1" || status=$?
	check "answers on $1 beside a local file's" 0 "$status"
}

# make_parts MIB CLIENT CALL: a script that does the call to every part of the file.
make_parts()
{
	local i

	mkdir -p "$made"
	for ((i = 0; i < $1; i += part)); do
		echo "$2 $3 whole ${i}M ${part}M $((i / part + 1))"
	done >"$made/$3.calls"
	echo "$2 stat whole" >>"$made/$3.calls"
}

# run_stream SERVER SCRIPT SIZE...: every answer is ok, or one of these sizes in turn.
run_stream()
{
	run_calls "$1" "$2"
	check "$2 on $1" "$(printf '. stat whole: file 0644 links 1 size %s\n' "${@:3}")" \
		"$(grep -av -e ': ok$' -e '^=' "$answers/$2.$1")"
	rm "$answers/$2.$1"
}

stream()
{
	make_parts "$stream_mib" a write
	make_parts "$stream_mib" b check
	writing=$made run_stream "$1" write $((stream_mib << 20))
	writing=$made run_stream "$1" check $((stream_mib << 20))
	run_stream "$1" whole 3221225472 2147483649
	rm "${directory[b]}/whole"
}

# OpenAFS's file server wants space for all that a sparse file is long.
start_servers 16384
add_volumes large 0
mkdir "$local"
build/bin/file-calls "$writing/large.calls" "a=$local" "b=$local" >"$local/answers"
for server in afsxd openafs; do
	mount_both "$server" large
	run_calls "$server" large
	compare_local "$server"
	[[ ${AFSX_WRITING:-} != long ]] || stream "$server"
	umount_both
done
compare_answers
check "the store" "no problems found" "$(afsxd_cell vol check)"
stop_servers
finish "large files"
