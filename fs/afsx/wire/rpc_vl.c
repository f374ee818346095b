// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Messages of the volume location service (vldbint.xg).
 *
 * The three shapes of a VLDB entry differ in how many sites there is room for,
 * how a file server is named, and where the spare words are.
 */
#include "rpc_codec.h"

#define VLDB_SPARES	8	/* after matchindex */
#define BULKADDRS_MAX	500

/**
 * struct vldb_form - Shape of a VLDB entry
 * @sites: elements of each per-site array
 * @uuids: a server is named by UUID and uniquifier, not by address
 * @old: the spare word is in front and there is no matchindex
 */
struct vldb_form {
	u32 sites;
	bool uuids;
	bool old;
};

static const struct vldb_form form_old = { .sites = AFSX_VLSERVERS_OLD_MAX, .old = true };
static const struct vldb_form form_n = { .sites = AFSX_VLSERVERS_MAX };
static const struct vldb_form form_u = { .sites = AFSX_VLSERVERS_MAX, .uuids = true };

bool afsx_enc_vl_name_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_vl_name_args *a = msg;

	return afsx_enc_str(e, &a->name, AFSX_XDR_VOLNAME_MAX);
}

bool afsx_dec_vl_name_args(struct afsx_dec *d, void *msg)
{
	struct afsx_vl_name_args *a = msg;

	return afsx_dec_str(d, &a->name, AFSX_XDR_VOLNAME_MAX);
}

bool afsx_enc_vl_id_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_vl_id_args *a = msg;

	return afsx_enc_u32(e, a->vid) && afsx_enc_s32(e, a->type);
}

bool afsx_dec_vl_id_args(struct afsx_dec *d, void *msg)
{
	struct afsx_vl_id_args *a = msg;

	return afsx_dec_u32(d, &a->vid) && afsx_dec_s32(d, &a->type);
}

/* The name is a fixed array of characters, a word each. */
static bool enc_vldb_name(struct afsx_enc *e, const char *name)
{
	bool ended = false;

	if (!memchr(name, '\0', AFSX_VOLNAME_MAX + 1)) {
		e->err = -EINVAL;
		return false;
	}
	for (u32 i = 0; i <= AFSX_VOLNAME_MAX; i++) {
		ended = ended || !name[i];
		if (!afsx_enc_char(e, ended ? 0 : (u8)name[i]))
			return false;
	}
	return true;
}

static bool dec_vldb_name(struct afsx_dec *d, char *name)
{
	bool ended = false;
	u8 c;

	for (u32 i = 0; i <= AFSX_VOLNAME_MAX; i++) {
		if (!afsx_dec_char(d, &c))
			return false;
		ended = ended || !c;
		name[i] = ended ? '\0' : (char)c;
	}
	return ended;
}

static bool enc_sites(struct afsx_enc *e, const struct afsx_vldb *v, const struct vldb_form *form)
{
	struct afsx_vldb_server s[AFSX_VLSERVERS_MAX] = {};
	u32 i;

	memcpy(s, v->server, sizeof(s[0]) * min(v->nr, form->sites));
	for (i = 0; i < form->sites; i++)
		if (!(form->uuids ? afsx_enc_uuid(e, &s[i].uuid) : afsx_enc_u32(e, s[i].addr)))
			return false;
	for (i = 0; form->uuids && i < form->sites; i++)
		if (!afsx_enc_u32(e, s[i].uniquifier))
			return false;
	for (i = 0; i < form->sites; i++)
		if (!afsx_enc_u32(e, s[i].partition))
			return false;
	for (i = 0; i < form->sites; i++)
		if (!afsx_enc_u32(e, s[i].flags))
			return false;
	return true;
}

static bool dec_sites(struct afsx_dec *d, struct afsx_vldb *v, const struct vldb_form *form)
{
	struct afsx_vldb_server *s = v->server;
	u32 i;

	memset(s, 0, sizeof(v->server));
	for (i = 0; i < form->sites; i++)
		if (!(form->uuids ? afsx_dec_uuid(d, &s[i].uuid) : afsx_dec_u32(d, &s[i].addr)))
			return false;
	for (i = 0; form->uuids && i < form->sites; i++)
		if (!afsx_dec_u32(d, &s[i].uniquifier))
			return false;
	for (i = 0; i < form->sites; i++)
		if (!afsx_dec_u32(d, &s[i].partition))
			return false;
	for (i = 0; i < form->sites; i++)
		if (!afsx_dec_u32(d, &s[i].flags))
			return false;
	memset(&s[v->nr], 0, sizeof(s[0]) * (AFSX_VLSERVERS_MAX - v->nr));
	return true;
}

