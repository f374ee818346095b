// SPDX-License-Identifier: MIT
/*
 * The volume location service: which volumes there are, and that all of them
 * are here.  The VLDB is the store's own list of volumes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "afsxd.h"
#include "dispatch.h"
#include "log.h"

/* A volume id in decimal. */
#define ID_DIGITS_MAX	10

static s32 vl_abort(int err)
{
	if (err == -ENOMEDIUM)
		return AFSX_VLERR_NOENT;
	log_error("volume lookup failed", LOG_I("error", err));
	return AFSX_VLERR_IO;
}

/* Both sites of a volume group are this server. */
static void add_site(const struct afsxd *d, struct afsx_vldb *entry, u32 flags)
{
	entry->server[entry->nr++] = (struct afsx_vldb_server){
		.uuid = d->uuid,
		.addr = d->addrs[0],
		.uniquifier = d->uniquifier,
		.flags = flags,
	};
}

/* @site_flags: what the form of the entry adds to the flags of a site */
static void to_entry(const struct afsxd *d, const struct store_group *group,
		     u32 site_flags, struct afsx_vldb *entry)
{
	static const u32 exists[AFSX_VOL_TYPES] = {
		[AFSX_VOL_RW] = AFSX_VLF_RWEXISTS,
		[AFSX_VOL_RO] = AFSX_VLF_ROEXISTS,
		[AFSX_VOL_BACKUP] = AFSX_VLF_BACKEXISTS,
	};
	unsigned int type;

	snprintf(entry->name, sizeof(entry->name), "%s", group->name);
	for (type = 0; type < AFSX_VOL_TYPES; type++) {
		entry->vid[type] = group->id[type];
		if (group->exists[type])
			entry->flags |= exists[type];
	}
	/* A backup volume is where its read/write volume is. */
	if (group->exists[AFSX_VOL_RW])
		add_site(d, entry, AFSX_VLSF_RWVOL | site_flags);
	if (group->exists[AFSX_VOL_RO])
		add_site(d, entry, AFSX_VLSF_ROVOL | site_flags);
}

static u32 site_flags(const struct svc_call *call)
{
	switch (afsx_rpc_id_of(call->rpc)) {
	case AFSX_VL_GET_ENTRY_BY_ID_U:
	case AFSX_VL_GET_ENTRY_BY_NAME_U:
		return AFSX_VLSF_UUID;
	default:
		return 0;
	}
}

static s32 entry_by_id(struct svc_call *call, u32 vid, s32 type,
		       struct afsx_vldb *entry)
{
	struct store_group group;
	int err;

	if (type != AFSX_VL_TYPE_ANY && (type < 0 || type >= AFSX_VOL_TYPES))
		return AFSX_VLERR_BADVOLTYPE;
	err = store_group_get(call->d->store, vid, &group);
	if (err)
		return vl_abort(err);
	if (type != AFSX_VL_TYPE_ANY && group.id[type] != vid)
		return AFSX_VLERR_NOENT;
	to_entry(call->d, &group, site_flags(call), entry);
	return 0;
}

/* Decimal volume ids stand for names; no volume has a numeric name. */
static bool is_id(const struct afsx_str *name, u32 *vid)
{
	char digits[ID_DIGITS_MAX + 1] = "";
	u64 value;
	u32 i;

	if (!name->len || name->len > ID_DIGITS_MAX)
		return false;
	for (i = 0; i < name->len; i++) {
		if (name->p[i] < '0' || name->p[i] > '9')
			return false;
		digits[i] = name->p[i];
	}
	value = strtoull(digits, NULL, 10);
	*vid = value;
	return value <= U32_MAX;
}

static s32 get_entry_by_id(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_vl_id_args *a = args;

	return entry_by_id(call, a->vid, a->type, reply);
}

static s32 get_entry_by_name(struct svc_call *call, const void *args,
			     void *reply)
{
	const struct afsx_vl_name_args *a = args;
	struct store_group group;
	u32 vid;
	int err;

	if (is_id(&a->name, &vid))
		return entry_by_id(call, vid, AFSX_VL_TYPE_ANY, reply);
	err = store_group_find(call->d->store, a->name.p, a->name.len, &group);
	if (err)
		return vl_abort(err);
	to_entry(call->d, &group, site_flags(call), reply);
	return 0;
}

static bool has_addr(const struct afsxd *d, u32 addr)
{
	unsigned int i;

	for (i = 0; i < d->nr_addrs; i++) {
		if (d->addrs[i] == addr)
			return true;
	}
	return false;
}

