// SPDX-License-Identifier: MIT
/*
 * Our codecs against OpenAFS's, for random messages.
 *
 * Each row makes a random message and has OpenAFS's XDR routines (from Debian's
 * libopenafs-dev) write the types it is made of, in the order of the interface
 * file. We must write the same bytes, and writing what we read of them must give
 * the same bytes again.
 */
#include <stdio.h>
#include <stdlib.h>

#include <afs/param.h>
#include <afs/stds.h>
#include <rx/xdr.h>
#include <afs/afsint.h>
#include <afs/vldbint.h>

#include <afsx/rpc.h>

#define ROUNDS		2000
#define BUF_SIZE	32768

union message {
	struct afsx_fetch_data_args fetch_data;
	struct afsx_bulk_status_args bulk_args;
	struct afsx_bulk_status_reply bulk;
	struct afsx_status_reply status;
	struct afsx_lookup_args lookup_args;
	struct afsx_lookup_reply lookup;
	struct afsx_acl_reply acl;
	struct afsx_volstatus volstatus;
	struct afsx_store_data_args store_data;
	struct afsx_store_acl_args store_acl;
	struct afsx_store_status_args store_status;
	struct afsx_create_args create;
	struct afsx_rename_args rename;
	struct afsx_symlink_args symlink;
	struct afsx_link_args link;
	struct afsx_set_volume_args set_volume;
	struct afsx_set_lock_args set_lock;
	struct afsx_flush_cps_args flush_cps;
	struct afsx_store_reply stored;
	struct afsx_rename_reply renamed;
	struct afsx_symlink_reply symlinked;
	struct afsx_link_reply linked;
	struct afsx_sync_reply synced;
	struct afsx_caps caps;
	struct afsx_cb_callback_args callbacks;
	struct afsx_cb_identity identity;
	struct afsx_vl_name_args vl_name;
	struct afsx_vl_id_args vl_id;
	struct afsx_vl_addrs_args addrs_args;
	struct afsx_vl_addrs_reply addrs;
	struct afsx_vl_all_addrs_reply all_addrs;
	struct afsx_vl_list_args list_args;
	struct afsx_vl_list_reply list;
	struct afsx_vldb vldb;
};

static u32 seed = 0x9e3779b9;
static char text[2048];

static u32 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

/* Mostly ordinary, sometimes extreme. */
static u32 rnd_word(void)
{
	static const u32 extremes[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff };
	u32 r = rnd();

	return r % 8 ? rnd() : extremes[(r >> 3) % ARRAY_SIZE(extremes)];
}

static void must(bool_t ok)
{
	if (ok)
		return;
	fprintf(stderr, "OpenAFS's encoder failed\n");
	exit(2);
}

static void put_word(XDR *x, u32 v)
{
	must(xdr_afs_uint32(x, &v));
}

static void put_hyper(XDR *x, u64 v)
{
	afs_uint64 h = v;

	must(xdr_afs_uint64(x, &h));
}

static struct afsx_str put_string(XDR *x, u32 max)
{
	struct afsx_str s = { .p = text, .len = rnd() % (max + 1) };
	char copy[2048], *p = copy;

	memcpy(copy, text, s.len);
	copy[s.len] = '\0';
	must(xdr_string(x, &p, max));
	return s;
}

static struct afsx_str put_opaque(XDR *x)
{
	AFSOpaque o = { .AFSOpaque_val = text, .AFSOpaque_len = rnd() % 1025 };

	must(xdr_AFSOpaque(x, &o));
	return (struct afsx_str) { .p = text, .len = o.AFSOpaque_len };
}

static void put_fid(XDR *x, struct afsx_fid *fid)
{
	AFSFid f = { rnd_word(), rnd_word(), rnd_word() };

	*fid = (struct afsx_fid) { .vid = f.Volume, .vnode = f.Vnode, .unique = f.Unique };
	must(xdr_AFSFid(x, &f));
}

static void put_callback(XDR *x, struct afsx_callback *cb)
{
	AFSCallBack c = { rnd_word(), rnd_word(), rnd_word() };

	*cb = (struct afsx_callback) { .version = c.CallBackVersion,
				       .expires_in = c.ExpirationTime, .type = c.CallBackType };
	must(xdr_AFSCallBack(x, &c));
}

