// SPDX-License-Identifier: GPL-2.0
/*
 * Volumes, and the lists of servers that hold them.
 */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <afsx/source.h>
#include "call.h"
#include "cell.h"
#include "net.h"
#include "server.h"
#include "vlclient.h"
#include "volume.h"

void afsx_sites_put(struct afsx_sites *sites)
{
	unsigned int i;

	if (!sites || !refcount_dec_and_test(&sites->ref))
		return;
	for (i = 0; i < sites->nr; i++)
		afsx_server_put(sites->server[i]);
	kfree_rcu(sites, rcu);
}

struct afsx_sites *afsx_volume_sites(struct afsx_volume *volume)
{
	struct afsx_sites *sites;

	rcu_read_lock();
	do {
		sites = rcu_dereference(volume->sites);
	} while (!refcount_inc_not_zero(&sites->ref));
	rcu_read_unlock();
	return sites;
}

/* May a site be asked for a volume of some type? */
static bool afsx_site_serves(const struct afsx_vldb_server *site,
			     enum afsx_voltype type)
{
	static const u32 mask[AFSX_VOL_TYPES] = {
		[AFSX_VOL_RW]		= AFSX_VLSF_RWVOL,
		[AFSX_VOL_RO]		= AFSX_VLSF_ROVOL,
		/* A backup volume lives beside its R/W volume. */
		[AFSX_VOL_BACKUP]	= AFSX_VLSF_RWVOL | AFSX_VLSF_BACKVOL,
	};

	return (site->flags & mask[type]) && !(site->flags & AFSX_VLSF_DONTUSE);
}

/*
 * While a release is under way some replicas hold the new contents and some
 * the old. Never mix them: the majority is used.
 */
static u32 afsx_vldb_release_flag(const struct afsx_vldb *entry, bool *matters)
{
	unsigned int i, usable = 0, released = 0;

	for (i = 0; i < entry->nr; i++) {
		if (!afsx_site_serves(&entry->server[i], AFSX_VOL_RO))
			continue;
		usable++;
		if (entry->server[i].flags & AFSX_VLSF_NEWREPSITE)
			released++;
	}
	*matters = released > 0 && released < usable;
	return released > usable / 2 ? AFSX_VLSF_NEWREPSITE : 0;
}

static struct afsx_server *afsx_site_server(struct afsx_cell *cell,
					    const struct afsx_caller *by,
					    const struct afsx_vldb_server *site)
{
	const u8 *uuid = site->uuid.b;

	if (site->addr)
		return afsx_server_get_by_addr(cell, site->addr);
	/* A server without an identity has its address in the first word. */
	if (!(site->flags & AFSX_VLSF_UUID) &&
	    !memchr_inv(uuid + 4, 0, sizeof(site->uuid.b) - 4))
		return afsx_server_get_by_addr(cell, get_unaligned_be32(uuid));
	return afsx_server_get_by_uuid(cell, by, &site->uuid, site->uniquifier);
}

static bool afsx_sites_contain(const struct afsx_sites *sites,
			       const struct afsx_server *server)
{
	unsigned int i;

	for (i = 0; i < sites->nr; i++)
		if (sites->server[i] == server)
			return true;
	return false;
}

/* The compiler may check an index against nr. */
static void afsx_sites_append(struct afsx_sites *sites,
			      struct afsx_server *server)
{
	sites->nr++;
	sites->server[sites->nr - 1] = server;
}

static bool afsx_sites_equal(const struct afsx_sites *a,
			     const struct afsx_sites *b)
{
	unsigned int i;

	if (a->nr != b->nr)
		return false;
	for (i = 0; i < a->nr; i++)
		if (!afsx_sites_contain(b, a->server[i]))
			return false;
	return true;
}

/* Make the list of servers that hold one of the volumes of an entry. */
static struct afsx_sites *afsx_sites_build(struct afsx_cell *cell,
					   const struct afsx_caller *by,
					   const struct afsx_vldb *entry,
					   enum afsx_voltype type)
{
	struct afsx_server *server = ERR_PTR(-ENOMEDIUM);
	struct afsx_sites *sites;
	bool matters = false, gave_up = false;
	u32 flag = 0;
	unsigned int i;

