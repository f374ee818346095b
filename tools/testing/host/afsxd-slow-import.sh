#!/bin/bash
# SPDX-License-Identifier: MIT
#
# An import from a source that hangs: others change the cell meanwhile, the server
# ends when it is told to, and when the source goes on all of it is there.
set -euo pipefail

# shellcheck source=tools/testing/host/afsxd/lib.sh
. "$AFSX_TOP/tools/testing/host/afsxd/lib.sh"

tree=$work/tree
size=3000000
source_pid=
mounted=

let_go()
{
	[[ -z $mounted ]] || umount "$tree/slow"
	[[ -z $source_pid ]] || kill "$source_pid"
	mounted=
	source_pid=
}
trap 'touch "$work/go"; let_go || true; clean_up' EXIT

# A file whose reads say that they began, and end when $work/go is there.
mount_slow()
{
	rm -f "$work/go" "$work/reading" "$work/slow"
	nbdkit --foreground --unix "$work/slow" --exit-with-parent eval \
		get_size="echo $size" \
		pread="touch $work/reading
			until [ -e $work/go ]; do sleep 0.1; done
			head -c \$3 /dev/zero" &
	source_pid=$!
	wait_for 30 test -S "$work/slow" || fail 'nbdkit does not start'
	nbdfuse "$tree/slow/data" "nbd+unix:///?socket=$work/slow" 2>"$work/fuse.log" &
	wait_for 30 mountpoint -q "$tree/slow" || skip "nothing can be mounted: $(<"$work/fuse.log")"
	mounted=1
}

start_import()
{
	online import calls "$tree" >"$work/import" 2>&1 &
	import_pid=$!
	wait_for 60 test -e "$work/reading" || fail "import reads nothing: $(<"$work/import")"
}

others_go_on()
{
	local i

	for i in {1..5}; do
		timeout 60 "$afsx_vol" --control "$control" create "other.$1.$i" >/dev/null ||
			fail 'an import that waits for its source holds up others'
		checks=$((checks + 1))
	done
}

ended_meanwhile()
{
	local was=$ASAN_OPTIONS status=0

	# a thread in the hanging read cannot be looked at for leaks
	export ASAN_OPTIONS=$was:detect_leaks=0
	start_server --grace 1
	start_import
	others_go_on end
	kill "$server_pid"
	wait_for 60 eval "! kill -0 $server_pid" || fail 'SIGTERM does not end the server'
	wait "$server_pid" || status=$?
	server_pid=
	equal 'status' "$status" 0
	wait "$import_pid" && fail 'an import that was interrupted has succeeded'
	export ASAN_OPTIONS=$was
	let_go
}

goes_on()
{
	start_server
	start_import
	others_go_on wait
	touch "$work/go"
	wait "$import_pid" || fail "import: $(<"$work/import")"
	equal 'what was imported' "$(tail -n 1 "$work/import")" \
		"imported 3 files and 1 directories, $((size + 12)) bytes, into calls"
	# shellcheck disable=SC2119
	stop_server
	vol check --data >"$work/check" || fail "$(<"$work/check")"
}

need nbdkit nbdfuse
[[ -w /dev/fuse ]] || skip 'there is no /dev/fuse'
build_programs
mkdir -p "$tree/slow"
echo first >"$tree/a"
echo last- >"$tree/z"
make_open_volume 64M calls
mount_slow
ended_meanwhile
mount_slow
goes_on
echo "imports from a source that hangs: $checks results as expected"
