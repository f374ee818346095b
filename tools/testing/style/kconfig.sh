#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The Kconfig is right for a build inside the kernel's tree, which the builds of a
# module outside do not read: it is found, its selects are complete, and the unit
# tests follow KUnit.
set -euo pipefail

source=$(tools/testing/vm/kernel-source)
bad=0

{
	cat "$source/Kconfig"
	echo "source \"$AFSX_TOP/fs/afsx/Kconfig\""
} >"$TMPDIR/Kconfig"
printf 'CONFIG_%s=y\n' NET INET NETWORK_FILESYSTEMS AFSX >"$TMPDIR/small"

# expect TARGET SYMBOL=VALUE...: what the configuration TARGET must come to.
expect()
{
	local target=$1 line

	shift
	make -s -C "$source" O="$TMPDIR/tree" KBUILD_KCONFIG="$TMPDIR/Kconfig" \
		KCONFIG_ALLCONFIG="$TMPDIR/small" "$target" >"$TMPDIR/log" 2>&1 || bad=1
	if grep -iE 'warning|error' "$TMPDIR/log"; then
		bad=1
	fi
	for line in "$@"; do
		grep -qx "CONFIG_$line" "$TMPDIR/tree/.config" ||
			{ echo "$target: no $line"; bad=1; }
	done
}

expect allnoconfig AFSX=y AF_RXRPC=y KEYS=y DNS_RESOLVER=y NETFS_SUPPORT=y
echo CONFIG_AFSX=m >"$TMPDIR/small"
expect allmodconfig AFSX=m AFSX_KUNIT_TEST=m AF_RXRPC=m NETFS_SUPPORT=m

exit "$bad"