static bool enc_vldb(struct afsx_enc *e, const struct afsx_vldb *v, const struct vldb_form *form)
{
	/* As servers do, give an old client the sites that fit its entry. */
	u32 nr = form->old ? min(v->nr, form->sites) : v->nr;

	if (!enc_vldb_name(e, v->name) || (form->old && !afsx_enc_zero(e, 1)) ||
	    !afsx_enc_count(e, nr, form->sites) || !enc_sites(e, v, form))
		return false;
	for (u32 i = 0; i < AFSX_VOL_TYPES; i++)
		if (!afsx_enc_u32(e, v->vid[i]))
			return false;
	return afsx_enc_u32(e, v->clone_id) && afsx_enc_u32(e, v->flags) &&
	       (form->old ||
		(afsx_enc_u32(e, v->match_index) && afsx_enc_zero(e, VLDB_SPARES)));
}

static bool dec_vldb(struct afsx_dec *d, struct afsx_vldb *v, const struct vldb_form *form)
{
	if (!dec_vldb_name(d, v->name) || (form->old && !afsx_dec_skip(d, 1)) ||
	    !afsx_dec_count(d, &v->nr, form->sites) || !dec_sites(d, v, form))
		return false;
	for (u32 i = 0; i < AFSX_VOL_TYPES; i++)
		if (!afsx_dec_u32(d, &v->vid[i]))
			return false;
	v->match_index = 0;
	return afsx_dec_u32(d, &v->clone_id) && afsx_dec_u32(d, &v->flags) &&
	       (form->old ||
		(afsx_dec_u32(d, &v->match_index) && afsx_dec_skip(d, VLDB_SPARES)));
}

bool afsx_enc_vldb_old(struct afsx_enc *e, const void *msg)
{
	return enc_vldb(e, msg, &form_old);
}

bool afsx_dec_vldb_old(struct afsx_dec *d, void *msg)
{
	return dec_vldb(d, msg, &form_old);
}

bool afsx_enc_vldb_n(struct afsx_enc *e, const void *msg)
{
	return enc_vldb(e, msg, &form_n);
}

bool afsx_dec_vldb_n(struct afsx_dec *d, void *msg)
{
	return dec_vldb(d, msg, &form_n);
}

bool afsx_enc_vldb_u(struct afsx_enc *e, const void *msg)
{
	return enc_vldb(e, msg, &form_u);
}

bool afsx_dec_vldb_u(struct afsx_dec *d, void *msg)
{
	return dec_vldb(d, msg, &form_u);
}

bool afsx_enc_vl_addrs_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_vl_addrs_args *a = msg;

	return afsx_enc_u32(e, a->mask) && afsx_enc_u32(e, a->ip) && afsx_enc_u32(e, a->index) &&
	       afsx_enc_zero(e, 1) && afsx_enc_uuid(e, &a->uuid);
}

bool afsx_dec_vl_addrs_args(struct afsx_dec *d, void *msg)
{
	struct afsx_vl_addrs_args *a = msg;

	return afsx_dec_u32(d, &a->mask) && afsx_dec_u32(d, &a->ip) && afsx_dec_u32(d, &a->index) &&
	       afsx_dec_skip(d, 1) && afsx_dec_uuid(d, &a->uuid);
}

#define VLCALLBACK_WORDS	4	/* VLCallBack, not used */

/* The number of addresses is sent twice: by itself, if it is theirs, and with the array. */
static bool enc_addrs(struct afsx_enc *e, const u32 *addr, u32 nr)
{
	if (!afsx_enc_count(e, nr, AFSX_VL_ADDRS_MAX))
		return false;
	for (u32 i = 0; i < nr; i++)
		if (!afsx_enc_u32(e, addr[i]))
			return false;
	return true;
}

/* Take @nr of @count addresses, or as many as are kept. */
static bool dec_addrs(struct afsx_dec *d, u32 count, u32 *addr, u32 *nr)
{
	*nr = min_t(u32, *nr, AFSX_VL_ADDRS_MAX);
	for (u32 i = 0; i < *nr; i++)
		if (!afsx_dec_u32(d, &addr[i]))
			return false;
	return afsx_dec_skip(d, count - *nr);
}

