// SPDX-License-Identifier: GPL-2.0
/*
 * Cells: what is known of them, and asking DNS for the rest.
 */
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/dns_resolver.h>
#include <kunit/visibility.h>
#include "cell.h"
#include "net.h"
#include "proc.h"
#include "server.h"

/* Seconds that an answer of DNS without an expiry time of its own is used. */
#define AFSX_DNS_MIN_TTL	60
/* Seconds until DNS is asked again after it had no answer. */
#define AFSX_DNS_RETRY		10

static unsigned int dns_cells = 4096;
module_param(dns_cells, uint, 0644);
MODULE_PARM_DESC(dns_cells, "cells that are remembered because DNS knows them, per namespace");

struct afsx_cell *afsx_cell_get(struct afsx_cell *cell)
{
	refcount_inc(&cell->ref);
	return cell;
}

void afsx_cell_put(struct afsx_cell *cell)
{
	if (!refcount_dec_and_test(&cell->ref))
		return;
	afsx_addrs_put(rcu_dereference_protected(cell->vl, true));
	mutex_destroy(&cell->lock);
	kfree_rcu(cell, rcu);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_cell_put);

static struct afsx_cell *afsx_cell_alloc(struct afsx_net *net, const char *name,
					 size_t len)
{
	struct afsx_cell *cell;
	size_t i;

	cell = kzalloc(struct_size(cell, name, len + 1), GFP_KERNEL);
	if (!cell)
		return NULL;
	cell->net = net;
	refcount_set(&cell->ref, 1);
	mutex_init(&cell->lock);
	INIT_LIST_HEAD(&cell->link);
	cell->source = AFSX_CELL_DNS;
	cell->name_len = len + 1;
	for (i = 0; i < len; i++)
		cell->name[i] = tolower(name[i]);
	return cell;
}

/*
 * Find the place of a name in the sorted list. Return: the cell of that name,
 * or NULL, and then @after is what a new cell goes behind. cells_lock is held.
 */
static struct afsx_cell *afsx_cell_search(struct afsx_net *net, const char *name,
					  size_t len, struct list_head **after)
{
	struct afsx_cell *cell;
	int order;

	*after = &net->cells;
	list_for_each_entry(cell, &net->cells, link) {
		order = strncasecmp(cell->name, name, len) ?: cell->name[len];
		if (order == 0)
			return cell;
		if (order > 0)
			break;
		*after = &cell->link;
	}
	return NULL;
}

struct afsx_cell *afsx_cell_find(struct afsx_net *net, const char *name,
				 size_t len)
{
	struct list_head *after;
	struct afsx_cell *cell;

	down_read(&net->cells_lock);
	cell = len ? afsx_cell_search(net, name, len, &after) : net->root_cell;
	if (cell)
		afsx_cell_get(cell);
	up_read(&net->cells_lock);
	return cell;
}

/*
 * Anybody can have cells remembered that DNS knows. When there are too many, the
 * oldest that is not in use goes. cells_lock is held for writing, so that nobody
 * finds a cell to count. Return: whether there is room.
 */
static bool afsx_cells_make_room(struct afsx_net *net)
{
	struct afsx_cell *cell, *oldest = NULL;
	unsigned int nr = 0;

	list_for_each_entry(cell, &net->cells, link) {
		if (cell->kept)
			continue;
		nr++;
		if (refcount_read(&cell->ref) == 1 &&
		    (!oldest || cell->ino < oldest->ino))
			oldest = cell;
	}
	if (nr < READ_ONCE(dns_cells))
		return true;
	if (!oldest)
		return false;
	list_del(&oldest->link);
	afsx_proc_remove_cell(oldest);
	afsx_cell_put(oldest);
	return true;
}

/*
 * Put a new cell on the list, which takes the reference, unless there is one
 * of that name already. Return: the counted cell that is on the list.
 */
static struct afsx_cell *afsx_cell_insert(struct afsx_cell *cell)
{
	struct afsx_net *net = cell->net;
	struct afsx_cell *other;
	struct list_head *after;

