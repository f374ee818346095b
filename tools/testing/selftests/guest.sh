#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 900
#
# What the other tests rest on: a guest hands back the command's output, status
# and files, and never passes when the kernel reported a fault.
set -euo pipefail
vm=tools/testing/vm
bad=0

# expect STATUS TEXT NAME RUN-ARGUMENT...: the status of `run`, and a text it says.
expect()
{
	local status=0 wanted=$1 text=$2 name=$3 log=$TMPDIR/log

	shift 3
	"$vm/run" --keep-log "$TMPDIR/kernel.log" "$@" >"$log" 2>&1 || status=$?
	if [[ $status != "$wanted" || $(<"$log") != *"$text"* ]]; then
		echo "$name: status $status, wanted $wanted and '$text'; said:"
		tail -n 30 "$log"
		bad=1
	fi
}

# build_faults KERNEL: build the module of faults for it, and set `faults`.
build_faults()
{
	faults=$TMPDIR/faults-$1
	cp -r "$vm/faults" "$faults"
	make -s -C "$("$vm/kernel" "$1")/build" M="$faults" ARCH=um modules
}

quick=(--kernel uml-debug --timeout 60)

mkdir "$TMPDIR/out"
expect 0 'a b|c' 'output and arguments' "${quick[@]}" --no-leak-scan -- printf '%s|' 'a b' c
expect 7 '' 'status' "${quick[@]}" --no-leak-scan -- bash -c 'exit 7'
expect 0 'value' 'environment' "${quick[@]}" --no-leak-scan --env SOME=value -- printenv SOME
expect 124 'killed after 5 s' 'time-out' "${quick[@]}" --timeout 5 -- sleep 100
# shellcheck disable=SC2016	# the guest expands it
expect 125 'without a status' 'no status' "${quick[@]}" --no-leak-scan -- bash -c 'kill -9 $PPID'
expect 0 '' 'files' "${quick[@]}" --no-leak-scan --out "$TMPDIR/out" -- \
	bash -c 'echo back >/run/afsx/out/file; echo lost >/etc/afsx-guest-was-here'
[[ $(<"$TMPDIR/out/file") = back ]] || { echo 'the file did not come back'; bad=1; }
[[ ! -e /etc/afsx-guest-was-here ]] || { echo 'the guest wrote to the host'; bad=1; }

build_faults uml-debug
expect 0 '' 'no fault' "${quick[@]}" -- insmod "$faults/faults.ko"
expect 122 'unreferenced object' leak "${quick[@]}" -- insmod "$faults/faults.ko" fault=leak
while read -r name report; do
	expect 122 "$report" "$name" "${quick[@]}" --no-leak-scan -- \
		insmod "$faults/faults.ko" "fault=$name"
done <<'END'
use-after-free KASAN: slab-use-after-free
lock-order possible circular locking
sleep-in-atomic sleeping function called
shift UBSAN: shift-out-of-bounds
warning a warning on purpose
oops Kernel panic
END


# An emulator that breaks its first guest, before the command or after it began.
mkdir "$TMPDIR/bin"
cat >"$TMPDIR/bin/qemu-system-x86_64" <<'END'
#!/bin/bash
log=$(grep -oE '/[^ ]*/kernel\.log' <<<"$*")
[[ $FAULTS -gt $(wc -l <"$TMPDIR/boots") ]] || exec /usr/bin/qemu-system-x86_64 "$@"
echo boot >>"$TMPDIR/boots"
echo '[    1.849373] Oops: int3: 0000 [#1] PREEMPT SMP NOPTI' >"$log"
[[ $BEGUN = 0 ]] || : >"$(dirname "$log")/begun"
END
chmod +x "$TMPDIR/bin/qemu-system-x86_64"
while read -r status faults begun text; do
	: >"$TMPDIR/boots"
	PATH=$TMPDIR/bin:$PATH FAULTS=$faults BEGUN=$begun AFSX_ACCEL=tcg expect "$status" "$text" \
		"$faults faults, begun $begun" --kernel debian -- bash -c 'exit 9'
done <<'END'
9 1 0 once more
123 2 0 once more
123 1 1 the emulator broke the guest
END

exit "$bad"
