#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Images whose size changes while afsx-nbd serves them: who connects then is told the
# size they have, who was there keeps what they were told, and what is lost is an error.
set -euo pipefail

# shellcheck source=tools/testing/host/nbd/lib.sh
. "$AFSX_TOP/tools/testing/host/nbd/lib.sh"
need nbdinfo nbdcopy qemu-img qemu-io sfdisk

image=$work/image

# sizes WHAT OPTION...
sizes()
{
	passes "$*" python3 "$nbd_dir/size.py" "$afsx_nbd" "$work" "$@"
}

direct_possible()
{
	truncate -s 8192 "$image"
	dd if="$image" of=/dev/null bs=4096 count=1 iflag=direct status=none 2>/dev/null
}

# Clients of others' making, on a server that goes on.
clients_agree()
{
	local size

	rm -f "$image"
	head -c 5000000 /dev/urandom >"$image"
	truncate -s 1M "$work/second"
	start -f raw -t -e 9 "$image" "$work/second"
	for size in 5000000 7M 20000001 3M 0 10000000; do
		truncate -s "$size" "$image"
		equal 'nbdinfo' "$(nbdinfo --size "$uri")" "$(stat -c %s "$image")"
		equal 'nbdinfo --list' "$(nbdinfo --list --json "$uri" | python3 -c '
import json, sys
print(*(e["export-size"] for e in json.load(sys.stdin)["exports"]))')" \
			"$(stat -c %s "$image") 1048576"
		rm -f "$work/copy"
		passes nbdcopy nbdcopy --connections=4 "$uri" "$work/copy"
		passes 'what was copied' cmp "$work/copy" "$image"
		[[ $size == 0 ]] ||
			passes 'qemu-img' qemu-img compare -U -f raw -F raw "$uri" "$image"
	done
	expect 1 'Failed to get' qemu-img resize -q -f raw "$image" 12M
	truncate -s 12M "$image"
	passes 'qemu-io' qemu-io -f raw -c 'write -P 7 11M 1M' -c flush "$uri"
	stop
	passes 'the image' qemu-io -f raw -r -c 'read -P 7 11M 1M' "$image"
	! grep -q failed "$work/out" || fail "the image: $(<"$work/out")"
}

# What does not follow the file: the size is in a header or a table, or what was written
# is elsewhere.
fixed()
{
	truncate -s 0 "$image"
	qemu-img create -q -f qcow2 "$image" 3M
	qemu-io -c 'write -q -P 1 0 3M' "$image"
	truncate -s 8M "$image"
	sizes fixed -f qcow2
	rm -f "$image"
	head -c 8M /dev/urandom >"$image"
	sizes fixed -f raw --snapshot
	rm -f "$image"
	truncate -s 8M "$image"
	printf '%s\n' 'label: dos' 'size=4096' 'size=8000' | sfdisk -q "$image"
	sizes fixed -f raw -P 2
}

sizes changes
sizes changes --aio=threads
sizes changes --discard=unmap --cache=writethrough
if direct_possible; then
	sizes changes --cache=none
	sizes changes --cache=none --aio=threads
	sizes rest --cache=none
else
	echo 'no direct I/O here'
fi
sizes rest
sizes oldstyle
fixed
clients_agree
echo "$checks checks"
