# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the crash tests share. AFSX_CRASH=long makes them a campaign.
# shellcheck source=tools/testing/host/lib.sh
. "$AFSX_TOP/tools/testing/host/lib.sh"

# What run-tier makes, and removes; without it they are left in /tmp.
# shellcheck disable=SC2034	# the tests use it
logs=${TMPDIR:-/tmp}

# by_length A B: A, or B in a campaign
by_length()
{
	if [[ ${AFSX_CRASH:-} == long ]]; then
		echo "$2"
	else
		echo "$1"
	fi
}

build crash
