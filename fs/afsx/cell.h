/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cells: names, volume location servers, and where they were learnt.
 */
#ifndef AFSX_CELL_H
#define AFSX_CELL_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/time64.h>
#include <linux/types.h>
#include <afsx/types.h>

struct afsx_addrs;
struct afsx_net;
struct proc_dir_entry;
struct seq_file;

/**
 * enum afsx_cell_source - where a cell's VL servers come from
 * @AFSX_CELL_CONFIG: rootcell= or /proc/fs/afsx/cells; never expires
 * @AFSX_CELL_DNS: SRV or AFSDB records, through the DNS resolver
 */
enum afsx_cell_source { AFSX_CELL_CONFIG, AFSX_CELL_DNS };

/**
 * struct afsx_cell - a cell
 * @net: namespace
 * @ref: references; the namespace's list holds one until it ends
 * @rcu: delays the release
 * @link: in afsx_net.cells, sorted
 * @source: where @vl comes from
 * @kept: the administrator named it; others go when there are too many
 * @lock: one DNS or VL look-up at a time; guards @vl's replacement
 * @vl: addresses of the VL servers (RCU), NULL until looked up or configured
 * @dns_expiry: wall time from when DNS is asked again
 * @dns_error: what asking it came to the last time, 0 or -errno
 * @proc: its directory in /proc, or NULL
 * @ino: stable inode number pair for the dynamic root, see dynroot.h
 * @name_len: bytes in @name, the NUL included
 * @name: lower case, NUL-terminated
 */
struct afsx_cell {
	struct afsx_net		*net;
	refcount_t		ref;
	struct rcu_head		rcu;
	struct list_head	link;
	enum afsx_cell_source	source;
	bool			kept;
	struct mutex		lock;	/* see above */
	struct afsx_addrs __rcu	*vl;
	time64_t		dns_expiry;
	int			dns_error;
	struct proc_dir_entry	*proc;
	u32			ino;
	u8			name_len;
	char			name[] __counted_by(name_len);
};

/**
 * afsx_cell_name_check - is this a legal cell name?
 * @name: the name, need not be terminated
 * @len: bytes
 * @why: out: text that says what is wrong
 *
 * Return: 0, -EINVAL or -ENAMETOOLONG. Letters, digits, '-', '.', '_'; no
 * leading, doubled or trailing '.', not empty, at most %AFSX_CELLNAME_MAX bytes.
 */
int afsx_cell_name_check(const char *name, size_t len, const char **why);

/**
 * afsx_cell_find - find a cell that is known already
 * @net: namespace
 * @name: its name
 * @len: bytes in @name; 0: the root cell
 *
 * Return: a counted cell or NULL. Sleeps for the lock only.
 */
struct afsx_cell *afsx_cell_find(struct afsx_net *net, const char *name,
				 size_t len);

/**
 * afsx_cell_lookup - find a cell, asking DNS when it is not known
 * @net: namespace
 * @name: its name, or NULL with @len 0 for the root cell
 * @len: bytes in @name
 *
 * Return: a counted cell; ERR_PTR(-EDESTADDRREQ) when nobody knows it or there
 * is no root cell; -EAFNOSUPPORT when DNS has only IPv6 addresses for it;
 * -EINVAL/-ENAMETOOLONG for an illegal name; -EINTR; -ENOMEM.
 */
struct afsx_cell *afsx_cell_lookup(struct afsx_net *net, const char *name,
				   size_t len);

/**
 * afsx_cell_add - add a configured cell or replace its addresses
 * @net: namespace
 * @name: name, checked here
 * @len: bytes
 * @ip: IPv4 addresses, host order
 * @nr: how many; 0 means ask DNS
 *
 * Sleeps. Return: a counted cell; ERR_PTR(-EINVAL, -ENAMETOOLONG or -ENOMEM).
 */
struct afsx_cell *afsx_cell_add(struct afsx_net *net, const char *name,
				size_t len, const u32 *ip, unsigned int nr);

/**
 * struct afsx_cell_spec - a parsed "NAME[:IP[:IP]...]"
 * @name: first byte of the name, in the parsed text
 * @len: bytes
 * @nr: addresses in @ip; 0: ask DNS
 * @ip: IPv4 addresses, host order
 */
struct afsx_cell_spec {
	const char	*name;
	size_t		len;
	unsigned int	nr;
	u32		ip[AFSX_VLSERVERS_MAX];
};

/**
 * afsx_cell_spec_parse - parse "NAME[:IP[:IP]...]"
 * @text: NUL-terminated
 * @spec: out
 * @why: out: static text that says what is wrong
 *
 * Pure. Return: 0, -EINVAL, -ENAMETOOLONG, or -E2BIG for more than
 * %AFSX_VLSERVERS_MAX addresses.
 */
int afsx_cell_spec_parse(const char *text, struct afsx_cell_spec *spec,
			 const char **why);

/**
 * afsx_cell_dns_parse - read what the DNS resolver's helper found
 * @data: its answer: a binary server list of version 1, or addresses as text,
 *	separated by commas
 * @len: bytes
 * @ip: out: IPv4 addresses, host order
 * @max: how many fit; the rest is ignored, as are IPv6 addresses, which the
 *	protocol cannot carry
 *
 * Pure. Return: how many addresses; -EAFNOSUPPORT when all are of IPv6; -EBADMSG
 * when the answer makes no sense.
 */
int afsx_cell_dns_parse(const char *data, size_t len, u32 *ip, unsigned int max);

/**
 * afsx_cell_configure - add a cell or replace its addresses, from text
 * @net: namespace
 * @name: cell name, NUL-terminated
 * @addrs: "IP[:IP]..." or "": ask DNS
 *
 * Return: 0, or the errors of afsx_cell_spec_parse(), or -ENOMEM.
 */
int afsx_cell_configure(struct afsx_net *net, const char *name,
			const char *addrs);

/**
 * afsx_cell_set_root - set the root cell from "NAME[:IP[:IP]...]"
 * @net: namespace
 * @text: NUL-terminated, without a newline
 *
 * Return: 0, the errors of afsx_cell_spec_parse(), or -ENOMEM.
 */
int afsx_cell_set_root(struct afsx_net *net, const char *text);

/**
 * afsx_cell_vl_addrs - the addresses of a cell's VL servers
 * @cell: the cell
 *
 * Refreshes an expired DNS answer; sleeps. Return: a counted list;
 * ERR_PTR(-EDESTADDRREQ) when DNS has none; -EAFNOSUPPORT when it has only IPv6
 * addresses; -EINTR; -ENOMEM.
 */
struct afsx_addrs *afsx_cell_vl_addrs(struct afsx_cell *cell);

struct afsx_cell *afsx_cell_get(struct afsx_cell *cell);
void afsx_cell_put(struct afsx_cell *cell);

void afsx_cells_exit_net(struct afsx_net *net);

#endif /* AFSX_CELL_H */
