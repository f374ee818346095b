#!/bin/bash
# SPDX-License-Identifier: MIT
#
# make-tree makes the same tree twice, and compare-trees finds every kind of
# difference and names the object: a comparer that finds nothing proves nothing.
set -euo pipefail

bin=$AFSX_TOP/build/bin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cases=0

fail()
{
	echo "$*"
	exit 1
}

same_seed_same_tree()
{
	"$bin/make-tree" "$work/one"
	"$bin/make-tree" "$work/two"
	"$bin/make-tree" --seed 2 "$work/three"
	"$bin/compare-trees" --known-types "$work/one" "$work/two"
	"$bin/compare-trees" --write-manifest "$work/manifest" "$work/one" >/dev/null
	"$bin/compare-trees" "$work/manifest" "$work/two" >/dev/null
	"$bin/compare-trees" "$work/one" "$work/manifest" >/dev/null
	if "$bin/compare-trees" "$work/manifest" "$work/three" >/dev/null; then
		fail "another seed made the same tree"
	fi
	(($(find "$work/one" -type f | wc -l) >= 10000)) || fail "too few files"
	(($(find "$work/one" -size +65536k | wc -l) > 0)) || fail "no big file"
}

small_tree()
{
	mkdir -p "$1/directory"
	echo contents >"$1/file"
	echo other >"$1/directory/inner file"
	ln -s target "$1/link"
	find "$1" -exec touch -h -d @1000000000 {} +
}

# expect CHANGE PATH TEXT: after the shell command CHANGE in one of two equal
# trees, compare-trees names PATH and says TEXT, with and without a manifest.
expect()
{
	local change=$1 wanted="$2: $3" left

	rm -rf "$work/a" "$work/b"
	small_tree "$work/a"
	small_tree "$work/b"
	"$bin/compare-trees" --write-manifest "$work/m" "$work/a" >/dev/null
	"$bin/compare-trees" "$work/a" "$work/b" >/dev/null || fail "equal trees differ"
	(cd "$work/b" && eval "$change")
	for left in "$work/a" "$work/m"; do
		if "$bin/compare-trees" "$left" "$work/b" >"$work/out" 2>&1; then
			fail "not found: $change"
		fi
		grep -qF -- "$wanted" "$work/out" ||
			fail "$change: no '$wanted' in: $(<"$work/out")"
	done
	cases=$((cases + 1))
}

keep_times='touch -h -d @1000000000 . file directory link'

find_differences()
{
	expect "echo Contents >file; $keep_times" ./file 'the contents differ'
	expect "echo content >file; $keep_times" ./file 'size 9, 8'
	expect 'touch -d @1000000001 file' ./file 'mtime 1000000000, 1000000001'
	expect 'touch -d @5 directory' ./directory 'mtime 1000000000, 5'
	expect 'touch -h -d @7 link' ./link 'mtime 1000000000, 7'
	expect 'touch -d @9 .' . 'mtime 1000000000, 9'
	expect 'chmod 4644 file' ./file 'mode 0644, 4644'
	expect 'chmod 0700 directory' ./directory 'mode 0755, 0700'
	expect 'rm file' ./file 'is only in'
	expect 'echo x >"new name"' './new\x20name' 'is only in'
	expect 'mv "directory/inner file" directory/x' './directory/inner\x20file' \
		'is only in'
	expect 'rm file; mkdir file' ./file 'type f, d'
	expect 'rm link; echo target >link' ./link 'type l, f'
	expect "ln -sfn targex link; $keep_times" ./link "the link's targets differ"
	expect "ln -sfn targets link; $keep_times" ./link 'size 6, 7'
	expect 'rm file; mkfifo file' ./file 'type f, ?'
	expect 'rm file; ln -s directory file' ./file 'type f, l'
}

# A tree that contradicts itself is not equal to anything: the files of this one
# have contents, and stat says they have none.
find_faults()
{
	local status=0

	"$bin/compare-trees" --write-manifest "$work/m" /proc/self/fdinfo \
		>"$work/out" 2>&1 || status=$?
	((status == 1)) || fail "a tree with faults: status $status"
	grep -q 'bytes, stat says 0$' "$work/out" || fail "no fault in: $(<"$work/out")"
}

refuse_bad_input()
{
	local status=0

	echo 'f 0644 1 2 nonsense ./file' >"$work/bad"
	"$bin/compare-trees" "$work/bad" "$work/a" >/dev/null 2>&1 || status=$?
	((status == 2)) || fail "a bad manifest: status $status"
	status=0
	"$bin/compare-trees" "$work/a" "$work/not-there" >/dev/null 2>&1 || status=$?
	((status == 2)) || fail "a missing tree: status $status"
}

same_seed_same_tree
find_differences
find_faults
refuse_bad_input
echo "$cases kinds of difference found"