	down_write(&net->cells_lock);
	other = afsx_cell_search(net, cell->name, cell->name_len - 1, &after);
	if (other)
		other->kept |= cell->kept;
	else if (!cell->kept && !afsx_cells_make_room(net))
		other = ERR_PTR(-ENOSPC);
	if (!other) {
		/* What it was to go behind may have gone. */
		afsx_cell_search(net, cell->name, cell->name_len - 1, &after);
		cell->ino = ++net->cells_seq;
		list_add(&cell->link, after);
		afsx_proc_add_cell(cell);
	}
	if (!IS_ERR(other))
		afsx_cell_get(other ?: cell);
	up_write(&net->cells_lock);

	if (!other)
		return cell;
	afsx_cell_put(cell);
	return other;
}

/* Replace a cell's addresses. The cell's lock is held. */
static void afsx_cell_set_addrs(struct afsx_cell *cell, struct afsx_addrs *addrs)
{
	struct afsx_addrs *old;

	old = rcu_replace_pointer(cell->vl, addrs, lockdep_is_held(&cell->lock));
	afsx_addrs_put(old);
}

static int afsx_cell_ask_dns(struct afsx_cell *cell)
{
	time64_t expiry = 0, now = ktime_get_real_seconds();
	u32 ip[AFSX_VLSERVERS_MAX];
	struct afsx_addrs *addrs;
	char *answer = NULL;
	int nr;

	nr = dns_query(cell->net->net, "afsdb", cell->name, cell->name_len - 1,
		       "srv=1", &answer, &expiry, true);
	if (nr >= 0)
		nr = afsx_cell_dns_parse(answer, nr, ip, ARRAY_SIZE(ip));
	kfree(answer);
	/* The helper, too, may have failed with such an error. */
	if ((nr == -EINTR || nr == -ERESTARTSYS) && signal_pending(current))
		return -EINTR;
	if (nr == -ENOMEM || nr == -EAFNOSUPPORT)
		return nr;
	if (nr <= 0)
		return -EDESTADDRREQ;

	addrs = afsx_addrs_alloc(ip, nr, AFSX_VL_PORT);
	if (!addrs)
		return -ENOMEM;
	afsx_cell_set_addrs(cell, addrs);
	/* A key that never expires says TIME64_MAX. */
	cell->dns_expiry = max(expiry, now + AFSX_DNS_MIN_TTL);
	return 0;
}

/*
 * Ask DNS for a cell's VL servers. The cell's lock is held. When DNS does not
 * answer, it is let alone for a while: everybody who wants the cell waits here.
 */
static void afsx_cell_refresh(struct afsx_cell *cell)
{
	cell->dns_error = afsx_cell_ask_dns(cell);
	if (cell->dns_error == -EDESTADDRREQ ||
	    cell->dns_error == -EAFNOSUPPORT)
		WRITE_ONCE(cell->dns_expiry,
			   ktime_get_real_seconds() + AFSX_DNS_RETRY);
}

static bool afsx_cell_is_stale(const struct afsx_cell *cell)
{
	return READ_ONCE(cell->source) == AFSX_CELL_DNS &&
	       ktime_get_real_seconds() >= READ_ONCE(cell->dns_expiry);
}

struct afsx_addrs *afsx_cell_vl_addrs(struct afsx_cell *cell)
{
	struct afsx_addrs *addrs;
	int ret = 0;

	if (afsx_cell_is_stale(cell)) {
		if (mutex_lock_killable(&cell->lock))
			return ERR_PTR(-EINTR);
		if (afsx_cell_is_stale(cell))
			afsx_cell_refresh(cell);
		ret = cell->dns_error;
		mutex_unlock(&cell->lock);
		if (ret == -EINTR)
			return ERR_PTR(ret);
	}
	/* Old addresses are better than none. */
	addrs = afsx_addrs_get(&cell->vl);
	return addrs ?: ERR_PTR(READ_ONCE(cell->dns_error) ?: -EDESTADDRREQ);
}

