#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 4000
#
# Storms on afsxd and on OpenAFS's own file server: processes of two clients make,
# rename and remove the same names at the same time, and move files of their own
# between directories that all work in. AFSX_WRITING=long: more of everything.
set -euo pipefail
tools/testing/interop/writing-needs
. tools/testing/vm/in-guest.sh --timeout "${AFSX_WRITING:+3}900" --mem 1536 \
	${AFSX_WRITING:+--env AFSX_WRITING="$AFSX_WRITING"} \
	${AFSX_CLIENT:+--env AFSX_CLIENT="$AFSX_CLIENT"}

. tools/testing/interop/servers.sh
names=30
processes=4
files=10
rounds=6
if [[ ${AFSX_WRITING:-} = long ]]; then
	names=500
	processes=12
	files=20
	rounds=20
fi

storm()
{
	"$AFSX_TOP/build/bin/file-storm" "$@"
}

# race KIND DIRECTORY: each process takes the names in turn. Before kafs removes a
# directory it asks for its status; when that is refused, the other client having been
# first, it does not say so: the error of its operation is still what it is born with,
# EDESTADDRREQ.
race()
{
	local lost

	lost=$(say "race $1 in $2" storm race "$1" "$names" "$processes" "/mnt/a/$2" "/mnt/b/$2")
	if [[ $client/$1 = kafs/rmdir ]]; then
		lost=${lost/ EDESTADDRREQ/}
		lost=${lost/%errors:/errors: ENOENT}
	fi
	echo "$lost"
}

# How many names each directory has as a client lists them, and their sum. Who won a
# name by moving it is in the new one, and does not matter.
names_of()
{
	local found

	found=$(cd "$1" && find . -mindepth 2 | sed 's/-by-.*//' | LC_ALL=C sort)
	cut -d / -f 2 <<<"$found" | uniq -c | tr -s '\n ' ' '
	cksum <<<"$found"
}

names_left()
{
	say "names seen by a" names_of /mnt/a
	say "names seen by b" names_of /mnt/b
}

make_races()
{
	mkdir /mnt/a/{files,dirs,links,symlinks}
	touch /mnt/a/links/source
	race create files
	race mkdir dirs
	race link links
	race symlink symlinks
}

remove_races()
{
	say "links made" stat -c %h /mnt/a/links/source /mnt/b/links/source
	race take files
	race rmdir dirs
	race unlink links
	race unlink symlinks
}

shuffle()
{
	mkdir -p /mnt/a/shuffle/d{0..3}
	say "shuffle" storm shuffle "$files" "$rounds" "$processes" \
		/mnt/a/shuffle /mnt/b/shuffle
	say "shuffled, seen by a" storm shuffled "$files" "$rounds" "$processes" \
		/mnt/a/shuffle
	say "shuffled, seen by b" storm shuffled "$files" "$rounds" "$processes" \
		/mnt/b/shuffle
}

# Both clients forget what they know: kafs edits the directories it has, and with two at
# work lists a name twice or not at all, or counts links wrong, whoever serves it.
remount()
{
	umount_both
	mount_both "$server" storm
}

storm_steps()
{
	make_races
	remount
	names_left
	remove_races
	remount
	names_left
	say "links left" stat -c %h /mnt/a/links/source /mnt/b/links/source
	shuffle
	names_left
}

start_servers 512
add_volumes storm 0
for server in openafs afsxd; do
	mount_both "$server" storm
	storm_steps >"$answers/storm.$server"
	umount_both
	check "races on $server" 8 \
		"$(grep -c " $names won once, 0 more often" "$answers/storm.$server")"
	check "moves on $server" 3 "$(grep -c 'shuffle.*; errors: none' "$answers/storm.$server")"
	progress "storm on $server"
done
compare_answers
check "the store" "no problems found" "$(afsxd_cell vol check)"
stop_servers
finish "storms"
