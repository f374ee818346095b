# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the crash tests share. AFSX_CRASH=long makes them a campaign.
# shellcheck source=tools/testing/host/lib.sh
. "$AFSX_TOP/tools/testing/host/lib.sh"

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