static void put_volsync(XDR *x, struct afsx_volsync *sync)
{
	AFSVolSync v = { rnd_word(), rnd_word(), rnd_word(), rnd_word(), rnd_word(), rnd_word() };

	*sync = (struct afsx_volsync) { .creation = v.spare1, .spare = {
		v.spare2, v.spare3, v.spare4, v.spare5, v.spare6 } };
	must(xdr_AFSVolSync(x, &v));
}

static void put_status(XDR *x, struct afsx_status *st, bool inline_entry)
{
	AFSFetchStatus s = {
		.InterfaceVersion = 1, .FileType = 1 + rnd() % 3, .LinkCount = rnd_word(),
		.Length = rnd_word(), .DataVersion = rnd_word(), .Author = rnd_word(),
		.Owner = rnd_word(), .CallerAccess = rnd_word(), .AnonymousAccess = rnd_word(),
		.UnixModeBits = rnd_word() & 07777, .ParentVnode = rnd_word(),
		.ParentUnique = rnd_word(), .ClientModTime = rnd_word(),
		.ServerModTime = rnd_word(), .Group = rnd_word(), .dataVersionHigh = rnd_word(),
		.lockCount = rnd_word(), .Length_hi = rnd_word() & 0x7fffffff,
		.errorCode = inline_entry ? 0 : rnd_word(),
	};

	*st = (struct afsx_status) {
		.if_version = s.InterfaceVersion, .type = s.FileType, .nlink = s.LinkCount,
		.size = (u64)s.Length_hi << 32 | s.Length,
		.data_version = (u64)s.dataVersionHigh << 32 | s.DataVersion,
		.author = s.Author, .owner = s.Owner, .group = s.Group,
		.caller_access = s.CallerAccess, .anon_access = s.AnonymousAccess,
		.mode = s.UnixModeBits, .parent_vnode = s.ParentVnode,
		.parent_unique = s.ParentUnique, .mtime_client = s.ClientModTime,
		.mtime_server = s.ServerModTime, .lock_count = s.lockCount,
		.abort_code = (s32)s.errorCode,
	};
	must(xdr_AFSFetchStatus(x, &s));
}

static void random_uuid(afsUUID *theirs, struct afsx_uuid *ours)
{
	for (u32 i = 0; i < sizeof(ours->b); i++)
		ours->b[i] = (u8)rnd();
	theirs->time_low = get_unaligned_be32(ours->b);
	theirs->time_mid = get_unaligned_be16(ours->b + 4);
	theirs->time_hi_and_version = get_unaligned_be16(ours->b + 6);
	theirs->clock_seq_hi_and_reserved = (char)ours->b[8];
	theirs->clock_seq_low = (char)ours->b[9];
	memcpy(theirs->node, ours->b + 10, 6);
}

static void put_uuid(XDR *x, struct afsx_uuid *uuid)
{
	afsUUID u;

	random_uuid(&u, uuid);
	must(xdr_afsUUID(x, &u));
}

static void fid_args(XDR *x, union message *m)
{
	put_fid(x, &m->fetch_data.fid);
}

static void fetch_data_args(XDR *x, union message *m)
{
	fid_args(x, m);
	m->fetch_data.pos = rnd_word() & 0x7fffffff;
	m->fetch_data.len = rnd_word() & 0x7fffffff;
	put_word(x, (u32)m->fetch_data.pos);
	put_word(x, (u32)m->fetch_data.len);
}

static void fetch_data64_args(XDR *x, union message *m)
{
	fid_args(x, m);
	m->fetch_data.pos = (u64)(rnd_word() & 0x7fffffff) << 32 | rnd_word();
	m->fetch_data.len = (u64)(rnd_word() & 0x7fffffff) << 32 | rnd_word();
	put_hyper(x, m->fetch_data.pos);
	put_hyper(x, m->fetch_data.len);
}

static void status_reply(XDR *x, union message *m)
{
	put_status(x, &m->status.status, false);
	put_callback(x, &m->status.cb);
	put_volsync(x, &m->status.sync);
}

static void acl_reply(XDR *x, union message *m)
{
	m->acl.acl = put_opaque(x);
	put_status(x, &m->acl.status, false);
	put_volsync(x, &m->acl.sync);
}

static void bulk_args(XDR *x, union message *m)
{
	m->bulk_args.nr = rnd() % 51;
	put_word(x, m->bulk_args.nr);
	for (u32 i = 0; i < m->bulk_args.nr; i++)
		put_fid(x, &m->bulk_args.fid[i]);
}

