#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Access lists: each call is refused without the right it needs and served with it,
# new directories get the list of the one they are in, and lists are set by clients
# who may and by afsx-vol. The server has the authority; no client looks at a list.
# shellcheck disable=SC2119,SC2046,SC2086	# functions without arguments; words of FIDs
set -euo pipefail

# shellcheck source=tools/testing/host/afsxd/lib.sh
. "$AFSX_TOP/tools/testing/host/afsxd/lib.sh"

# Unified errors of EACCES, EINVAL, ENOTDIR (unified_afs.h); rights (prs_fs.h)
acces=49733388 inval=49733397
r=1 w=2 i=4 l=8 d=16 k=32 a=64

# allow RIGHTS: what system:anyuser has in the directory, as a number
allow()
{
	local letters='' n

	for n in 0 1 2 3 4 5 6; do
		(($1 & 1 << n)) && letters+=${names:n:1}
	done
	online setacl rights /dir system:anyuser "${letters:-none}" >/dev/null
}
names=rwildka

# needs RIGHT COMMAND... with CODE in the place of the code: refused without the
# right, whatever others the caller has, served with it and the right to look up
needs()
{
	local right=$1

	shift
	allow $((127 & ~right))
	good one "${@/CODE/$acces}"
	allow $((right | r | l))
	good one "${@/CODE/0}"
}

