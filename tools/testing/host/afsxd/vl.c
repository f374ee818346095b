// SPDX-License-Identifier: MIT
/* Calls of the volume location service. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

#include <afs/vlserver.h>

/* The three forms of an entry have these fields in common. */
struct entry {
	const char *name;
	const afs_uint32 *ids;
	afs_int32 flags;
	afs_int32 nr;
	const afs_int32 *site_flags;
	const afs_int32 *partitions;
};

#define ENTRY(e) ({ \
	const __typeof__(e) *e_ = &(e); \
	\
	(struct entry){ e_->name, e_->volumeId, e_->flags, e_->nServers, \
			e_->serverFlags, e_->serverPartition }; })

static afs_int32 flags_of(const char *exists)
{
	return (strchr(exists, 'w') ? VLF_RWEXISTS : 0) |
	       (strchr(exists, 'r') ? VLF_ROEXISTS : 0) |
	       (strchr(exists, 'b') ? VLF_BACKEXISTS : 0);
}

/*
 * A group of one server has a read/write site, and a read-only site when there
 * is such a volume; @extra are flags of the form.
 */
static void expect_entry(const struct entry *e, const char *name, uint32_t id,
			 const char *exists, afs_int32 extra)
{
	bool replica = strchr(exists, 'r');

	expect_text("name", e->name, name);
	expect("R/W id", e->ids[0], id);
	expect("R/O id", e->ids[1], id + 1);
	expect("backup id", e->ids[2], id + 2);
	expect("flags", e->flags, flags_of(exists));
	expect("servers", e->nr, replica ? 2 : 1);
	expect("site 0", e->site_flags[0], VLSF_RWVOL | extra);
	expect("partition 0", e->partitions[0], 0);
	if (replica)
		expect("site 1", e->site_flags[1], VLSF_ROVOL | extra);
}

static void expect_code(const char *what, int code)
{
	if (code)
		fail("%s: %d", what, code);
}

static void expect_u(const char *key, char **args)
{
	struct uvldbentry u = { 0 };
	struct entry e;
	int i;

	expect_code("GetEntryByNameU", VL_GetEntryByNameU(client.vl,
							  (char *)key, &u));
	e = ENTRY(u);
	expect_entry(&e, args[0], number(args[1]), args[2], VLSF_UUID);
	for (i = 0; i < u.nServers; i++) {
		expect_uuid("server", &u.serverNumber[i], &u.serverNumber[0]);
		expect("uniquifier", u.serverUnique[i], u.serverUnique[0]);
	}
}

static void expect_n(const struct nvldbentry *n, char **args)
{
	struct entry e = ENTRY(*n);
	int i;

	expect_entry(&e, args[0], number(args[1]), args[2], 0);
	for (i = 0; i < n->nServers; i++)
		expect("server", ntohl(htonl(n->serverNumber[i])),
		       client.server);
}

static void expect_old(const struct vldbentry *o, char **args)
{
	struct entry e = ENTRY(*o);
	int i;

	expect_entry(&e, args[0], number(args[1]), args[2], 0);
	for (i = 0; i < o->nServers; i++)
		expect("server", (afs_uint32)o->serverNumber[i], client.server);
}

/* vl NAME ID EXISTS: every way to ask for a volume group */
static void check_vl(char **args, int nr)
{
	static const char *const suffixes[] = { "", ".readonly", ".backup" };
	uint32_t id = number(args[1]);
	struct nvldbentry n = { 0 };
	struct vldbentry o = { 0 };
	char key[128];
	int type;

	expect_u(args[0], args);
	expect_code("ByNameN", VL_GetEntryByNameN(client.vl, args[0], &n));
	expect_n(&n, args);
	expect_code("ByNameO", VL_GetEntryByNameO(client.vl, args[0], &o));
	expect_old(&o, args);
	for (type = 0; type < 3; type++) {
		snprintf(key, sizeof(key), "%s%s", args[0], suffixes[type]);
		expect_u(key, args);
		snprintf(key, sizeof(key), "%u", id + type);
		expect_u(key, args);
		expect_code("ByIDN any", VL_GetEntryByIDN(client.vl, id + type,
							  -1, &n));
		expect_n(&n, args);
		expect_code("ByIDN", VL_GetEntryByIDN(client.vl, id + type,
						      type, &n));
		expect_code("ByID", VL_GetEntryByID(client.vl, id + type, type,
						    &o));
		expect_old(&o, args);
	}
	expect("ByIDN of another type",
	       VL_GetEntryByIDN(client.vl, id, 1, &n), VL_NOENT);
	expect("ByIDN of no type", VL_GetEntryByIDN(client.vl, id, 3, &n),
	       VL_BADVOLTYPE);
}

