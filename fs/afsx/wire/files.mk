# SPDX-License-Identifier: GPL-2.0 OR MIT
# The protocol codec, built into afsx.ko, the daemons and the host tests.
AFSX_WIRE := abort xdr xdr_types rpc rpc_fs rpc_fs_change rpc_vl rpc_cb dir dir_edit source statfs
