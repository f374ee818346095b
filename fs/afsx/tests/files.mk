# SPDX-License-Identifier: GPL-2.0 OR MIT
# Suites of the wire code, for KUnit and for the host.
AFSX_WIRE_SUITES := wire_util xdr_kunit rpc_fs_kunit rpc_fs_change_kunit rpc_vl_kunit \
	source_kunit statfs_kunit abort_kunit dir_util dir_kunit dir_hostile_kunit
