/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mount parameters: source strings and options, through the fs_context API.
 */
#ifndef AFSX_MOUNT_PARAMS_H
#define AFSX_MOUNT_PARAMS_H

#include <linux/bits.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <afsx/source.h>
#include "call.h"

struct afsx_cell;
struct afsx_net;
struct afsx_volume;

/* enum afsx_flock - flock= modes; AFSX_FLOCK_UNSET means the default */
enum afsx_flock {
	AFSX_FLOCK_UNSET,
	AFSX_FLOCK_LOCAL,
	AFSX_FLOCK_OPENAFS,
	AFSX_FLOCK_STRICT,
	AFSX_FLOCK_WRITE,
};

/* enum afsx_option - the options, and bits of afsx_mount_params.given */
enum afsx_option {
	AFSX_OPT_AUTOCELL,
	AFSX_OPT_CELL,
	AFSX_OPT_DYN,
	AFSX_OPT_FLOCK,
	AFSX_OPT_RWPATH,
	AFSX_OPT_SOURCE,
	AFSX_OPT_VOL,
};

/**
 * struct afsx_mount_params - fs_context.fs_private
 * @net: client state in the mount's network namespace; afsx_get_tree() takes
 *	it from fs_context.net_ns
 * @source: what @src was parsed from: the device name, or made of vol=; owned
 * @cell_name: cell= ; owned
 * @vol_name: vol= ; owned
 * @src: parsed source, points into @source
 * @cell: the cell, counted. An automount presets the cell of its parent, for a
 *	target that names none
 * @suid_cell: automounts: the parent's cell if set-id bits count there, not
 *	counted
 * @volume: the volume, counted
 * @by: on whose behalf calls are made; its key is counted. An automount presets
 *	the group of the mount it lies in: nobody can say umount -f to it yet
 * @flock: flock=
 * @dyn: dyn
 * @rwpath: rwpath
 * @autocell: autocell
 * @given: options that were given, bits of &enum afsx_option
 */
struct afsx_mount_params {
	struct afsx_net		*net;
	const char		*source;
	const char		*cell_name;
	const char		*vol_name;
	struct afsx_source	src;
	struct afsx_cell	*cell;
	const struct afsx_cell	*suid_cell;
	struct afsx_volume	*volume;
	struct afsx_caller	by;
	enum afsx_flock		flock;
	bool			dyn;
	bool			rwpath;
	bool			autocell;
	unsigned long		given;
};

static inline bool afsx_given(const struct afsx_mount_params *params,
			      enum afsx_option opt)
{
	return params->given & BIT(opt);
}

/* file_system_type.init_fs_context */
int afsx_init_fs_context(struct fs_context *fc);

extern const struct fs_parameter_spec afsx_fs_parameters[];

/**
 * afsx_flock_name - the text of a flock= mode, as /proc/mounts shows it
 * @mode: the mode
 *
 * Return: NULL for %AFSX_FLOCK_UNSET.
 */
const char *afsx_flock_name(enum afsx_flock mode);

/**
 * afsx_params_parse - find and parse the source
 * @fc: context; errors are explained in its log
 *
 * Fills afsx_mount_params.source and .src from vol= or the device name.
 * Return: 0, -EINVAL, -ENAMETOOLONG, -ENOMEDIUM (nothing names a volume),
 * -ENOMEM.
 */
int afsx_params_parse(struct fs_context *fc);

/**
 * afsx_params_resolve - turn source and options into a cell and a volume
 * @fc: context; errors are explained in its log
 *
 * Called by get_tree for a mount that is not the dynamic root; makes calls.
 * Return: 0, -EINVAL, -ENAMETOOLONG, -EDESTADDRREQ, -ENOMEDIUM, or what the
 * calls met.
 */
int afsx_params_resolve(struct fs_context *fc);

/**
 * afsx_params_check_dyn - is this a sensible mount of the dynamic root?
 * @fc: context; errors are explained in its log
 *
 * Return: 0, or -EINVAL when an option contradicts dyn.
 */
int afsx_params_check_dyn(struct fs_context *fc);

#endif /* AFSX_MOUNT_PARAMS_H */