static void bulk_reply(XDR *x, union message *m)
{
	m->bulk.nr = rnd() % 51;
	m->bulk.nr_cb = rnd() % 2 ? m->bulk.nr : 0;
	put_word(x, m->bulk.nr);
	for (u32 i = 0; i < m->bulk.nr; i++)
		put_status(x, &m->bulk.status[i], true);
	put_word(x, m->bulk.nr_cb);
	for (u32 i = 0; i < m->bulk.nr_cb; i++)
		put_callback(x, &m->bulk.cb[i]);
	put_volsync(x, &m->bulk.sync);
}

static void callbacks(XDR *x, union message *m)
{
	m->callbacks.nr = rnd() % 51;
	m->callbacks.nr_cb = rnd() % 2 ? m->callbacks.nr : 0;
	put_word(x, m->callbacks.nr);
	for (u32 i = 0; i < m->callbacks.nr; i++)
		put_fid(x, &m->callbacks.fid[i]);
	put_word(x, m->callbacks.nr_cb);
	for (u32 i = 0; i < m->callbacks.nr_cb; i++)
		put_callback(x, &m->callbacks.cb[i]);
}

static void lookup_args(XDR *x, union message *m)
{
	put_fid(x, &m->lookup_args.dir);
	m->lookup_args.name = put_string(x, 256);
}

static void lookup_reply(XDR *x, union message *m)
{
	put_fid(x, &m->lookup.fid);
	put_status(x, &m->lookup.status, false);
	put_status(x, &m->lookup.dir_status, false);
	put_callback(x, &m->lookup.cb);
	put_volsync(x, &m->lookup.sync);
}

static void volstatus(XDR *x, union message *m)
{
	AFSFetchVolumeStatus v = {
		.Vid = (afs_int32)rnd_word(), .ParentId = (afs_int32)rnd_word(),
		.Online = (char)rnd(), .InService = (char)rnd(), .Blessed = (char)rnd(),
		.NeedsSalvage = (char)rnd(), .Type = (afs_int32)rnd_word(),
		.MinQuota = (afs_int32)rnd_word(), .MaxQuota = (afs_int32)rnd_word(),
		.BlocksInUse = (afs_int32)rnd_word(), .PartBlocksAvail = (afs_int32)rnd_word(),
		.PartMaxBlocks = (afs_int32)rnd_word(),
	};

	m->volstatus = (struct afsx_volstatus) {
		.vid = (u32)v.Vid, .parent_id = (u32)v.ParentId, .online = (u8)v.Online,
		.in_service = (u8)v.InService, .blessed = (u8)v.Blessed,
		.needs_salvage = (u8)v.NeedsSalvage, .type = (u32)v.Type, .min_quota = v.MinQuota,
		.max_quota = v.MaxQuota, .blocks_in_use = v.BlocksInUse,
		.part_avail = v.PartBlocksAvail, .part_max = v.PartMaxBlocks,
	};
	must(xdr_AFSFetchVolumeStatus(x, &v));
	m->volstatus.name = put_string(x, 256);
	m->volstatus.offline_msg = put_string(x, 1024);
	m->volstatus.motd = put_string(x, 1024);
}

static void put_store_status(XDR *x, struct afsx_store_status *in)
{
	AFSStoreStatus s = {
		.Mask = rnd_word(), .ClientModTime = rnd_word(), .Owner = rnd_word(),
		.Group = rnd_word(), .UnixModeBits = rnd_word(), .SegSize = rnd_word(),
	};

	*in = (struct afsx_store_status) { .mask = s.Mask, .mtime = s.ClientModTime,
					   .owner = s.Owner, .group = s.Group,
					   .mode = s.UnixModeBits, .seg_size = s.SegSize };
	must(xdr_AFSStoreStatus(x, &s));
}

static void store_data_args(XDR *x, union message *m)
{
	struct afsx_store_data_args *a = &m->store_data;

	put_fid(x, &a->fid);
	put_store_status(x, &a->in);
	put_word(x, (u32)(a->pos = rnd_word()));
	put_word(x, (u32)(a->len = rnd_word()));
	put_word(x, (u32)(a->file_len = rnd_word()));
}

