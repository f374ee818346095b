#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 4000
#
# Work on a tree of source files, on afsxd and on OpenAFS's own file server with the
# same steps: one client copies it in, the other builds in it, both change and remove
# it. What each client then sees is compared with the same done on a local file system.
# AFSX_WRITING=long: the whole project and headers of the kernel, and all tools are built.
set -euo pipefail
tools/testing/vm/openafs >/dev/null
. tools/testing/vm/in-guest.sh --timeout "${AFSX_WRITING:+3}900" --mem 2048 \
	${AFSX_WRITING:+--env AFSX_WRITING="$AFSX_WRITING"}

. tools/testing/interop/servers.sh
reference=/run/reference
parts=(include tools/lib tools/build.mk tools/testing/{Makefile,tree,interop} fs/afsx/wire)
headers=$(echo "$AFSX_CACHE"/kernels/debian/root/usr/src/linux-headers-*-common)
programs=(make-tree)
made=(empty links names)
makefiles=(testing)
if [[ ${AFSX_WRITING:-} = long ]]; then
	parts=(fs include tools packaging)
	made+=(big lengths sizes)
	makefiles+=(volserver)
	programs=()
fi

get_sources()
{
	mkdir -p "$reference/src"
	(cd "$AFSX_TOP" && cp -r --parents "${parts[@]}" "$reference/src")
	if [[ ${AFSX_WRITING:-} = long ]]; then
		cp -r "$headers"/include/{net,scsi,crypto} "$reference/src"
	fi
}

# build DIRECTORY: with two processes. What comes of it does not depend on where.
build()
{
	local name

	for name in "${makefiles[@]}"; do
		make -s -j2 -C "$1/src/tools/$name" O="$1/out" \
			CFLAGS="-O2 -g -ffile-prefix-map=$1=." \
			"${programs[@]/#/$1/out/bin/}" >/dev/null
	done
}

# What was built, as one line.
built()
{
	local sums

	sums=$(cd "$1/out" && find . -type f ! -name '*.d' -exec sha256sum {} + | LC_ALL=C sort)
	echo "$(wc -l <<<"$sums") files, $(sha256sum <<<"$sums")"
}

# change DIRECTORY: hard and symbolic links, files cut and made longer, names moved
# within a directory and across, a directory over an empty one. The times are those
# of one moment.
change()
{
	local name
	cd "$1/src/tools/lib"

	mkdir old new empty
	for name in *.c; do
		ln "$name" "link-$name"
		ln -s "../$name" "new/to-$name"
	done
	truncate -s 100 link-l*
	truncate -s 100000 link-s*
	for name in *.h; do
		mv "$name" "old/moved-$name"
	done
	mv old new/
	mv new/old/moved-defs.h .
	mv -T new/old empty
	find . -exec touch -h -d @1500000000 {} +
}

# What was built runs from where it is, and does its work there.
run_built()
{
	"$1/out/bin/make-tree" "$1/made" "${made[@]}"
}

remove()
{
	rm -r "$1/src/include" "$1/src/fs" "$1/out" &
	rm -r "$2/src/tools" "$2/made"
	wait $!
	rm -rf "$2/src"
	ls -A "$1" "$2"
}

compare()
{
	build/bin/compare-trees "$@" 2>&1
}

tree_steps()
{
	say "copy" cp -r --preserve=mode,timestamps "$reference/src" /mnt/a
	say "seen by b" compare "$reference/src" /mnt/b/src
	say "build" build /mnt/b
	say "built, seen by a" built /mnt/a
	say "built, seen by b" built /mnt/b
	say "change" eval "(change /mnt/a)"
	say "changed, seen by a" compare --no-link-times "$reference/changed/src" /mnt/a/src
	say "changed, seen by b" compare --no-link-times "$reference/changed/src" /mnt/b/src
	say "files with two names" eval "find /mnt/b/src -type f -links 2 | wc -l"
	say "run" run_built /mnt/a
	say "made, seen by b" compare --no-link-times "$reference/made" /mnt/b/made
	say "remove" remove /mnt/a /mnt/b
}

make_reference()
{
	get_sources
	build "$reference"
	mkdir "$reference/changed"
	cp -a "$reference/src" "$reference/changed"
	(change "$reference/changed")
	run_built "$reference"
	progress "$(find "$reference/src" -type f | wc -l) files of" \
		"$(du -sh "$reference/src" | cut -f1); built $(built "$reference")"
}

make_reference
start_servers 512
add_volumes tree 0
for server in openafs afsxd; do
	mount_both "$server" tree
	tree_steps >"$answers/tree.$server"
	umount_both
	check "built on $server" "$(built "$reference")" \
		"$(sed -n 's/^built, seen by a: //p' "$answers/tree.$server")"
	check "failed on $server" '' "$(grep -a 'status' "$answers/tree.$server" || true)"
	progress "tree on $server"
done
compare_answers
check "the store" "no problems found" "$(afsxd_cell vol check)"
stop_servers
finish "tree"
