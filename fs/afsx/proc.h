/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /proc/fs/afsx -> /proc/self/net/afsx: cells, rootcell, servers, stats, and a
 * directory per cell with volumes and vlservers.
 */
#ifndef AFSX_PROC_H
#define AFSX_PROC_H

struct afsx_cell;
struct afsx_net;

int afsx_proc_init_net(struct afsx_net *net);
void afsx_proc_exit_net(struct afsx_net *net);

/*
 * A cell is added: make its directory, or removed: wait for its readers and remove
 * it. Both sleep and are called under cells_lock, which readers of the directory
 * must not take. Failing to make it is not fatal.
 */
void afsx_proc_add_cell(struct afsx_cell *cell);
void afsx_proc_remove_cell(struct afsx_cell *cell);

int afsx_proc_init(void);
void afsx_proc_exit(void);

#endif /* AFSX_PROC_H */