	sites = kzalloc(struct_size(sites, server, AFSX_VLSERVERS_MAX), GFP_KERNEL);
	if (!sites)
		return ERR_PTR(-ENOMEM);
	refcount_set(&sites->ref, 1);
	if (type == AFSX_VOL_RO)
		flag = afsx_vldb_release_flag(entry, &matters);

	for (i = 0; i < entry->nr; i++) {
		const struct afsx_vldb_server *site = &entry->server[i];

		if (!afsx_site_serves(site, type))
			continue;
		if (matters && (site->flags & AFSX_VLSF_NEWREPSITE) != flag)
			continue;
		server = afsx_site_server(cell, by, site);
		gave_up = IS_ERR(server) && afsx_gave_up(PTR_ERR(server));
		if (gave_up)
			break;
		/* One server that cannot be found must not hide the others. */
		if (IS_ERR(server))
			continue;
		if (afsx_sites_contain(sites, server))
			afsx_server_put(server);
		else
			afsx_sites_append(sites, server);
	}
	if (sites->nr && !gave_up)
		return sites;
	afsx_sites_put(sites);
	return ERR_CAST(server);
}

struct afsx_volume *afsx_volume_get(struct afsx_volume *volume)
{
	refcount_inc(&volume->ref);
	return volume;
}

void afsx_volume_put(struct afsx_volume *volume)
{
	struct afsx_net *net;

	if (!refcount_dec_and_test(&volume->ref))
		return;
	net = volume->cell->net;
	spin_lock(&net->volumes_lock);
	list_del_rcu(&volume->link);
	spin_unlock(&net->volumes_lock);

	afsx_sites_put(rcu_dereference_protected(volume->sites, true));
	afsx_cell_put(volume->cell);
	mutex_destroy(&volume->lock);
	kfree_rcu(volume, rcu);
}

static struct afsx_volume *afsx_volume_alloc(struct afsx_cell *cell,
					     const struct afsx_vldb *entry,
					     enum afsx_voltype type)
{
	struct afsx_volume *volume;

	volume = kzalloc(sizeof(*volume), GFP_KERNEL);
	if (!volume)
		return NULL;
	refcount_set(&volume->ref, 1);
	mutex_init(&volume->lock);
	volume->cell = afsx_cell_get(cell);
	volume->vid = entry->vid[type];
	volume->type = type;
	strscpy(volume->name, entry->name);
	return volume;
}

/* Find a record. volumes_lock is held. */
static struct afsx_volume *afsx_volume_find(struct afsx_cell *cell, u32 vid)
{
	struct afsx_volume *volume;

	list_for_each_entry(volume, &cell->net->volumes, link)
		if (volume->cell == cell && volume->vid == vid &&
		    refcount_inc_not_zero(&volume->ref))
			return volume;
	return NULL;
}

/*
 * Note an answer of the VLDB: replace the list of servers unless it is the same.
 * volumes_lock is held. Return: the list to be put.
 */
static struct afsx_sites *afsx_volume_set_sites(struct afsx_volume *volume,
						struct afsx_sites *sites)
{
	struct afsx_sites *old;

	old = rcu_dereference_protected(volume->sites,
					lockdep_is_held(&volume->cell->net->volumes_lock));
	WRITE_ONCE(volume->vldb_time, get_jiffies_64());
	if (old && afsx_sites_equal(old, sites))
		return sites;
	rcu_assign_pointer(volume->sites, sites);
	return old;
}

/*
 * Publish @new unless there is a record already. Return: the counted record
 * that is published. @sites is used up.
 */
static struct afsx_volume *afsx_volume_publish(struct afsx_volume *new,
					       struct afsx_sites *sites)
{
	struct afsx_net *net = new->cell->net;
	struct afsx_volume *volume;
	struct afsx_sites *old;

	spin_lock(&net->volumes_lock);
	volume = afsx_volume_find(new->cell, new->vid);
	if (!volume) {
		volume = new;
		list_add_rcu(&volume->link, &net->volumes);
	}
	old = afsx_volume_set_sites(volume, sites);
	spin_unlock(&net->volumes_lock);