/* vl-none NAME: there is no such volume */
static void check_none(char **args, int nr)
{
	struct uvldbentry u;
	struct nvldbentry n;
	struct vldbentry o;

	expect("U", VL_GetEntryByNameU(client.vl, args[0], &u), VL_NOENT);
	expect("N", VL_GetEntryByNameN(client.vl, args[0], &n), VL_NOENT);
	expect("O", VL_GetEntryByNameO(client.vl, args[0], &o), VL_NOENT);
}

static int get_addrs(ListAddrByAttributes *key, afsUUID *uuid,
		     bulkaddrs *addrs)
{
	afs_int32 uniquifier, nr;
	int code;

	memset(addrs, 0, sizeof(*addrs));
	code = VL_GetAddrsU(client.vl, key, uuid, &uniquifier, &nr, addrs);
	if (!code)
		expect("entries", nr, addrs->bulkaddrs_len);
	return code;
}

/* Addresses travel as numbers: the first octet is the highest. */
static void expect_addrs(ListAddrByAttributes *key, const afsUUID *uuid,
			 int nr)
{
	bulkaddrs addrs;
	afsUUID got;
	u_int i, found = 0;

	expect_code("GetAddrsU", get_addrs(key, &got, &addrs));
	expect_uuid("server", &got, uuid);
	expect("addresses", addrs.bulkaddrs_len, nr);
	for (i = 0; i < addrs.bulkaddrs_len; i++)
		found += addrs.bulkaddrs_val[i] == client.server;
	expect("times our address is there", found, 1);
	free(addrs.bulkaddrs_val);
}

/* addrs NAME NUMBER: the server of a volume, by each of the keys */
static void check_addrs(char **args, int nr)
{
	ListAddrByAttributes key = { .Mask = VLADDR_UUID };
	struct uvldbentry u;
	bulkaddrs addrs;
	afsUUID got;

	expect_code("GetEntryByNameU",
		    VL_GetEntryByNameU(client.vl, args[0], &u));
	key.uuid = u.serverNumber[0];
	expect_addrs(&key, &u.serverNumber[0], number(args[1]));
	key.Mask = VLADDR_IPADDR;
	key.ipaddr = client.server;
	expect_addrs(&key, &u.serverNumber[0], number(args[1]));
	key.Mask = VLADDR_INDEX;
	key.index = 1;
	expect_addrs(&key, &u.serverNumber[0], number(args[1]));
	key.index = 2;
	expect("another index", get_addrs(&key, &got, &addrs), VL_NOENT);
	key.index = 0;
	expect("index 0", get_addrs(&key, &got, &addrs), VL_BADINDEX);
	key.Mask = VLADDR_INDEX | VLADDR_UUID;
	expect("two keys", get_addrs(&key, &got, &addrs), VL_BADMASK);
	key.Mask = VLADDR_UUID;
	key.uuid.time_low ^= 1;
	expect("another UUID", get_addrs(&key, &got, &addrs), VL_NOENT);
	key.Mask = VLADDR_IPADDR;
	key.ipaddr ^= 1u << 16;
	expect("another address", get_addrs(&key, &got, &addrs), VL_NOENT);
}

static void check_probe(char **args, int nr)
{
	expect_code("ProbeServer", VL_ProbeServer(client.vl));
}

const struct command vl_commands[] = {
	{ "vl", 3, check_vl },
	{ "vl-none", 1, check_none },
	{ "addrs", 2, check_addrs },
	{ "vl-probe", 0, check_probe },
	{ 0 }
};