static void store_data64_args(XDR *x, union message *m)
{
	struct afsx_store_data_args *a = &m->store_data;

	put_fid(x, &a->fid);
	put_store_status(x, &a->in);
	put_hyper(x, a->pos = (u64)rnd_word() << 32 | rnd_word());
	put_hyper(x, a->len = (u64)rnd_word() << 32 | rnd_word());
	put_hyper(x, a->file_len = (u64)rnd_word() << 32 | rnd_word());
}

static void store_acl_args(XDR *x, union message *m)
{
	put_fid(x, &m->store_acl.fid);
	m->store_acl.acl = put_opaque(x);
}

static void store_status_args(XDR *x, union message *m)
{
	put_fid(x, &m->store_status.fid);
	put_store_status(x, &m->store_status.in);
}

static void create_args(XDR *x, union message *m)
{
	put_fid(x, &m->create.dir);
	m->create.name = put_string(x, 256);
	put_store_status(x, &m->create.in);
}

static void rename_args(XDR *x, union message *m)
{
	put_fid(x, &m->rename.from_dir);
	m->rename.from = put_string(x, 256);
	put_fid(x, &m->rename.to_dir);
	m->rename.to = put_string(x, 256);
}

static void symlink_args(XDR *x, union message *m)
{
	put_fid(x, &m->symlink.dir);
	m->symlink.name = put_string(x, 256);
	m->symlink.target = put_string(x, 1024);
	put_store_status(x, &m->symlink.in);
}

static void link_args(XDR *x, union message *m)
{
	put_fid(x, &m->link.dir);
	m->link.name = put_string(x, 256);
	put_fid(x, &m->link.fid);
}

static void set_volume_args(XDR *x, union message *m)
{
	struct afsx_set_volume_args *a = &m->set_volume;
	AFSStoreVolumeStatus v = {
		.Mask = (afs_int32)rnd_word(), .MinQuota = (afs_int32)rnd_word(),
		.MaxQuota = (afs_int32)rnd_word(),
	};

	put_word(x, a->vid = rnd_word());
	must(xdr_AFSStoreVolumeStatus(x, &v));
	a->mask = (u32)v.Mask;
	a->min_quota = v.MinQuota;
	a->max_quota = v.MaxQuota;
	a->name = put_string(x, 256);
	a->offline_msg = put_string(x, 1024);
	a->motd = put_string(x, 1024);
}

static void set_lock_args(XDR *x, union message *m)
{
	ViceLockType type = (afs_int32)rnd_word();

	put_fid(x, &m->set_lock.fid);
	m->set_lock.type = (u32)type;
	must(xdr_ViceLockType(x, &type));
}

static void flush_cps_args(XDR *x, union message *m)
{
	struct afsx_flush_cps_args *a = &m->flush_cps;
	ViceIds ids = { .ViceIds_val = (afs_int32 *)a->id, .ViceIds_len = rnd() % 11 };
	IPAddrs addrs = { .IPAddrs_val = (afs_int32 *)a->addr, .IPAddrs_len = rnd() % 11 };

	a->nr_ids = ids.ViceIds_len;
	a->nr_addrs = addrs.IPAddrs_len;
	for (u32 i = 0; i < a->nr_ids; i++)
		a->id[i] = rnd_word();
	for (u32 i = 0; i < a->nr_addrs; i++)
		a->addr[i] = rnd_word();
	must(xdr_ViceIds(x, &ids));
	must(xdr_IPAddrs(x, &addrs));
	put_word(x, a->spare = rnd_word());
}

static void store_reply(XDR *x, union message *m)
{
	put_status(x, &m->stored.status, false);
	put_volsync(x, &m->stored.sync);
}

static void rename_reply(XDR *x, union message *m)
{
	put_status(x, &m->renamed.from_dir, false);
	put_status(x, &m->renamed.to_dir, false);
	put_volsync(x, &m->renamed.sync);
}

static void symlink_reply(XDR *x, union message *m)
{
	put_fid(x, &m->symlinked.fid);
	put_status(x, &m->symlinked.status, false);
	put_status(x, &m->symlinked.dir_status, false);
	put_volsync(x, &m->symlinked.sync);
}

static void link_reply(XDR *x, union message *m)
{
	put_status(x, &m->linked.status, false);
	put_status(x, &m->linked.dir_status, false);
	put_volsync(x, &m->linked.sync);
}

static void sync_reply(XDR *x, union message *m)
{
	put_volsync(x, &m->synced.sync);
}

