#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Every call that changes something, made by OpenAFS's stubs: what the replies say,
# that a volume which clients made is what the same commands make of a local
# directory, and the code of every refusal.
# shellcheck disable=SC2119,SC2046,SC2086	# functions without arguments; words of FIDs
set -euo pipefail

# shellcheck source=tools/testing/host/afsxd/lib.sh
. "$AFSX_TOP/tools/testing/host/afsxd/lib.sh"

# Abort codes: VNOVNODE, VNOVOL, VOVERQUOTA (which librx makes EDQUOT of),
# RXGEN_SS_UNMARSHAL, then unified errors (unified_afs.h).
novnode=102 novol=103 overquota=122 unmarshal=-453
noent=49733377 exist=49733392 xdev=49733393 notdir=49733395 isdir=49733396
inval=49733397 fbig=49733402 rofs=49733405 nametoolong=49733411 notempty=49733414
acces=49733388 perm=49733376
# Rights: rlidwka
all=127
# Id of callers without a token (ptserver.h: ANONYMOUSID)
anonymous=32766
time=1000000000
none='999998 1'

declare -A fid

# at PATH: its FID
at()
{
	echo "${fid[$1]}"
}

# The last part of a path, and what is before it ("." for the root)
name_of()
{
	echo "${1##*/}"
}