/* There is one file server, which has index 1; exactly one key may be given. */
static s32 find_server(const struct afsxd *d,
		       const struct afsx_vl_addrs_args *a)
{
	bool found;

	switch (a->mask) {
	case AFSX_VLADDR_IPADDR:
		found = has_addr(d, a->ip);
		break;
	case AFSX_VLADDR_INDEX:
		if (!a->index)
			return AFSX_VLERR_BADINDEX;
		found = a->index == 1;
		break;
	case AFSX_VLADDR_UUID:
		found = afsx_uuid_eq(&a->uuid, &d->uuid);
		break;
	default:
		return AFSX_VLERR_BADMASK;
	}
	return found ? 0 : AFSX_VLERR_NOENT;
}

static s32 get_addrs(struct svc_call *call, const void *args, void *reply)
{
	const struct afsxd *d = call->d;
	struct afsx_vl_addrs_reply *r = reply;
	s32 code = find_server(d, args);

	if (code)
		return code;
	r->uuid = d->uuid;
	r->uniquifier = d->uniquifier;
	r->nr = d->nr_addrs;
	memcpy(r->addr, d->addrs, d->nr_addrs * sizeof(d->addrs[0]));
	return 0;
}

static s32 get_all_addrs(struct svc_call *call, const void *args, void *reply)
{
	const struct afsxd *d = call->d;
	struct afsx_vl_all_addrs_reply *r = reply;

	r->nr_servers = 1;
	r->nr = d->nr_addrs;
	memcpy(r->addr, d->addrs, d->nr_addrs * sizeof(d->addrs[0]));
	return 0;
}

/* Whether an entry of this server can match at all: no entry is ever locked. */
static bool may_match(const struct afsxd *d, const struct afsx_vl_list_args *a)
{
	return (!(a->mask & AFSX_VLLIST_SERVER) || has_addr(d, a->server)) &&
	       (!(a->mask & AFSX_VLLIST_PARTITION) || !a->partition) &&
	       !(a->mask & AFSX_VLLIST_FLAG);
}

/* Fill in entries of the groups behind volume @after. */
static s32 list_groups(struct svc_call *call, u32 after,
		       struct afsx_vl_list_reply *r)
{
	struct store_group group;
	struct store_vol vol;
	int ret;

	while ((ret = store_vol_next(call->d->store, after, &vol)) > 0) {
		if (r->nr == AFSX_VL_LIST_MAX) {
			r->next = (s32)after;
			return 0;
		}
		ret = store_group_get(call->d->store, vol.id, &group);
		after = group.id[AFSX_VOL_BACKUP];
		if (!ret)
			to_entry(call->d, &group, 0, &r->entry[r->nr++]);
		else if (ret != -ENOMEDIUM)	/* removed meanwhile */
			break;
	}
	return ret < 0 ? vl_abort(ret) : 0;
}

static s32 list_attributes(struct svc_call *call, const void *args, void *reply)
{
	const struct afsx_vl_list_args *a = args;
	struct afsx_vl_list_reply *r = reply;
	bool any_name = !a->name.len ||
			(a->name.len == 2 && !memcmp(a->name.p, ".*", 2));

	r->next = -1;
	if (a->mask & AFSX_VLLIST_VOLUMEID) {
		r->nr = 1;
		return entry_by_id(call, a->vid, AFSX_VL_TYPE_ANY, &r->entry[0]);
	}
	/* patterns are for administrators only, of whom there are none here */
	if (!any_name)
		return AFSX_VLERR_PERM;
	if (a->start == -1 || !may_match(call->d, a))
		return 0;
	return list_groups(call, (u32)a->start, r);
}

static s32 get_capabilities(struct svc_call *call, const void *args,
			    void *reply)
{
	struct afsx_caps *caps = reply;

	caps->nr = 1;
	return 0;
}

static s32 probe(struct svc_call *call, const void *args, void *reply)
{
	return 0;
}

static const struct svc_method vl_methods[] = {
	{ AFSX_VL_GET_ENTRY_BY_ID,	get_entry_by_id },
	{ AFSX_VL_GET_ENTRY_BY_ID_N,	get_entry_by_id },
	{ AFSX_VL_GET_ENTRY_BY_ID_U,	get_entry_by_id },
	{ AFSX_VL_GET_ENTRY_BY_NAME,	get_entry_by_name },
	{ AFSX_VL_GET_ENTRY_BY_NAME_N,	get_entry_by_name },
	{ AFSX_VL_GET_ENTRY_BY_NAME_U,	get_entry_by_name },
	{ AFSX_VL_GET_ADDRS,		get_all_addrs },
	{ AFSX_VL_GET_ADDRS_U,		get_addrs },
	{ AFSX_VL_LIST_ATTRIBUTES_N2,	list_attributes },
	{ AFSX_VL_GET_CAPABILITIES,	get_capabilities },
	{ AFSX_VL_PROBE,		probe },
};

const struct svc vl_svc = {
	.service = AFSX_SVC_VL,
	.port = AFSX_VL_PORT,
	.methods = vl_methods,
	.nr_methods = ARRAY_SIZE(vl_methods),
};
