// SPDX-License-Identifier: GPL-2.0
/*
 * Loading and unloading, module parameters, and the state per network namespace.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/uuid.h>
#include <linux/workqueue.h>
#include <kunit/visibility.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "call.h"
#include "cell.h"
#include "cmservice.h"
#include "mntpt.h"
#include "net.h"
#include "proc.h"
#include "server.h"
#include "super.h"
#include "vnode.h"

MODULE_DESCRIPTION("AFS client");
MODULE_LICENSE("GPL");
MODULE_ALIAS_FS("afsx");

static char *rootcell;
module_param(rootcell, charp, 0444);
MODULE_PARM_DESC(rootcell, "root cell: NAME[:IP[:IP]...], the addresses of its VL servers");

static char *uuid;
module_param(uuid, charp, 0444);
MODULE_PARM_DESC(uuid, "identity that file servers know this client by, kept over reloads");

struct workqueue_struct *afsx_wq;

static unsigned int afsx_net_id;

struct afsx_net *afsx_net(const struct net *net)
{
	return net_generic(net, afsx_net_id);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_net);

/*
 * A server takes two clients with the same UUID for one, so uuid= is for the
 * first namespace alone.
 */
static int afsx_set_uuid(struct afsx_net *net)
{
	uuid_t id;

	if (uuid && net_eq(net->net, &init_net)) {
		if (uuid_parse(uuid, &id)) {
			pr_err("uuid=%s: not a UUID\n", uuid);
			return -EINVAL;
		}
	} else {
		uuid_gen(&id);
	}
	export_uuid(net->uuid.b, &id);
	return 0;
}

static int __net_init afsx_init_net(struct net *ns)
{
	struct afsx_net *net = afsx_net(ns);
	int ret;

	net->net = ns;
	net->live = true;
	mutex_init(&net->socket_lock);
	INIT_WORK(&net->charge_work, afsx_cmservice_charge);
	init_rwsem(&net->cells_lock);
	INIT_LIST_HEAD(&net->cells);
	spin_lock_init(&net->servers_lock);
	INIT_LIST_HEAD(&net->servers);
	spin_lock_init(&net->volumes_lock);
	INIT_LIST_HEAD(&net->volumes);

	ret = afsx_set_uuid(net);
	if (ret)
		return ret;
	ret = afsx_proc_init_net(net);
	if (ret)
		return ret;
	if (rootcell && *rootcell)
		ret = afsx_cell_set_root(net, rootcell);
	if (ret)
		goto err_cells;
	return 0;

err_cells:
	afsx_proc_exit_net(net);
	afsx_cells_exit_net(net);
	return ret;
}

/*
 * Servers hold their cells and say goodbye over the socket, so the socket goes
 * last. Volumes went with the superblocks.
 */
static void __net_exit afsx_exit_net(struct net *ns)
{
	struct afsx_net *net = afsx_net(ns);

	net->live = false;
	afsx_proc_exit_net(net);
	afsx_cells_exit_net(net);
	afsx_servers_exit_net(net);
	afsx_transport_close(net);
}

/* A device: its exit comes before that of rxrpc, which was there before it. */
static struct pernet_operations afsx_net_ops = {
	.init	= afsx_init_net,
	.exit	= afsx_exit_net,
	.id	= &afsx_net_id,
	.size	= sizeof(struct afsx_net),
};

static int __init afsx_init(void)
{
	int ret = -ENOMEM;

	afsx_wq = alloc_workqueue("afsx", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!afsx_wq)
		return ret;
	ret = afsx_inode_cache_init();
	if (ret)
		goto err_wq;
	ret = register_pernet_device(&afsx_net_ops);
	if (ret)
		goto err_inodes;
	ret = afsx_proc_init();
	if (ret)
		goto err_net;
	ret = register_filesystem(&afsx_fs_type);
	if (ret)
		goto err_proc;
	return 0;

err_proc:
	afsx_proc_exit();
err_net:
	unregister_pernet_device(&afsx_net_ops);
err_inodes:
	rcu_barrier();
	afsx_inode_cache_exit();
err_wq:
	destroy_workqueue(afsx_wq);
	return ret;
}

static void __exit afsx_exit(void)
{
	unregister_filesystem(&afsx_fs_type);
	afsx_proc_exit();
	afsx_mntpt_exit();
	unregister_pernet_device(&afsx_net_ops);
	/* Records freed after a grace period are freed by our own functions. */
	rcu_barrier();
	afsx_inode_cache_exit();
	destroy_workqueue(afsx_wq);
}

module_init(afsx_init);
module_exit(afsx_exit);
