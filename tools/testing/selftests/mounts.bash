# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the tests of the mount interface share. Sourced in a guest, at the top of
# the checkout.
. tools/testing/interop/check.sh

# shellcheck disable=SC2034	# for whoever sources this file
mount_call=build/bin/mount-call
proc=/proc/fs/afsx

# Calls sent so far, of all kinds.
calls_sent()
{
	awk '/^SENT/ { on = 1; next } on { sum += $1 } END { print sum + 0 }' $proc/stats
}

# shown DIR: source and options of a mount as /proc/mounts has them.
shown()
{
	awk -v dir="$1" '$2 == dir { print $1, $4 }' /proc/mounts
}

# said: the newest line of afsx in the kernel's log.
said()
{
	dmesg | grep -o 'afsx: .*' | tail -n 1
}

# write_to FILE TEXT: the error of writing it, or "no error".
write_to()
{
	# shellcheck disable=SC2016	# the inner shell expands
	error_of bash -c 'printf "%s\n" "$2" >"$1"' - "$1" "$2"
}

# names DIR: what is in a directory, sorted, on one line.
names()
{
	find "$1/" -mindepth 1 -maxdepth 1 -printf '%f\n' | LC_ALL=C sort | tr '\n' ' '
}
