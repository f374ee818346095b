/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls to a cell's volume location servers.
 */
#ifndef AFSX_VLCLIENT_H
#define AFSX_VLCLIENT_H

#include <linux/types.h>

struct afsx_caller;
struct afsx_cell;
struct afsx_str;
struct afsx_uuid;
struct afsx_vl_addrs_reply;
struct afsx_vldb;

/**
 * afsx_vl_entry - ask for a volume's entry by name or id
 * @cell: cell
 * @by: on whose behalf
 * @name: volume name, or NULL to ask by @vid
 * @vid: volume id of any of its three types
 * @entry: out: the entry
 *
 * Tries every VL server in order of preference, the U form first, falling back
 * to N. Sleeps, killable. Return: 0, -ENOMEDIUM when the VLDB has no such
 * volume, -EDESTADDRREQ without servers, -ESHUTDOWN when the caller's group was
 * ended, or the last transport error.
 */
int afsx_vl_entry(struct afsx_cell *cell, const struct afsx_caller *by,
		  const struct afsx_str *name, u32 vid,
		  struct afsx_vldb *entry);

int afsx_vl_addrs(struct afsx_cell *cell, const struct afsx_caller *by,
		  const struct afsx_uuid *uuid,
		  struct afsx_vl_addrs_reply *reply);

#endif /* AFSX_VLCLIENT_H */
