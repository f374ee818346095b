/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mount parameters: source strings and options, through the fs_context API.
 */
#ifndef AFSX_MOUNT_PARAMS_H
#define AFSX_MOUNT_PARAMS_H

#include <linux/fs_context.h>
#include <afsx/source.h>

struct afsx_cell;
struct afsx_net;
struct afsx_volume;
struct key;

/* enum afsx_flock - flock= modes; AFSX_FLOCK_UNSET means the default */
enum afsx_flock {
	AFSX_FLOCK_UNSET,
	AFSX_FLOCK_LOCAL,
	AFSX_FLOCK_OPENAFS,
	AFSX_FLOCK_STRICT,
	AFSX_FLOCK_WRITE,
};

/**
 * struct afsx_mount_params - fs_context.fs_private
 * @net: client state in the mount's network namespace (fc->net_ns)
 * @source: source string as given, or composed of vol= ; owned
 * @cell_name: cell= ; owned
 * @vol_name: vol= ; owned
 * @src: parsed source, points into @source
 * @cell: the cell, counted
 * @volume: the volume, counted
 * @key: security, counted, NULL for none
 * @flock: flock=
 * @dyn: dyn
 * @rwpath: rwpath
 * @autocell: autocell
 */
struct afsx_mount_params {
	struct afsx_net		*net;
	char			*source;
	char			*cell_name;
	char			*vol_name;
	struct afsx_source	src;
	struct afsx_cell	*cell;
	struct afsx_volume	*volume;
	struct key		*key;
	enum afsx_flock		flock;
	bool			dyn;
	bool			rwpath;
	bool			autocell;
};

int afsx_init_fs_context(struct fs_context *fc);
extern const struct fs_parameter_spec afsx_fs_parameters[];
const char *afsx_flock_name(enum afsx_flock mode);

/**
 * afsx_params_resolve - turn source and options into a cell and a volume
 * @fc: context; errors are explained in its log
 *
 * Called by get_tree for a mount that is not the dynamic root. Return: 0,
 * -EINVAL, -ENAMETOOLONG, -EDESTADDRREQ, -ENOMEDIUM, or what the calls met.
 */
int afsx_params_resolve(struct fs_context *fc);

#endif /* AFSX_MOUNT_PARAMS_H */
