// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Messages of the callback service of a cache manager (afscbint.xg) that no
 * other service has.
 */
#include "rpc_codec.h"

bool afsx_enc_uuid_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_cb_uuid_args *a = msg;

	return afsx_enc_uuid(e, &a->uuid);
}

bool afsx_dec_uuid_args(struct afsx_dec *d, void *msg)
{
	struct afsx_cb_uuid_args *a = msg;

	return afsx_dec_uuid(d, &a->uuid);
}

/* One of the three arrays of interfaceAddr, of which @nr elements are used. */
static bool enc_ifwords(struct afsx_enc *e, const u32 *w, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		if (!afsx_enc_u32(e, w[i]))
			return false;
	return afsx_enc_zero(e, AFSX_IFADDRS_MAX - nr);
}

static bool dec_ifwords(struct afsx_dec *d, u32 *w, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		if (!afsx_dec_u32(d, &w[i]))
			return false;
	return afsx_dec_skip(d, AFSX_IFADDRS_MAX - nr);
}

bool afsx_enc_identity(struct afsx_enc *e, const void *msg)
{
	const struct afsx_cb_identity *id = msg;

	return afsx_enc_count(e, id->nr, AFSX_IFADDRS_MAX) && afsx_enc_uuid(e, &id->uuid) &&
	       enc_ifwords(e, id->addr, id->nr) && enc_ifwords(e, id->mask, id->nr) &&
	       enc_ifwords(e, id->mtu, id->nr) && afsx_enc_caps(e, &id->caps);
}

bool afsx_dec_identity(struct afsx_dec *d, void *msg)
{
	struct afsx_cb_identity *id = msg;

	return afsx_dec_count(d, &id->nr, AFSX_IFADDRS_MAX) && afsx_dec_uuid(d, &id->uuid) &&
	       dec_ifwords(d, id->addr, id->nr) && dec_ifwords(d, id->mask, id->nr) &&
	       dec_ifwords(d, id->mtu, id->nr) && afsx_dec_caps(d, &id->caps);
}
