#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 4000
#
# Files that need offsets of 64 bits, on afsxd and on OpenAFS's own file server with
# the same steps: a sparse one across 2 GiB and 4 GiB, which must answer as a local
# file does. AFSX_WRITING=long: then 3 GiB, streamed in by one client and read back
# whole by the other.
set -euo pipefail
tools/testing/vm/openafs >/dev/null
memory=1536
if [[ ${AFSX_WRITING:-} = long ]]; then
	memory=6144
fi
. tools/testing/vm/in-guest.sh --timeout "${AFSX_WRITING:+3}900" --mem "$memory" \
	${AFSX_WRITING:+--env AFSX_WRITING="$AFSX_WRITING"}

. tools/testing/interop/servers.sh
local=/run/local

# compare_local SERVER: all that a local file answers
compare_local()
{
	local status=0

	diff "$local/answers" "$answers/large.$1" || status=$?
	check "answers on $1 beside a local file's" 0 "$status"
}

# stream SERVER: every answer is ok, or a size that follows from what was written.
stream()
{
	run_calls "$1" whole
	check "3 GiB on $1" "$(printf 'b stat whole: file 0644 links 1 size %s\n' \
		3221225472 3221225472 2147483649)" \
		"$(grep -av -e ': ok$' -e '^=' "$answers/whole.$1")"
	rm "${directory[b]}/whole"
}

# OpenAFS's file server wants space for all that a sparse file is long.
start_servers 16384
add_volumes large 0
mkdir "$local"
build/bin/file-calls "$writing/large.calls" "a=$local" "b=$local" >"$local/answers"
for server in openafs afsxd; do
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
