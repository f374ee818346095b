// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/fs/afsx -> /proc/self/net/afsx: what the client knows, per namespace.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <net/net_namespace.h>
#include <afsx/rpc.h>

#include "cell.h"
#include "net.h"
#include "proc.h"
#include "server.h"
#include "volume.h"

static struct proc_dir_entry *afsx_proc_link;

static struct afsx_net *afsx_seq_net(struct seq_file *m)
{
	return afsx_net(seq_file_net(m));
}

static struct afsx_cell *afsx_seq_cell(struct seq_file *m)
{
	return pde_data(file_inode(m->file));
}

/* Cut a line at its end, and what comes after. */
static char *afsx_proc_line(char *buf)
{
	buf[strcspn(buf, "\n")] = '\0';
	return strim(buf);
}

/* Take the next word off a line; "" at its end. */
static char *afsx_proc_word(char **line)
{
	char *word = skip_spaces(*line);
	size_t len = strcspn(word, " \t");

	*line = word + len;
	if (**line)
		*(*line)++ = '\0';
	return word;
}

/*
 * A cell makes this kernel ask its servers and the DNS, and stays for ever: it
 * takes the administrator, not one that is root in a namespace of users.
 */
static int afsx_proc_may_write(struct file *file)
{
	return file_ns_capable(file, &init_user_ns, CAP_SYS_ADMIN) ? 0 : -EPERM;
}

/* cells */

static void *afsx_cells_start(struct seq_file *m, loff_t *pos)
{
	struct afsx_net *net = afsx_seq_net(m);

	down_read(&net->cells_lock);
	return seq_list_start_head(&net->cells, *pos);
}

static void *afsx_cells_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_list_next(v, &afsx_seq_net(m)->cells, pos);
}

static void afsx_cells_stop(struct seq_file *m, void *v)
{
	up_read(&afsx_seq_net(m)->cells_lock);
}

static int afsx_cells_show(struct seq_file *m, void *v)
{
	const struct afsx_cell *cell = list_entry(v, struct afsx_cell, link);
	const struct afsx_addrs *vl;
	s64 ttl = 0;

	if (v == &afsx_seq_net(m)->cells) {
		seq_puts(m, "FROM   SERVERS TTL     NAME\n");
		return 0;
	}
	if (cell->source == AFSX_CELL_DNS)
		ttl = max_t(s64, 0, cell->dns_expiry - ktime_get_real_seconds());
	rcu_read_lock();
	vl = rcu_dereference(cell->vl);
	seq_printf(m, "%-6s %7u %-7lld %s\n",
		   cell->source == AFSX_CELL_DNS ? "dns" : "config",
		   vl ? vl->nr : 0, ttl, cell->name);
	rcu_read_unlock();
	return 0;
}

static const struct seq_operations afsx_cells_ops = {
	.start	= afsx_cells_start,
	.next	= afsx_cells_next,
	.stop	= afsx_cells_stop,
	.show	= afsx_cells_show,
};

/* "add CELL [IP[:IP]...]": without an address, the DNS is asked at each use. */
static int afsx_cells_write(struct file *file, char *buf, size_t size)
{
	struct afsx_net *net = afsx_seq_net(file->private_data);
	char *line = afsx_proc_line(buf);
	const char *command = afsx_proc_word(&line);
	const char *name = afsx_proc_word(&line);
	const char *addrs = afsx_proc_word(&line);
	int ret;

	ret = afsx_proc_may_write(file);
	if (ret)
		return ret;
	if (strcmp(command, "add") || !*name || *line) {
		pr_notice("cells: '%s' is no command: add CELL [IP[:IP]...]\n",
			  command);
		return -EINVAL;
	}
	return afsx_cell_configure(net, name, addrs);
}

/* rootcell */

static int afsx_rootcell_show(struct seq_file *m, void *v)
{
	struct afsx_net *net = afsx_net(seq_file_single_net(m));

	down_read(&net->cells_lock);
	if (net->root_cell)
		seq_printf(m, "%s\n", net->root_cell->name);
	up_read(&net->cells_lock);
	return 0;
}

static int afsx_rootcell_write(struct file *file, char *buf, size_t size)
{
	struct afsx_net *net = afsx_net(seq_file_single_net(file->private_data));
	int ret;

	ret = afsx_proc_may_write(file);
	if (ret)
		return ret;
	return afsx_cell_set_root(net, afsx_proc_line(buf));
}

/* servers */

static void *afsx_servers_start(struct seq_file *m, loff_t *pos)
	__acquires(rcu)
{
	rcu_read_lock();
	return seq_list_start_head_rcu(&afsx_seq_net(m)->servers, *pos);
}

static void *afsx_servers_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_list_next_rcu(v, &afsx_seq_net(m)->servers, pos);
}

/* Ends the section that any of the start functions under RCU began. */
static void afsx_rcu_stop(struct seq_file *m, void *v)
	__releases(rcu)
{
	rcu_read_unlock();
}

static void afsx_show_addrs(struct seq_file *m, const struct afsx_addrs *addrs,
			    const char *indent)
{
	unsigned int i;

	for (i = 0; addrs && i < addrs->nr; i++) {
		const struct afsx_addr *addr = &addrs->addr[i];
		__be32 ip = cpu_to_be32(addr->ip);

		seq_printf(m, "%s%pI4:%u rtt=%u error=%d%s\n", indent, &ip,
			   addr->port, addr->rtt_us, addr->last_error,
			   i == addrs->best ? " best" : "");
	}
}

