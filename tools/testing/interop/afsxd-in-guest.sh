# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Sourced first by a test of clients on afsxd, in the place of vm/in-guest.sh and
# with the same options: makes the store on the host, starts the guest with it,
# and there starts the cell.
# shellcheck disable=SC2034	# for whoever sources this file
cell=afsxd.example address=10.7.0.2

if [[ ! -e /run/afsx/command ]]; then
	store=$(mktemp -d)
	trap 'rm -rf "$store"' EXIT
	tools/testing/interop/afsxd-store "$store" >"$store/log" ||
		{ cat "$store/log"; exit 1; }
	status=0
	tools/testing/vm/run --out "$store" "$@" -- "$0" || status=$?
	exit "$status"
fi
tools/testing/interop/afsxd-cell start "$AFSX_OUT"