dir_of()
{
	[[ $1 == */* ]] && echo "${1%/*}" || echo .
}

# Words of an answer that begins with a FID
take_fid()
{
	local words

	read -ra words <<<"$answer"
	fid[$1]="${words[*]:0:3}"
}

version_of()
{
	good one stat $(at "$1") 0
	value dv
}

# one_more DIR VERSION: a change makes one version
one_more()
{
	equal "data version of $1" "$(version_of "$1")" $(($2 + 1))
}

make_dir()
{
	local dir before

	dir=$(dir_of "$1")
	before=$(version_of "$dir")
	mkdir -m "${2: -3}" "$local/$1"
	good one mkdir $(at "$dir") "$(name_of "$1")" $((8#$2)) 0 0
	take_fid "$1"
	equal 'type' "$(value type)" 2
	equal 'links' "$(value links)" 2
	equal 'parent' "$(value parent)" "$(cut -d' ' -f2- <<<"$(at "$dir")" | tr ' ' .)"
	one_more "$dir" "$before"
}

make_file()
{
	local dir before

	dir=$(dir_of "$1")
	before=$(version_of "$dir")
	: >"$local/$1"
	chmod "${2: -3}" "$local/$1"
	touch -d "@$time" "$local/$1"
	good one create $(at "$dir") "$(name_of "$1")" $((8#$2)) $time 0
	take_fid "$1"
	equal 'type' "$(value type)" 1
	equal 'size' "$(value size)" 0
	equal 'owner' "$(value owner)" $anonymous
	equal 'author of the directory' "$(value dirauthor)" $anonymous
	one_more "$dir" "$before"
}

make_link()
{
	ln -s "$2" "$local/$1"
	touch -h -d "@$time" "$local/$1"
	good one symlink $(at "$(dir_of "$1")") "$(name_of "$1")" "$2" $((8#777)) $time 0
	take_fid "$1"
	equal 'type' "$(value type)" 3
	equal 'size' "$(value size)" ${#2}
}

# write PATH SEED POS LENGTH [store32]: as StoreData does
write()
{
	local before size file_length

	before=$(version_of "$1")
	size=$(value size)
	file_length=$((size > $3 + $4 ? size : $3 + $4))
	good one "${5:-store}" $(at "$1") "$2" "$3" "$4" $file_length $time 0
	equal "data version of $1" "$(value dv)" $((before + 1))
	equal "size of $1" "$(value size)" $file_length
	good one data $(at "$1") "$2" "$3" "$4"
	pattern "$1" "$2" "$3" "$4"
}

# pattern PATH SEED POS LENGTH: the same data in the local file
pattern()
{
	good one pattern "$local/$1" "$2" "$3" "$4"
	touch -d "@$time" "$local/$1"
}

# cut PATH LENGTH
cut_to()
{
	good one store $(at "$1") 0 "$2" 0 "$2" $time 0
	equal "size of $1" "$(value size)" "$2"
	truncate -s "$2" "$local/$1"
	touch -d "@$time" "$local/$1"
}

names()
{
	local before

	make_dir a 755
	make_dir a/b 700
	make_dir c 1777
	make_file a/file 644
	make_file a/b/other 4711
	make_link a/link ../some/where
	make_link 'long' "$(printf 't%.0s' {1..1023})"
	make_file "$(printf 'n%.0s' {1..255})" 600
	# another name in the same directory
	ln "$local/a/file" "$local/a/hard"
	good one link $(at a) hard $(at a/file) 0
	equal 'links' "$(value links)" 2
	# over an existing file, in the same directory and another
	make_file c/old 644
	before=$(version_of c)
	mv "$local/a/b/other" "$local/c/old"
	good one rename $(at a/b) other $(at c) old 0
	equal 'data version of the target' "$(value todv)" $((before + 1))
	good one stat $(at c/old) $novnode
	fid[c/old]=${fid[a/b/other]}
	good one stat $(at c/old) 0
	equal 'parent' "$(value parent)" "$(cut -d' ' -f2- <<<"$(at c)" | tr ' ' .)"
	make_file c/one 644
	make_file c/two 644
	mv "$local/c/one" "$local/c/two"
	good one rename $(at c) one $(at c) two 0
	fid[c/two]=${fid[c/one]}
	# a directory, also over an empty one
	make_dir c/empty 755
	make_file a/b/inside 644
	mv -T "$local/a/b" "$local/c/empty"
	good one rename $(at a) b $(at c) empty 0
	equal 'links of the source' "$(value fromlinks)" 2
	fid[c/empty]=${fid[a/b]}
	fid[c/empty/inside]=${fid[a/b/inside]}
	good one lookup $(at c/empty) .. 0
	equal '..' "$answer" "$(at c)"
	# removal: the last name, and one of two
	make_file c/gone 644
	rm "$local/c/gone" "$local/a/hard"
	before=$(version_of c)
	good one remove $(at c) gone 0
	equal 'data version of the directory' "$(value dirdv)" $((before + 1))
	good one stat $(at c/gone) $novnode
	good one remove $(at a) hard 0
	good one stat $(at a/file) 0
	equal 'links' "$(value links)" 1
	make_dir c/void 755
	rmdir "$local/c/void"
	good one rmdir $(at c) void 0
	equal 'links of the directory' "$(value dirlinks)" 3
	good one stat $(at c/void) $novnode
	good one tree "$volume" "$local" $all
}

# At block and extent boundaries, inside and behind the end, large and small
data()
{
	local pos

	make_file data 644
	write data 1 0 1
	write data 2 0 100000
	write data 3 4095 2
	write data 4 4096 4096 store32
	write data 5 100 40000 store32
	write data 6 100000 1048576
	for pos in 1048575 1048576 1048577; do
		write data $pos $pos 1048577
	done
	write data 7 5000001 3000000
	good one data $(at data) 0 2097154 100000
	cut_to data 4000000
	cut_to data 1048577
	cut_to data 3000000
	good one data $(at data) 0 1048577 1951423
	cut_to data 5
	cut_to data 0
	make_file large 600
	write large 8 12345 40000000
	cut_to large 20000000
	# shorter than the file, and data behind that: StoreData cuts first
	make_file cut 644
	write cut 9 0 50000
	good one store $(at cut) 10 10000 100 10000 $time 0
	equal 'size' "$(value size)" 10100
	good one data $(at cut) 9 0 10000
	good one data $(at cut) 10 10000 100
	truncate -s 10000 "$local/cut"
	pattern cut 10 10000 100
	# nothing of a StoreData that ends too early
	good one stat $(at cut) 0
	pos=$(value dv)
	good one store-sending $(at cut) 11 0 3000000 3000000 0 $unmarshal 2000000
	good one store-sending $(at cut) 11 0 100 10100 0 $unmarshal 101
	equal 'data version' "$(version_of cut)" "$pos"
	good one tree "$volume" "$local" $all
	online check --data >/dev/null || fail 'the store is damaged'
}

statuses()
{
	# AFS_SETMODTIME 1, AFS_SETOWNER 2, AFS_SETGROUP 4, AFS_SETMODE 8
	make_file status 644
	# for administrators: set-uid, set-gid and sticky bits
	good one set $(at status) 8 0 0 0 $((8#7750)) 0
	equal mode "$(value mode)" 750
	good one set $(at status) 1 4294967295 0 0 0 0
	equal mtime "$(value mtime)" 4294967295
	equal 'mode then' "$(value mode)" 750
	good one set $(at status) 6 0 $anonymous 0 0 0
	good one set $(at status) 2 0 1 0 0 $perm
	good one set $(at status) 4 0 0 1 0 $perm
	good one set $(at .) 8 0 0 0 $((8#1750)) 0
	equal 'mode of a directory' "$(value mode)" 750
	good one set $(at .) 8 0 0 0 $((8#2750)) $acces
	good one set $(at a/link) 8 0 0 0 $((8#644)) $inval
	good one set $(at a/link) 1 5 0 0 0 0
	good one set "$volume" $none 8 0 0 0 $((8#644)) $novnode
	# the mode keeps data from others than the owner, who may be anybody here
	good one set $(at status) 8 0 0 0 1 0
	good one fetch-code $(at status) 0
	good one store $(at status) 1 0 1 1 0 0
	good one remove $(at .) status 0
	rm "$local/status"
	good one set $(at a/link) 1 $time 0 0 0 0
}

refusals()
{
	local long256 root file dir
	long256=$(printf 'n%.0s' {1..256})
	root=$(at .) file=$(at a/file) dir=$(at a)

	good one create $root a 0 0 $exist
	good one create $root - 0 0 $inval
	good one create $root . 0 0 $inval
	good one create $root .. 0 0 $inval
	good one create $root a/x 0 0 $inval
	good one create $root x@sys 0 0 $inval
	good one create $root "$long256" 0 0 $nametoolong
	good one create $file x 0 0 $notdir
	good one create "$volume" $none x 0 0 $novnode
	good one create 7 1 1 x 0 0 $novol
	good one create $((volume + 1)) 1 1 x 0 0 $rofs
	good one mkdir $root a 0 0 $exist
	good one mkdir $file x 0 0 $notdir
	good one mkdir $root x@sys 0 0 $inval
	good one symlink $root a x 0 0 $exist
	good one symlink $root x - 0 0 $inval
	good one symlink $root x "$(printf 't%.0s' {1..1024})" 0 0 $nametoolong
	good one link $root x $file $xdev
	good one link $root x $dir $isdir
	good one link $dir x $(at a/link) $isdir
	good one link $dir file $file $exist
	good one link $dir x $((volume + 3)) 2 2 $xdev
	good one link $dir x "$volume" $none $novnode
	good one remove $root nothing $noent
	good one remove $root a $isdir
	good one remove $root . $inval
	good one remove $file x $notdir
	good one rmdir $root nothing $noent
	good one rmdir $dir file $notdir
	good one rmdir $root a $notempty
	good one rmdir $root .. $inval
	good one rename $root nothing $root x $noent
	good one rename $root a $(at c/empty) x 0
	good one rename $(at c/empty) x $root a 0
	good one rename $root c $(at c/empty) x $inval
	good one rename $root c $root a $notempty
	good one rename $root a $dir file $inval
	good one rename $root data $root a $isdir
	good one rename $root a $root data $notdir
	good one rename $root a $((volume + 3)) 1 1 a $xdev
	good one rename $root a $root . $inval
	good one rename $root a $root x@sys $inval
	good one link $dir twice $file 0
	good one rename $dir twice $root x $xdev
	good one rename $dir twice $dir file 0	# two names of one file
	good one remove $dir twice 0
	good one store $dir 1 0 1 1 0 $isdir
	good one store $(at a/link) 1 0 1 1 0 $isdir
	good one store "$volume" $none 1 0 1 1 0 $novnode
	good one store $((volume + 1)) 1 1 1 0 1 1 0 $rofs
	good one store-sending $file 1 $((2 ** 62)) $((2 ** 62)) 1 0 $fbig 1
	good one setacl $file 0/0/ $notdir
	good one setacl $((volume + 1)) 1 1 0/0/ $rofs
	good one flush-cps $perm
	good one setvol 7 2 100 - - - $novol
	good one setvol $((volume + 1)) 2 100 - - - $rofs
}

# What goes over the quota changes nothing, and what fits again goes on.
quotas()
{
	local used

	good one volume "$volume"
	used=$(value used)
	good one setvol "$volume" 2 $((used + 1000)) - - - 0
	make_file fill 644
	good one store-sending $(at fill) 1 0 1100000 1100000 0 $overquota 1100000
	write fill 1 0 900000
	good one store $(at fill) 2 0 900000 900000 $time 0	# the same again
	good one store $(at fill) 2 900000 200000 1100000 0 $overquota
	good one stat $(at fill) 0
	equal 'size' "$(value size)" 900000
	good one remove $(at .) fill 0
	rm "$local/fill"
	good one volume "$volume"
	(($(value used) <= used + 4)) || fail "$(value used) KiB used, not $used"
	good one setvol "$volume" 2 -1 - - - $inval
	good one setvol "$volume" 0 0 other - - $inval
	good one setvol "$volume" 2 0 changes broken today 0
	good one volume "$volume" broken today
	equal 'quota' "$(value maxquota)" 0
}

need nbdkit
build_programs
make_open_volume 512M changes
fid[.]="$volume 1 1"
local=$work/local
mkdir "$local"
start_server
start_client one 127.0.0.3
names
data
statuses
refusals
quotas
restart
good one data $(at data) 0 0 0
good one tree "$volume" "$local" $all
stop_server
vol check --data >/dev/null || fail 'the store is damaged'
echo "$checks answers as expected"
