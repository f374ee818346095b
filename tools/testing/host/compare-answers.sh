#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The tools that compare two servers see what they are there to see: wrong contents,
# a race that two won or nobody, other answers, and differences that are listed and
# not there.
set -euo pipefail
calls=build/bin/file-calls
storm=build/bin/file-storm
compare=tools/testing/interop/compare-answers
dir=$TMPDIR/files
mkdir "$dir"

die()
{
	echo "$*"
	exit 1
}

# answer_to LINE...: the answer to the last line of a script.
answer_to()
{
	printf '%s\n' "$@" >"$TMPDIR/script"
	"$calls" "$TMPDIR/script" "a=$dir" "b=$dir" | sed -n '$s/.*: //p'
}

# expect ANSWER LINE...
expect()
{
	local got

	got=$(answer_to "${@:2}")
	[[ $got = "$1" ]] || die "${*:2}: $got, expected $1"
}

contents()
{
	expect ok 'a write f 0 100000 1'
	expect ok 'b check f 0 100000 1'
	expect 'differs at 0' 'b check f 0 10 2'
	printf X | dd of="$dir/f" bs=1 seek=70000 conv=notrunc status=none
	expect 'differs at 70000' 'b check f 0 100000 1'
	expect 'ends at 100000' 'b check f 100000 1 1'
	truncate -s 200000 "$dir/f"
	expect ok 'b check f 100000 100000 0'
	expect ENOENT 'a get missing'
	expect "'a\x20\xff'" 'a put g a\x20\xff' 'b get g'
	expect EAGAIN 'a open 0 g +' 'b open 1 g +' 'a flock 0 ex' 'b flock 1 ex'
	expect 'file 0600 links 1 size 2' 'a create s 0600' 'a put s xy' 'b stat s'
	expect ENAMETOOLONG 'a mkdir \256*n 0755'
	expect '2 a\x20b c' 'a mkdir names 0755' 'a create names/a\x20b 0644' \
		'a create names/c 0644' 'a list names'
}

wrong_scripts()
{
	local line

	for line in 'c get f' 'a nonsense' 'a get' 'a get f g' 'a truncate f x' 'a get \q' \
		'a open 10 f r' 'a open 0 f z' 'a' 'a flock 0 me'; do
		echo "$line" >"$TMPDIR/script"
		if "$calls" "$TMPDIR/script" "a=$dir" >"$TMPDIR/out" 2>&1; then
			die "accepted: $line"
		fi
		grep -q "script:1: " "$TMPDIR/out" || die "no line number about: $line"
	done
}

# What nobody could win was there before.
races()
{
	local line

	line=$("$storm" race create 10 4 "$dir" "$dir")
	[[ $line = *'10 won once, 0 more often; errors: EEXIST' ]] || die "$line"
	line=$("$storm" race create 10 4 "$dir" "$dir")
	[[ $line = *' 0 won once, 0 more often; errors: EEXIST' ]] || die "$line"
	mkdir "$TMPDIR/other" "$TMPDIR/third"
	line=$("$storm" race mkdir 10 2 "$TMPDIR/other" "$TMPDIR/third")
	[[ $line = *' 0 won once, 10 more often; errors: none' ]] || die "$line"
	line=$("$storm" race rmdir 10 4 "$TMPDIR/other")
	[[ $line = *' 10 won once, 0 more often; errors: ENOENT' ]] || die "$line"
}

shuffles()
{
	local line name

	mkdir -p "$dir"/shuffle/d{0..3}
	line=$("$storm" shuffle 5 4 3 "$dir/shuffle")
	[[ $line = 'shuffle: 15 files, 4 rounds; errors: none' ]] || die "$line"
	line=$("$storm" shuffled 5 4 3 "$dir/shuffle")
	[[ $line = 'shuffled: 15 files, 4 rounds; errors: none' ]] || die "$line"
	name=$(find "$dir/shuffle" -type f | head -n 1)
	echo other >"$name"
	if line=$("$storm" shuffled 5 4 3 "$dir/shuffle") && [[ $line = *none ]]; then
		die "did not see wrong contents"
	fi
	rm "$name"
	line=$("$storm" shuffled 5 4 3 "$dir/shuffle")
	[[ $line = *ENOENT ]] || die "did not see a missing file: $line"
}

# compared STATUS WANTED: what compare-answers says about one, two and list.
compared()
{
	local status=0

	"$compare" "$TMPDIR/list" s "$TMPDIR/one" "$TMPDIR/two" >"$TMPDIR/out" || status=$?
	[[ $status = "$1" ]] || die "status $status, expected $1: $(<"$TMPDIR/out")"
	grep -qF -- "$2" "$TMPDIR/out" || die "no '$2' in: $(<"$TMPDIR/out")"
}

comparisons()
{
	printf '%s\n' '= part' 'a get f: ok' 'a get g: ENOENT' >"$TMPDIR/one"
	cp "$TMPDIR/one" "$TMPDIR/two"
	: >"$TMPDIR/list"
	compared 0 's: 3 lines, 0 differences listed, 0 wrong'
	sed -i 's/ENOENT/EIO/' "$TMPDIR/two"
	compared 1 'DIFFERENT s: a get g: ENOENT => EIO'
	printf '%s\n' '# why' 's: a get g: ENOENT => EIO' 't: a: b => c' >"$TMPDIR/list"
	compared 0 '1 differences listed, 0 wrong'
	sed -i 's/EIO$/EPERM/' "$TMPDIR/list"
	compared 1 'NOT SEEN s: a get g: ENOENT => EPERM'
	cp "$TMPDIR/one" "$TMPDIR/two"
	: >"$TMPDIR/list"
	echo 'a get h: ok' >>"$TMPDIR/two"
	compared 1 'DIFFERENT s: line 4'
	sed -i '3,$d' "$TMPDIR/two"
	compared 1 'nothing after line 2'
}

contents
wrong_scripts
races
shuffles
comparisons
echo "wrong contents, races and answers are seen"