	afsx_sites_put(old);
	if (volume != new) {
		afsx_cell_put(new->cell);
		kfree(new);
	}
	return volume;
}

/* Why a step of a look-up failed: @missing, @failed, or what is not its fault. */
static const char *afsx_volume_why(int error, const char *missing,
				   const char *failed)
{
	switch (error) {
	case -ENOMEDIUM:
		return missing;
	case -EDESTADDRREQ:
		return "the cell has no VL servers";
	case -EAFNOSUPPORT:
		return "the cell's VL servers have only IPv6 addresses";
	case -EINTR:
		return "interrupted";
	case -ENOMEM:
		return "out of memory";
	case -ESHUTDOWN:
		return "ended by umount -f";
	default:
		return failed;
	}
}

/* Make the record of one of the volumes of an entry, or update it. */
static struct afsx_volume *afsx_volume_from_entry(struct afsx_cell *cell,
						  const struct afsx_caller *by,
						  const struct afsx_vldb *entry,
						  enum afsx_voltype type,
						  const char **why)
{
	struct afsx_volume *volume;
	struct afsx_sites *sites;

	sites = afsx_sites_build(cell, by, entry, type);
	if (IS_ERR(sites)) {
		*why = afsx_volume_why(PTR_ERR(sites),
				       "the VLDB names no server that holds it",
				       "the addresses of its servers cannot be found");
		return ERR_CAST(sites);
	}
	volume = afsx_volume_alloc(cell, entry, type);
	if (!volume) {
		*why = "out of memory";
		afsx_sites_put(sites);
		return ERR_PTR(-ENOMEM);
	}
	return afsx_volume_publish(volume, sites);
}

struct afsx_volume *afsx_volume_lookup(struct afsx_cell *cell,
				       const struct afsx_caller *by,
				       const struct afsx_source *src,
				       const char **why)
{
	struct afsx_volume *volume;
	struct afsx_vldb *entry;
	int ret;

	*why = "out of memory";
	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return ERR_PTR(-ENOMEM);
	ret = afsx_vl_entry(cell, by, src->numeric ? NULL : &src->volume,
			    src->vid, entry);
	if (ret < 0) {
		*why = afsx_volume_why(ret, "it does not exist",
				       "its entry cannot be had from the VL servers");
	} else {
		*why = "it has no volume of this type";
		ret = afsx_source_pick(src, entry->flags);
	}
	volume = ret < 0 ? ERR_PTR(ret) :
			   afsx_volume_from_entry(cell, by, entry, ret, why);
	kfree(entry);
	return volume == ERR_PTR(-ESHUTDOWN) ? ERR_PTR(-EIO) : volume;
}

static int afsx_volume_ask(struct afsx_volume *volume,
			   const struct afsx_caller *by,
			   struct afsx_vldb *entry)
{
	struct afsx_net *net = volume->cell->net;
	struct afsx_sites *sites, *unused;
	int ret;

	ret = afsx_vl_entry(volume->cell, by, NULL, volume->vid, entry);
	if (ret < 0)
		return ret;
	if (entry->vid[volume->type] != volume->vid)
		return -ENOMEDIUM;
	sites = afsx_sites_build(volume->cell, by, entry, volume->type);
	if (IS_ERR(sites))
		return PTR_ERR(sites);

	spin_lock(&net->volumes_lock);
	unused = afsx_volume_set_sites(volume, sites);
	spin_unlock(&net->volumes_lock);
	ret = unused != sites;
	afsx_sites_put(unused);
	return ret;
}

int afsx_volume_refresh(struct afsx_volume *volume,
			const struct afsx_caller *by, u64 since)
{
	struct afsx_vldb *entry;
	int ret;

	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return -ENOMEM;
	ret = -EINTR;
	if (mutex_lock_killable(&volume->lock))
		goto out;
	ret = 0;
	if (!time_after64(READ_ONCE(volume->vldb_time), since))
		ret = afsx_volume_ask(volume, by, entry);
	mutex_unlock(&volume->lock);
out:
	kfree(entry);
	return ret;
}
