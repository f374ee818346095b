#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What comes with afsx-nbd: the completion of bash offers all options that --help has
# and the words that the program takes, and systemd understands the units.
set -euo pipefail

# shellcheck source=tools/testing/host/lib.sh
. "$AFSX_TOP/tools/testing/host/lib.sh"

packaging=$AFSX_TOP/packaging
program=$AFSX_TOP/build/bin/afsx-nbd
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# offered WORD...: what is offered for the last word of a command line. Bash takes a
# line apart at each `=`.
offered()
{
	bash -c '
		. /usr/share/bash-completion/bash_completion
		. "$1"
		shift
		# there is none while no line is typed
		compopt() { true; }
		line="$*"
		line=${line// = /=}
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE=$line COMP_POINT=${#line}
		_afsx_nbd "$1"
		echo "${COMPREPLY[*]}"
	' - "$packaging/bash-completion/afsx-nbd" "$program" "$@"
}

completion()
{
	local option word words

	touch "$work/image"
	for option in $("$program" --help | grep -o -- '--[a-z-]*=\?' | sort -u); do
		[[ " $(offered "${option%=}") " == *" $option "* ]] || equal "$option" missing there
		checks=$((checks + 1))
	done
	for option in --aio --cache --discard --format --tls; do
		words=$(offered "$option" '')
		equal "another form of $option" "$(offered "$option" = '')" "$words"
		[[ -n $words ]] || equal "$option" 'no words' words
		for word in $words; do
			"$program" $option "$word" >/dev/null 2>"$work/said" || true
			grep -Eq 'FILE is missing|goes with' "$work/said" ||
				equal "$option $word" "$(<"$work/said")" taken
			checks=$((checks + 1))
		done
	done
	equal 'the short form' "$(offered -f '')" "$(offered --format '')"
	equal 'some words' "$(offered --cache = w)" 'writeback writethrough'
	equal 'a file' "$(cd "$work" && offered im)" image
	equal 'a file for an option' "$(cd "$work" && offered --tls-psk = im)" image
}

# The units, with a program where this one is.
units()
{
	local unit said

	for unit in "$packaging"/systemd/afsx-nbd@.*; do
		sed "s|/usr/sbin/afsx-nbd|$program|" "$unit" >"$work/${unit##*/}"
	done
	echo 'IMAGE=/dev/null' >"$work/afsx-nbd-test"
	said=$(SYSTEMD_UNIT_PATH="$work:" systemd-analyze verify --man=no \
		"$work/afsx-nbd@test.service" "$work/afsx-nbd@test.socket" 2>&1) || true
	equal 'what systemd says of the units' "$(grep "$work" <<<"$said")" ''
}

[[ -x $program ]] || skip 'afsx-nbd is not built: make tools'
[[ -e /usr/share/bash-completion/bash_completion ]] || skip 'bash-completion is not installed'
completion
! command -v systemd-analyze >/dev/null || units
echo "$checks checks"