bool afsx_enc_vl_addrs_reply(struct afsx_enc *e, const void *msg)
{
	const struct afsx_vl_addrs_reply *r = msg;

	return afsx_enc_uuid(e, &r->uuid) && afsx_enc_u32(e, r->uniquifier) &&
	       afsx_enc_u32(e, r->nr) && enc_addrs(e, r->addr, r->nr);
}

bool afsx_dec_vl_addrs_reply(struct afsx_dec *d, void *msg)
{
	struct afsx_vl_addrs_reply *r = msg;
	u32 count;

	return afsx_dec_uuid(d, &r->uuid) && afsx_dec_u32(d, &r->uniquifier) &&
	       afsx_dec_u32(d, &r->nr) && afsx_dec_count(d, &count, BULKADDRS_MAX) &&
	       r->nr <= count && dec_addrs(d, count, r->addr, &r->nr);
}

bool afsx_enc_vl_all_addrs_args(struct afsx_enc *e, const void *msg)
{
	return afsx_enc_zero(e, 2);
}

bool afsx_dec_vl_all_addrs_args(struct afsx_dec *d, void *msg)
{
	return afsx_dec_skip(d, 2);
}

bool afsx_enc_vl_all_addrs_reply(struct afsx_enc *e, const void *msg)
{
	const struct afsx_vl_all_addrs_reply *r = msg;

	return afsx_enc_zero(e, VLCALLBACK_WORDS) && afsx_enc_u32(e, r->nr_servers) &&
	       enc_addrs(e, r->addr, r->nr);
}

bool afsx_dec_vl_all_addrs_reply(struct afsx_dec *d, void *msg)
{
	struct afsx_vl_all_addrs_reply *r = msg;
	u32 count;

	if (!afsx_dec_skip(d, VLCALLBACK_WORDS) || !afsx_dec_u32(d, &r->nr_servers) ||
	    !afsx_dec_count(d, &count, BULKADDRS_MAX))
		return false;
	r->nr = count;
	return dec_addrs(d, count, r->addr, &r->nr);
}

bool afsx_enc_vl_list_args(struct afsx_enc *e, const void *msg)
{
	const struct afsx_vl_list_args *a = msg;

	return afsx_enc_u32(e, a->mask) && afsx_enc_u32(e, a->server) &&
	       afsx_enc_u32(e, a->partition) && afsx_enc_zero(e, 1) && afsx_enc_u32(e, a->vid) &&
	       afsx_enc_u32(e, a->flag) && afsx_enc_str(e, &a->name, AFSX_XDR_VOLNAME_MAX) &&
	       afsx_enc_s32(e, a->start);
}

bool afsx_dec_vl_list_args(struct afsx_dec *d, void *msg)
{
	struct afsx_vl_list_args *a = msg;

	return afsx_dec_u32(d, &a->mask) && afsx_dec_u32(d, &a->server) &&
	       afsx_dec_u32(d, &a->partition) && afsx_dec_skip(d, 1) && afsx_dec_u32(d, &a->vid) &&
	       afsx_dec_u32(d, &a->flag) && afsx_dec_str(d, &a->name, AFSX_XDR_VOLNAME_MAX) &&
	       afsx_dec_s32(d, &a->start);
}

/* The number of entries, too, is sent twice. */
bool afsx_enc_vl_list_reply(struct afsx_enc *e, const void *msg)
{
	const struct afsx_vl_list_reply *r = msg;

	if (!afsx_enc_u32(e, r->nr) || !afsx_enc_count(e, r->nr, AFSX_VL_LIST_MAX))
		return false;
	for (u32 i = 0; i < r->nr; i++)
		if (!enc_vldb(e, &r->entry[i], &form_n))
			return false;
	return afsx_enc_s32(e, r->next);
}

bool afsx_dec_vl_list_reply(struct afsx_dec *d, void *msg)
{
	struct afsx_vl_list_reply *r = msg;
	u32 nentries;

	if (!afsx_dec_u32(d, &nentries) || !afsx_dec_count(d, &r->nr, AFSX_VL_LIST_MAX) ||
	    nentries != r->nr)
		return false;
	for (u32 i = 0; i < r->nr; i++)
		if (!dec_vldb(d, &r->entry[i], &form_n))
			return false;
	return afsx_dec_s32(d, &r->next);
}