# A directory with a file that somebody else owns, one of our own, and more.
make_dir()
{
	online import --to dir rights "$work/source" >/dev/null 2>&1
	allow 127
	good one lookup "$volume" 1 1 dir 0
	dir=$answer
	good one lookup $dir other 0
	other=$answer
	good one lookup $dir link 0
	link=$answer
	good one lookup $dir sub 0
	sub=$answer
	online setacl rights dir/sub system:anyuser all >/dev/null
	good one create $dir own $((8#644)) 0 0
	own=$(cut -d' ' -f1-3 <<<"$answer")
}

each_call()
{
	needs $r stat $other CODE
	needs $r fetch-code $other CODE
	needs $l stat $dir CODE
	needs $l fetch-code $dir CODE
	needs $l stat $link CODE
	needs $i create $dir new 0 0 CODE
	needs $i mkdir $dir newdir 0 0 CODE
	needs $i symlink $dir newlink x $((8#777)) 0 CODE
	needs $i link $dir hard $other CODE
	needs $d remove $dir hard CODE
	needs $d rmdir $dir newdir CODE
	needs $w set $other 1 1000 0 0 0 CODE
	needs $w store $other 1 0 1 1 0 CODE
	needs $w lock $other 1 CODE
	good one unlock $other 0
	needs $a setacl $dir "1/0/system:anyuser,127/" CODE
	# a link without execute bits is a mount point
	allow $((127 & ~a))
	good one symlink $dir mount '#x.' $((8#644)) 0 $acces
	allow $((a | i | l))
	good one symlink $dir mount '#x.' $((8#644)) 0 0
	# either of two rights
	allow $((127 & ~(w | k | i)))
	good one lock $other 0 $acces
	allow $k
	good one lock $other 0 0
	allow $w
	good one lock $other 0 0
	good one unlock $other 0
	good one unlock $other 0
	allow $((127 & ~(i | d)))
	good one set $sub 1 1000 0 0 0 0	# which has a list of its own
	good one set $dir 1 1000 0 0 0 $acces
	allow $d
	good one set $dir 1 1000 0 0 0 0
	allow $i
	good one set $dir 1 1000 0 0 0 0
	# the rights are told with the status
	allow $((r | l | k))
	good one stat $other 0
	equal rights "$(value rights)-$(value anyone)" $((r | l | k))-$((r | l | k))
}

renaming()
{
	allow $((127 & ~d))
	good one rename $dir new $sub new $acces
	allow $((127 & ~i))
	good one rename $sub inner $dir inner $acces
	# in another directory, which has all rights: d here is enough, i there
	allow $((d | l))
	good one rename $dir new $sub new 0
	allow $((i | l))
	good one rename $sub new $dir new 0
	# over an existing entry: d there, too
	good one rename $sub inner $dir new $acces
	allow $((i | d | l))
	good one rename $sub inner $dir new 0
}

# Who made a file may fill it without w, but not beyond what its list says now.
owners()
{
	allow $((i | l))
	good one store $own 1 0 100 100 0 0
	good one store $other 1 0 100 100 0 $acces
	good one set $own 8 0 0 0 $((8#4400)) 0
	good one fetch-code $own $acces		# no r
	allow $((w | r | l))
	good one store $own 1 0 100 100 0 $acces	# mode 0400, no i
	good one store $other 1 0 100 100 0 0
	good one set $other 8 0 0 0 $((8#4755)) $acces
	good one set $other 8 0 0 0 $((8#244)) 0
	good one fetch-code $other $acces	# mode 0244, somebody else's
	good one stat $other 0
}

lists()
{
	allow 127
	# a new directory begins with the list of its parent, and then has its own
	good one setacl $dir "2/1/system:anyuser,127/joe,9/jim,2/" 0
	good one mkdir $dir child 0 0 0
	child=$(cut -d' ' -f1-3 <<<"$answer")
	good one acl $child
	equal 'list of the child' "$answer" '2/1/system:anyuser,127/joe,9/jim,2/'
	good one setacl $child "1/0/system:anyuser,73/" 0
	equal 'rights in the child' "$(value rights)" 73
	good one acl $dir
	equal 'list of the parent' "$answer" '2/1/system:anyuser,127/joe,9/jim,2/'
	good one acl $other
	equal 'list of a file' "$answer" '2/1/system:anyuser,127/joe,9/jim,2/'
	# what is denied is not granted
	good one setacl $dir "1/1/system:anyuser,127/system:anyuser,20/" 0
	equal 'rights denied' "$(value rights)" $((127 & ~20))
	good one setacl $dir "0/1/system:anyuser,20/" 0
	equal 'no rights' "$(value rights)" 0
	good one setacl $dir "1/0/system:anyuser,127/" $acces
	allow 127
	# the opcode of later servers
	good one acl $dir
	equal 'list with both' "$answer" '1/1/system:anyuser,127/system:anyuser,20/'
	good one raw-fs "000000a4$(printf %08x $dir)00000018$(printf '1\n0\nsystem:anyuser\t127\n\0' | xxd -p)"
	equal 'code of the new StoreACL' "${answer%% *}" 0
	for list in - 1 1/ 1/0/ 1/0/joe 1/0/joe,1 1/0/joe,x/ 1/0/joe,128/ 0/0/joe,1/ \
		21/0/ 0/21/ 20/1/ -1/0/ 1/0/joe,1//0/ "1/0/$(printf 'j%.0s' {1..64}),1/" \
		1/0/,1/ 1/0/joe,4294967296/; do
		good one setacl $dir "$list" $inval
	done
	good one acl $dir
	equal 'list after all' "$answer" '1/0/system:anyuser,127/'
}

# The same with afsx-vol.
administration()
{
	online setacl rights dir jane rlk >/dev/null
	online setacl --negative rights dir jane w >/dev/null
	online setacl rights /dir system:anyuser write >/dev/null
	equal 'list shown' "$(online show rights dir | grep -E '^(grants|denies)' | tr -s ' ' | tr '\n' /)" \
		'grants system:anyuser rlidwk/grants jane rlk/denies jane w/'
	online setacl rights dir jane none >/dev/null
	online setacl --recursive rights / system:anyuser rla >/dev/null
	good one stat $sub 0
	equal 'rights below' "$(value rights)" $((r | l | a))
	! online setacl rights /dir joe xyz >/dev/null 2>&1 || fail 'rights that are none'
	! online setacl rights /dir joe >/dev/null 2>&1 || fail 'no rights'
	! online setacl rights /dir "$(printf 'j%.0s' {1..64})" all >/dev/null 2>&1 ||
		fail 'a name that is too long'
	! online setacl rights /dir 'j oe' all >/dev/null 2>&1 || fail 'a blank in a name'
	! online setacl rights /nothing joe all >/dev/null 2>&1 || fail 'a path that is not there'
	! online setacl rights.readonly / joe all >/dev/null 2>&1 || fail 'a clone'
	! online create --anyone what new >/dev/null 2>&1 || fail 'rights that are none'
	# the promise is broken when rights change
	good one stat $dir 0
	good one count callback
	allow 127
	good one await-callback $dir
}

# SetVolumeStatus takes the right to administer the root.
volumes()
{
	good one setvol "$volume" 2 0 - - - 0
	online setacl rights / system:anyuser rlidwk >/dev/null
	good one setvol "$volume" 2 0 - - - $acces
}

need nbdkit xxd
build_programs
mkdir -p "$work/source/sub"
echo contents >"$work/source/other"
echo contents >"$work/source/sub/inner"
ln -s target "$work/source/link"
((EUID != 0)) || chown -R 1234 "$work/source"
make_open_volume 128M rights
start_server
start_client one 127.0.0.3
good one mkdir "$volume" 1 1 dir 0 0 0
make_dir
each_call
renaming
owners
lists
administration
volumes
stop_server
echo "$checks answers as expected"
