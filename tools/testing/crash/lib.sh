# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the crash tests share. AFSX_CRASH=long makes them a campaign.
set -euo pipefail

crash_dir=$AFSX_TOP/tools/testing/crash
export bin=$AFSX_TOP/build/test/bin

# by_length A B: A, or B in a campaign
by_length()
{
	if [[ ${AFSX_CRASH:-} == long ]]; then
		echo "$2"
	else
		echo "$1"
	fi
}

make -s -C "$crash_dir"