static void put_caps(XDR *x, struct afsx_caps *caps)
{
	Capabilities c = { .Capabilities_val = caps->word, .Capabilities_len = rnd() % 197 };

	caps->nr = c.Capabilities_len;
	for (u32 i = 0; i < caps->nr; i++)
		caps->word[i] = rnd_word();
	must(xdr_Capabilities(x, &c));
}

static void caps_reply(XDR *x, union message *m)
{
	put_caps(x, &m->caps);
}

static void uuid_args(XDR *x, union message *m)
{
	put_uuid(x, (struct afsx_uuid *)m);
}

static void identity(XDR *x, union message *m)
{
	struct interfaceAddr a = { .numberOfInterfaces = (int)(rnd() % 33) };

	random_uuid(&a.uuid, &m->identity.uuid);
	m->identity.nr = (u32)a.numberOfInterfaces;
	for (u32 i = 0; i < m->identity.nr; i++) {
		a.addr_in[i] = (afs_int32)(m->identity.addr[i] = rnd_word());
		a.subnetmask[i] = (afs_int32)(m->identity.mask[i] = rnd_word());
		a.mtu[i] = (afs_int32)(m->identity.mtu[i] = rnd_word());
	}
	must(xdr_interfaceAddr(x, &a));
	put_caps(x, &m->identity.caps);
}

static void vl_name_args(XDR *x, union message *m)
{
	m->vl_name.name = put_string(x, 65);
}

static void vl_id_args(XDR *x, union message *m)
{
	m->vl_id.vid = rnd_word();
	m->vl_id.type = (s32)rnd_word();
	put_word(x, m->vl_id.vid);
	put_word(x, (u32)m->vl_id.type);
}

static void addrs_args(XDR *x, union message *m)
{
	m->addrs_args.mask = rnd_word();
	m->addrs_args.ip = rnd_word();
	m->addrs_args.index = rnd_word();
	put_word(x, m->addrs_args.mask);
	put_word(x, m->addrs_args.ip);
	put_word(x, m->addrs_args.index);
	put_word(x, 0);
	put_uuid(x, &m->addrs_args.uuid);
}

static void addrs_reply(XDR *x, union message *m)
{
	bulkaddrs b = { .bulkaddrs_val = m->addrs.addr, .bulkaddrs_len = rnd() % 17 };

	put_uuid(x, &m->addrs.uuid);
	m->addrs.uniquifier = rnd_word();
	put_word(x, m->addrs.uniquifier);
	m->addrs.nr = b.bulkaddrs_len;
	put_word(x, m->addrs.nr);
	for (u32 i = 0; i < m->addrs.nr; i++)
		m->addrs.addr[i] = rnd_word();
	must(xdr_bulkaddrs(x, &b));
}

/* What the three shapes of a VLDB entry have in common, in both structs */
static void random_vldb(struct afsx_vldb *v, u32 sites, char *name, afs_int32 *partition,
			afs_int32 *flags, afs_uint32 *ids)
{
	memcpy(v->name, text, rnd() % 65);
	memcpy(name, v->name, sizeof(v->name));
	v->nr = rnd() % (sites + 1);
	for (u32 i = 0; i < MAXTYPES; i++)
		v->vid[i] = rnd_word();
	memcpy(ids, v->vid, sizeof(v->vid));
	v->clone_id = rnd_word();
	v->flags = rnd_word();
	for (u32 i = 0; i < v->nr; i++) {
		partition[i] = (afs_int32)(v->server[i].partition = rnd_word());
		flags[i] = (afs_int32)(v->server[i].flags = rnd_word());
	}
}

static void vldb_old(XDR *x, union message *m)
{
	struct afsx_vldb *v = &m->vldb;
	struct vldbentry e = {};

	random_vldb(v, OMAXNSERVERS, e.name, e.serverPartition, e.serverFlags, e.volumeId);
	e.nServers = (afs_int32)v->nr;
	e.cloneId = v->clone_id;
	e.flags = (afs_int32)v->flags;
	for (u32 i = 0; i < v->nr; i++)
		e.serverNumber[i] = (afs_int32)(v->server[i].addr = rnd_word());
	must(xdr_vldbentry(x, &e));
}

