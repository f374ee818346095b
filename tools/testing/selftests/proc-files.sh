#!/bin/bash
# SPDX-License-Identifier: MIT
# time-limit: 120
#
# /proc/fs/afsx: what can be written to it and what not, per network namespace,
# and the module parameters that say the same.
set -euo pipefail
. tools/testing/vm/in-guest.sh --kernel uml-debug --timeout 100
. tools/testing/selftests/mounts.bash

invalid='Invalid argument'
long=$(printf 'c%.0s' {1..254})

cells()
{
	awk 'NR > 1 { printf "%s %s %s;", $1, $2, $4 }' $proc/cells
}

# Commands to `cells`, their error, and then all the cells.
cells_file()
{
	local command error after

	while IFS='|' read -r command error after; do
		check "cells: '$command'" "$error" "$(write_to $proc/cells "$command")"
		check "cells after '$command'" "$after" "$(cells)"
	done <<-END
	add a.b 192.0.2.1|no error|config 1 a\.b;
	add  a.b	192.0.2.1:192.0.2.2|no error|config 2 a\.b;
	add A.B 192.0.2.3|no error|config 1 a\.b;
	add|$invalid|config 1 a\.b;
	add |$invalid|config 1 a\.b;
	remove a.b|$invalid|config 1 a\.b;
	Add c.d 192.0.2.1|$invalid|config 1 a\.b;
	add c.d 192.0.2.1 more|$invalid|config 1 a\.b;
	add c.d 192.0.2|$invalid|config 1 a\.b;
	add c.d 192.0.2.256|$invalid|config 1 a\.b;
	add c.d 192.0.2.1:|$invalid|config 1 a\.b;
	add c.d :192.0.2.1|$invalid|config 1 a\.b;
	add .c.d 192.0.2.1|$invalid|config 1 a\.b;
	add c..d 192.0.2.1|$invalid|config 1 a\.b;
	add c/d 192.0.2.1|$invalid|config 1 a\.b;
	add $long 192.0.2.1|File name too long|config 1 a\.b;
	|$invalid|config 1 a\.b;
	add cells 192.0.2.1|no error|config 1 a\.b;config 1 cells;
	END
}

rootcell_file()
{
	check "no root cell" '' "$(<$proc/rootcell)"
	check "rootcell" 'no error' "$(write_to $proc/rootcell r.c:192.0.2.9)"
	check "rootcell" r.c "$(<$proc/rootcell)"
	check "rootcell, known" 'no error' "$(write_to $proc/rootcell a.b)"
	check "rootcell" a.b "$(<$proc/rootcell)"
	check "rootcell, wrong" "$invalid" "$(write_to $proc/rootcell r/c)"
	check "rootcell, wrong" "$invalid" "$(write_to $proc/rootcell r.c:x)"
	check "rootcell stays" a.b "$(<$proc/rootcell)"
}

directories()
{
	check "link" ../self/net/afsx "$(readlink $proc)"
	check "files" 'a.b cells r.c rootcell servers stats ' \
		"$(names $proc)"
	check "files of a cell" 'vlservers volumes ' "$(names $proc/a.b)"
	check "vlservers" '192\.0\.2\.3:7003 .*' "$(cat $proc/a.b/vlservers)"
	check "volumes" 1 "$(wc -l <$proc/a.b/volumes)"
	check "servers" 1 "$(wc -l <$proc/servers)"
	check "counters" '.*FS\.FetchStatus.*' "$(tr '\n' ' ' <$proc/stats)"
}

permissions()
{
	check "as nobody" 'Permission denied' \
		"$(error_of setpriv --reuid 65534 --clear-groups \
			bash -c "echo add x.y 192.0.2.1 >$proc/cells")"
	check "as root of a user namespace" 'Operation not permitted|Permission denied' \
		"$(error_of unshare --user --map-root-user --net \
			bash -c "echo add x.y 192.0.2.1 >$proc/cells")"
}

# Another namespace has cells of its own, and its state goes with it.
namespaces()
{
	local other

	other=$(unshare --net bash -c "cat $proc/rootcell
		echo add n.s 192.0.2.8 >$proc/cells
		awk 'NR > 1 { print \$4 }' $proc/cells; ls $proc/n.s")
	check "cells of another namespace" 'n.s vlservers volumes' "${other//$'\n'/ }"
	check "not here" "No such file or directory" "$(error_of ls $proc/n.s)"
}

# parameters WORDS ROOTCELL: the module loads with them; ROOTCELL is what comes out.
parameters()
{
	dmesg --clear
	# shellcheck disable=SC2086	# words are meant
	check "loading with '$1'" 'no error' "$(error_of modprobe afsx $1)"
	check "root cell of '$1'" "$2" "$(cat $proc/rootcell 2>&1)"
	modprobe -r afsx
}

wrong_parameters()
{
	dmesg --clear
	check "loading with '$1'" '.*(Invalid|not permitted|Module|File name|Argument).*' "$(error_of modprobe afsx "$1")"
	check "reason for '$1'" "afsx: .+" "$(said)"
	check "after '$1'" 'No such file or directory' "$(error_of ls $proc)"
}

modprobe afsx
cells_file
rootcell_file
directories
permissions
namespaces
modprobe -r afsx

parameters rootcell=example.com:192.0.2.1:192.0.2.2 example.com
parameters rootcell=example.com example.com
parameters rootcell= ''
parameters 'uuid=00112233-4455-6677-8899-aabbccddeeff' ''
for word in rootcell=: rootcell=.x rootcell=example.com: rootcell=example.com:1 \
	rootcell=a/b "rootcell=$long" uuid=x uuid=00112233-4455-6677-8899-aabbccddeef; do
	wrong_parameters "$word"
done
finish "/proc/fs/afsx"
