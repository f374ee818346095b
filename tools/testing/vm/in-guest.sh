# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Sourced first by a test that runs in a guest: `. tools/testing/vm/in-guest.sh`
# followed by options of `run`. On the host it runs the test in a guest in its
# stead; in the guest it does nothing. AFSX_TEST_KERNEL chooses another kernel.
if [[ ! -e /run/afsx/command ]]; then
	exec tools/testing/vm/run ${AFSX_TEST_KERNEL:+--kernel "$AFSX_TEST_KERNEL"} "$@" -- "$0"
fi