static void put_vldb_n(XDR *x, struct afsx_vldb *v)
{
	struct nvldbentry e = {};

	random_vldb(v, NMAXNSERVERS, e.name, e.serverPartition, e.serverFlags, e.volumeId);
	e.nServers = (afs_int32)v->nr;
	e.cloneId = v->clone_id;
	e.flags = (afs_int32)v->flags;
	e.matchindex = (afs_int32)(v->match_index = rnd_word());
	for (u32 i = 0; i < v->nr; i++)
		e.serverNumber[i] = (afs_int32)(v->server[i].addr = rnd_word());
	must(xdr_nvldbentry(x, &e));
}

static void vldb_n(XDR *x, union message *m)
{
	put_vldb_n(x, &m->vldb);
}

static void list_args(XDR *x, union message *m)
{
	VldbListByAttributes a = { rnd_word(), (afs_int32)rnd_word(), (afs_int32)rnd_word(), 0,
				   rnd_word(), (afs_int32)rnd_word() };

	must(xdr_VldbListByAttributes(x, &a));
	m->list_args = (struct afsx_vl_list_args) {
		.mask = a.Mask, .server = (u32)a.server, .partition = (u32)a.partition,
		.vid = a.volumeid, .flag = (u32)a.flag, .name = put_string(x, 65),
		.start = (s32)rnd_word(),
	};
	put_word(x, (u32)m->list_args.start);
}

static void list_reply(XDR *x, union message *m)
{
	m->list.nr = rnd() % (AFSX_VL_LIST_MAX + 1);
	put_word(x, m->list.nr);
	put_word(x, m->list.nr);
	for (u32 i = 0; i < m->list.nr; i++)
		put_vldb_n(x, &m->list.entry[i]);
	m->list.next = (s32)rnd_word();
	put_word(x, (u32)m->list.next);
}

static void all_addrs_reply(XDR *x, union message *m)
{
	bulkaddrs b = { .bulkaddrs_val = m->all_addrs.addr, .bulkaddrs_len = rnd() % 17 };
	VLCallBack none = {};

	must(xdr_VLCallBack(x, &none));
	m->all_addrs.nr_servers = rnd_word();
	put_word(x, m->all_addrs.nr_servers);
	m->all_addrs.nr = b.bulkaddrs_len;
	for (u32 i = 0; i < m->all_addrs.nr; i++)
		m->all_addrs.addr[i] = rnd_word();
	must(xdr_bulkaddrs(x, &b));
}

static void vldb_u(XDR *x, union message *m)
{
	struct afsx_vldb *v = &m->vldb;
	struct uvldbentry e = {};

	random_vldb(v, NMAXNSERVERS, e.name, e.serverPartition, e.serverFlags, e.volumeId);
	e.nServers = (afs_int32)v->nr;
	e.cloneId = v->clone_id;
	e.flags = (afs_int32)v->flags;
	e.matchindex = (afs_int32)(v->match_index = rnd_word());
	for (u32 i = 0; i < v->nr; i++) {
		e.serverUnique[i] = (afs_int32)(v->server[i].uniquifier = rnd_word());
		random_uuid(&e.serverNumber[i], &v->server[i].uuid);
	}
	must(xdr_uvldbentry(x, &e));
}