static int afsx_servers_show(struct seq_file *m, void *v)
{
	const struct afsx_server *server = list_entry(v, struct afsx_server, link);

	if (v == &afsx_seq_net(m)->servers) {
		seq_puts(m, "UUID                                 USE EPOCH CAPS STATE  CELL\n");
		return 0;
	}
	seq_printf(m, "%pUb %3u %5u %4x %-6s %s\n", server->uuid.b,
		   refcount_read(&server->ref),
		   (u32)atomic_read(&server->cb_epoch), server->caps,
		   server->probed ? "up" : "-", server->cell->name);
	afsx_show_addrs(m, rcu_dereference(server->addrs), "  ");
	return 0;
}

static const struct seq_operations afsx_servers_ops = {
	.start	= afsx_servers_start,
	.next	= afsx_servers_next,
	.stop	= afsx_rcu_stop,
	.show	= afsx_servers_show,
};

/* stats */

static int afsx_stats_show(struct seq_file *m, void *v)
{
	struct afsx_net *net = afsx_net(seq_file_single_net(m));
	unsigned int i;

	seq_printf(m, "bytes_fetched %lld\n", atomic64_read(&net->bytes_fetched));
	seq_puts(m, "SENT FAILED RECEIVED RPC\n");
	for (i = 0; i < AFSX_RPC_COUNT; i++)
		seq_printf(m, "%lu %lu %lu %s\n",
			   atomic_long_read(&net->rpc_sent[i]),
			   atomic_long_read(&net->rpc_failed[i]),
			   atomic_long_read(&net->cb_received[i]),
			   afsx_rpc(i)->name);
	return 0;
}

/* CELL/vlservers */

static int afsx_vlservers_show(struct seq_file *m, void *v)
{
	rcu_read_lock();
	afsx_show_addrs(m, rcu_dereference(afsx_seq_cell(m)->vl), "");
	rcu_read_unlock();
	return 0;
}

/* CELL/volumes */

static void *afsx_volumes_start(struct seq_file *m, loff_t *pos)
	__acquires(rcu)
{
	rcu_read_lock();
	return seq_list_start_head_rcu(&afsx_seq_net(m)->volumes, *pos);
}

static void *afsx_volumes_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_list_next_rcu(v, &afsx_seq_net(m)->volumes, pos);
}

static int afsx_volumes_show(struct seq_file *m, void *v)
{
	static const char type[AFSX_VOL_TYPES][3] = { "RW", "RO", "BK" };
	const struct afsx_volume *volume = list_entry(v, struct afsx_volume, link);
	const struct afsx_sites *sites;

	if (v == &afsx_seq_net(m)->volumes) {
		seq_puts(m, "USE VID        TY SITES MNT NAME\n");
		return 0;
	}
	if (volume->cell != afsx_seq_cell(m))
		return SEQ_SKIP;
	sites = rcu_dereference(volume->sites);
	seq_printf(m, "%3u %-10u %s %5u %-3s ", refcount_read(&volume->ref),
		   volume->vid, type[volume->type], sites ? sites->nr : 0,
		   rcu_access_pointer(volume->sb) ? "yes" : "no");
	seq_escape(m, volume->name, " \t\n\\");
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations afsx_volumes_ops = {
	.start	= afsx_volumes_start,
	.next	= afsx_volumes_next,
	.stop	= afsx_rcu_stop,
	.show	= afsx_volumes_show,
};

/* The namespace's directory */

static const char * const afsx_proc_names[] = {
	"cells", "rootcell", "servers", "stats",
};

void afsx_proc_add_cell(struct afsx_cell *cell)
{
	struct proc_dir_entry *dir;

	/* A cell may have the name of one of our files; it is usable without. */
	if (match_string(afsx_proc_names, ARRAY_SIZE(afsx_proc_names),
			 cell->name) >= 0)
		return;
	dir = proc_net_mkdir(cell->net->net, cell->name, cell->net->proc);
	if (!dir)
		return;
	cell->proc = dir;
	proc_create_net_single("vlservers", 0444, dir, afsx_vlservers_show, cell);
	proc_create_net_data("volumes", 0444, dir, &afsx_volumes_ops,
			     sizeof(struct seq_net_private), cell);
}

void afsx_proc_remove_cell(struct afsx_cell *cell)
{
	proc_remove(cell->proc);
	cell->proc = NULL;
}

int afsx_proc_init_net(struct afsx_net *net)
{
	struct proc_dir_entry *dir;

	dir = proc_net_mkdir(net->net, "afsx", net->net->proc_net);
	if (!dir)
		return -ENOMEM;
	net->proc = dir;
	if (proc_create_net_data_write("cells", 0644, dir, &afsx_cells_ops,
				       afsx_cells_write,
				       sizeof(struct seq_net_private), NULL) &&
	    proc_create_net_single_write("rootcell", 0644, dir,
					 afsx_rootcell_show, afsx_rootcell_write,
					 NULL) &&
	    proc_create_net_data("servers", 0444, dir, &afsx_servers_ops,
				 sizeof(struct seq_net_private), NULL) &&
	    proc_create_net_single("stats", 0444, dir, afsx_stats_show, NULL))
		return 0;
	afsx_proc_exit_net(net);
	return -ENOMEM;
}

void afsx_proc_exit_net(struct afsx_net *net)
{
	proc_remove(net->proc);
	net->proc = NULL;
}

int afsx_proc_init(void)
{
	afsx_proc_link = proc_symlink("fs/afsx", NULL, "../self/net/afsx");
	return afsx_proc_link ? 0 : -ENOMEM;
}

void afsx_proc_exit(void)
{
	proc_remove(afsx_proc_link);
}