struct afsx_cell *afsx_cell_lookup(struct afsx_net *net, const char *name,
				   size_t len)
{
	struct afsx_addrs *addrs;
	struct afsx_cell *cell;
	const char *why;
	int ret;

	cell = afsx_cell_find(net, name, len);
	if (cell)
		return cell;
	if (!len)
		return ERR_PTR(-EDESTADDRREQ);
	ret = afsx_cell_name_check(name, len, &why);
	if (ret < 0)
		return ERR_PTR(ret);

	/* A name becomes a cell when DNS knows it. */
	cell = afsx_cell_alloc(net, name, len);
	if (!cell)
		return ERR_PTR(-ENOMEM);
	addrs = afsx_cell_vl_addrs(cell);
	if (IS_ERR(addrs)) {
		afsx_cell_put(cell);
		return ERR_CAST(addrs);
	}
	afsx_addrs_put(addrs);
	return afsx_cell_insert(cell);
}

struct afsx_cell *afsx_cell_add(struct afsx_net *net, const char *name,
				size_t len, const u32 *ip, unsigned int nr)
{
	struct afsx_addrs *addrs = NULL;
	struct afsx_cell *cell;
	const char *why;
	int ret;

	ret = afsx_cell_name_check(name, len, &why);
	if (ret < 0)
		return ERR_PTR(ret);
	if (nr) {
		addrs = afsx_addrs_alloc(ip, nr, AFSX_VL_PORT);
		if (!addrs)
			return ERR_PTR(-ENOMEM);
	}
	cell = afsx_cell_alloc(net, name, len);
	if (!cell) {
		afsx_addrs_put(addrs);
		return ERR_PTR(-ENOMEM);
	}

	cell->kept = true;
	/* Whoever finds it on the list finds its addresses. */
	if (addrs) {
		cell->source = AFSX_CELL_CONFIG;
		refcount_inc(&addrs->ref);
		RCU_INIT_POINTER(cell->vl, addrs);
	}
	cell = afsx_cell_insert(cell);
	if (IS_ERR(cell)) {
		afsx_addrs_put(addrs);
		return cell;
	}
	mutex_lock(&cell->lock);
	if (addrs) {
		cell->source = AFSX_CELL_CONFIG;
		afsx_cell_set_addrs(cell, addrs);
	} else {
		cell->source = AFSX_CELL_DNS;
		cell->dns_expiry = 0;
	}
	mutex_unlock(&cell->lock);
	return cell;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_cell_add);

static int afsx_cell_add_spec(struct afsx_net *net, const char *text,
			      struct afsx_cell **_cell)
{
	struct afsx_cell_spec spec;
	struct afsx_cell *cell;
	const char *why;
	int ret;

	ret = afsx_cell_spec_parse(text, &spec, &why);
	if (ret < 0) {
		pr_notice("afsx: cell '%s': %s\n", text, why);
		return ret;
	}
	cell = afsx_cell_add(net, spec.name, spec.len, spec.ip, spec.nr);
	if (IS_ERR(cell))
		return PTR_ERR(cell);
	*_cell = cell;
	return 0;
}

int afsx_cell_configure(struct afsx_net *net, const char *name,
			const char *addrs)
{
	struct afsx_cell *cell;
	char *text;
	int ret;

	text = kasprintf(GFP_KERNEL, "%s%s%s", name, *addrs ? ":" : "", addrs);
	if (!text)
		return -ENOMEM;
	ret = afsx_cell_add_spec(net, text, &cell);
	kfree(text);
	if (ret == 0)
		afsx_cell_put(cell);
	return ret;
}

int afsx_cell_set_root(struct afsx_net *net, const char *text)
{
	struct afsx_cell *cell, *old;
	int ret;

	ret = afsx_cell_add_spec(net, text, &cell);
	if (ret < 0)
		return ret;

	down_write(&net->cells_lock);
	old = net->root_cell;
	net->root_cell = cell;
	net->cells_seq++;
	up_write(&net->cells_lock);
	if (old)
		afsx_cell_put(old);
	return 0;
}

void afsx_cells_exit_net(struct afsx_net *net)
{
	struct afsx_cell *cell, *next;

	down_write(&net->cells_lock);
	cell = net->root_cell;
	net->root_cell = NULL;
	if (cell)
		afsx_cell_put(cell);
	list_for_each_entry_safe(cell, next, &net->cells, link) {
		list_del_init(&cell->link);
		afsx_cell_put(cell);
	}
	up_write(&net->cells_lock);
}
