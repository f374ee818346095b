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

/* A cell was added: make its directory. Sleeps; failure is not fatal. */
void afsx_proc_add_cell(struct afsx_cell *cell);

int afsx_proc_init(void);
void afsx_proc_exit(void);

#endif /* AFSX_PROC_H */