static const struct {
	enum afsx_rpc_id id;
	bool reply;
	void (*make)(XDR *x, union message *m);
} rows[] = {
	{ AFSX_FS_FETCH_STATUS, false, fid_args },
	{ AFSX_FS_FETCH_DATA, false, fetch_data_args },
	{ AFSX_FS_FETCH_DATA64, false, fetch_data64_args },
	{ AFSX_FS_FETCH_STATUS, true, status_reply },
	{ AFSX_FS_FETCH_ACL, true, acl_reply },
	{ AFSX_FS_INLINE_BULK_STATUS, false, bulk_args },
	{ AFSX_FS_INLINE_BULK_STATUS, true, bulk_reply },
	{ AFSX_FS_BULK_STATUS, true, bulk_reply },
	{ AFSX_FS_GIVE_UP_CALLBACKS, false, callbacks },
	{ AFSX_FS_LOOKUP, false, lookup_args },
	{ AFSX_FS_LOOKUP, true, lookup_reply },
	{ AFSX_FS_STORE_DATA, false, store_data_args },
	{ AFSX_FS_STORE_DATA64, false, store_data64_args },
	{ AFSX_FS_STORE_DATA64, true, store_reply },
	{ AFSX_FS_STORE_ACL, false, store_acl_args },
	{ AFSX_FS_STORE_STATUS, false, store_status_args },
	{ AFSX_FS_REMOVE_FILE, false, lookup_args },
	{ AFSX_FS_CREATE_FILE, false, create_args },
	{ AFSX_FS_CREATE_FILE, true, lookup_reply },
	{ AFSX_FS_RENAME, false, rename_args },
	{ AFSX_FS_RENAME, true, rename_reply },
	{ AFSX_FS_SYMLINK, false, symlink_args },
	{ AFSX_FS_SYMLINK, true, symlink_reply },
	{ AFSX_FS_LINK, false, link_args },
	{ AFSX_FS_LINK, true, link_reply },
	{ AFSX_FS_SET_VOLUME_STATUS, false, set_volume_args },
	{ AFSX_FS_SET_LOCK, false, set_lock_args },
	{ AFSX_FS_SET_LOCK, true, sync_reply },
	{ AFSX_FS_FLUSH_CPS, false, flush_cps_args },
	{ AFSX_FS_GET_VOLUME_STATUS, true, volstatus },
	{ AFSX_FS_GET_CAPABILITIES, true, caps_reply },
	{ AFSX_VL_GET_ENTRY_BY_NAME_U, false, vl_name_args },
	{ AFSX_VL_GET_ENTRY_BY_ID, false, vl_id_args },
	{ AFSX_VL_GET_ENTRY_BY_ID, true, vldb_old },
	{ AFSX_VL_GET_ENTRY_BY_ID_N, true, vldb_n },
	{ AFSX_VL_GET_ENTRY_BY_ID_U, true, vldb_u },
	{ AFSX_VL_GET_ADDRS_U, false, addrs_args },
	{ AFSX_VL_GET_ADDRS_U, true, addrs_reply },
	{ AFSX_VL_GET_ADDRS, true, all_addrs_reply },
	{ AFSX_VL_LIST_ATTRIBUTES_N2, false, list_args },
	{ AFSX_VL_LIST_ATTRIBUTES_N2, true, list_reply },
	{ AFSX_CB_CALLBACK, false, callbacks },
	{ AFSX_CB_PROBE_UUID, false, uuid_args },
	{ AFSX_CB_TELL_ME_ABOUT_YOURSELF, true, identity },
};

static int encode(const struct afsx_rpc *rpc, bool reply, const void *msg, u8 *buf)
{
	return reply ? afsx_rpc_encode_reply(rpc, msg, buf, BUF_SIZE) :
		       afsx_rpc_encode_args(rpc, msg, buf, BUF_SIZE);
}

static bool agree(u32 row)
{
	static u8 theirs[BUF_SIZE], ours[BUF_SIZE];
	static union message msg, back;
	const struct afsx_rpc *rpc = afsx_rpc(rows[row].id);
	u32 head = rows[row].reply ? 0 : 4;
	int len, ret;
	XDR x;

	memset(&msg, 0, sizeof(msg));
	xdrmem_create(&x, (caddr_t)theirs, BUF_SIZE, XDR_ENCODE);
	if (head)
		put_word(&x, rpc->opcode);
	rows[row].make(&x, &msg);
	len = (int)xdr_getpos(&x);

	if (encode(rpc, rows[row].reply, &msg, ours) != len || memcmp(ours, theirs, (size_t)len))
		return false;
	ret = rows[row].reply ?
		afsx_rpc_decode_reply(rpc, theirs, (size_t)len, &back) :
		afsx_rpc_decode_args(rpc, theirs + 4, (size_t)len - 4, &back);
	if (ret)
		return false;
	memset(ours, 0, sizeof(ours));
	return encode(rpc, rows[row].reply, &back, ours) == len &&
	       !memcmp(ours, theirs, (size_t)len);
}

int main(void)
{
	for (u32 i = 0; i < sizeof(text); i++)
		text[i] = (char)(1 + rnd() % 255);
	for (u32 row = 0; row < ARRAY_SIZE(rows); row++) {
		for (u32 round = 0; round < ROUNDS; round++) {
			if (agree(row))
				continue;
			printf("%s %s differ from OpenAFS's in round %u\n",
			       afsx_rpc(rows[row].id)->name, rows[row].reply ? "reply" : "args",
			       round);
			return 1;
		}
	}
	printf("%zu messages agree with OpenAFS, %u times each\n", ARRAY_SIZE(rows), ROUNDS);
	return 0;
}
