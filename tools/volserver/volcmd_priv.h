/* SPDX-License-Identifier: MIT */
/* Shared by the files of the commands. */
#ifndef AFSX_VOLCMD_PRIV_H
#define AFSX_VOLCMD_PRIV_H

#include <stdbool.h>

#include "defs.h"
#include "store.h"
#include "volcmd.h"

#define VOLCMD_ARGS_MAX		4
#define VOLCMD_OPTIONS_MAX	6

/**
 * struct volcmd_option - an option of a command
 * @name: without the leading "--"
 * @value: what its value is called in the usage, or NULL for a flag
 */
struct volcmd_option {
	const char *name;
	const char *value;
};

struct volcmd;

/**
 * struct volcmd_desc - a command
 * @name: as given
 * @args: its arguments, for the usage
 * @help: what it does
 * @min_args: arguments it needs
 * @max_args: arguments it takes
 * @options: its options, ended by an entry without name
 * @run: carries it out; enum volcmd_exit
 * @vet: NULL, or what of its words is wrong whatever the store has: VOLCMD_OK, or
 *	told; called before @run, and without a store
 * @needs: what the store must be opened for; enum volcmd_needs
 */
struct volcmd_desc {
	const char *name;
	const char *args;
	const char *help;
	unsigned int min_args;
	unsigned int max_args;
	struct volcmd_option options[VOLCMD_OPTIONS_MAX + 1];
	int (*run)(struct volcmd *c);
	int (*vet)(const struct volcmd *c);
	enum volcmd_needs needs;
};

/**
 * struct volcmd - a command being carried out
 * @st: store
 * @io: where to talk to
 * @desc: which
 * @nr: number of arguments
 * @arg: arguments
 * @value: of each option, in the order of @desc->options; "" for a flag; NULL
 *	when not given
 */
struct volcmd {
	struct store *st;
	const struct volcmd_io *io;
	const struct volcmd_desc *desc;
	unsigned int nr;
	const char *arg[VOLCMD_ARGS_MAX];
	const char *value[VOLCMD_OPTIONS_MAX];
};

/** volcmd_option() - value of an option of this command, NULL if not given */
const char *volcmd_option(const struct volcmd *c, const char *name);

/**
 * volcmd_fail() - say why a command fails
 * @c: command
 * @code: negative errno that the text will explain, or 0
 * @fmt: what was being done, with the names concerned
 *
 * Return: VOLCMD_FAILED.
 */
__printf(3, 4)
int volcmd_fail(const struct volcmd *c, int code, const char *fmt, ...);

/** volcmd_misuse() - say what was wrong with the arguments; VOLCMD_USAGE */
__printf(2, 3)
int volcmd_misuse(const struct volcmd *c, const char *fmt, ...);

/** volcmd_stopped() - whether the command shall give up */
bool volcmd_stopped(const struct volcmd *c);

/** volcmd_commit() - end a transaction that gave @ret; 0 or negative errno */
int volcmd_commit(struct store_tx *tx, int ret);

/** volcmd_collect() - free what the command made superfluous */
int volcmd_collect(const struct volcmd *c);

/** volcmd_find() - volume by name or number; VOLCMD_OK or told */
int volcmd_find(const struct volcmd *c, const char *name,
		struct store_vol *vol);

/** volcmd_find_rw() - the same, and that it is a R/W volume */
int volcmd_find_rw(const struct volcmd *c, const char *name,
		   struct store_vol *vol);

/**
 * volcmd_walk() - follow a path inside a volume
 * @c: command
 * @vol: volume
 * @path: names between slashes; "" and "/" are the root directory
 * @len: of @path
 * @fid: what it leads to
 */
int volcmd_walk(const struct volcmd *c, const struct store_vol *vol,
		const char *path, size_t len, struct afsx_fid *fid);

/**
 * volcmd_parse_anyone() - the list that gives everybody some rights
 * @c: command
 * @rights: as acl_parse_rights() takes them
 * @text: the list, of at most STORE_ACL_MAX bytes
 * @len: bytes of @text
 */
int volcmd_parse_anyone(const struct volcmd *c, const char *rights, char *text,
			size_t *len);

/** volcmd_put_acl() - the access list of a directory, as lines of `show` */
int volcmd_put_acl(const struct volcmd *c, const struct afsx_fid *dir);

/**
 * volcmd_parse_clone() - a kind of clone
 * @c: command
 * @kind: as given
 * @type: set to it
 */
int volcmd_parse_clone(const struct volcmd *c, const char *kind,
		       enum afsx_voltype *type);

/* What is wrong with the words of those that follow */
int volcmd_vet_dump(const struct volcmd *c);
int volcmd_vet_mkmount(const struct volcmd *c);
int volcmd_vet_path(const struct volcmd *c);
int volcmd_vet_restore(const struct volcmd *c);
int volcmd_vet_scrub(const struct volcmd *c);
int volcmd_vet_setacl(const struct volcmd *c);
int volcmd_vet_status(const struct volcmd *c);

/* The commands with files of their own */
int volcmd_import(struct volcmd *c);
int volcmd_dump(struct volcmd *c);
int volcmd_restore(struct volcmd *c);
int volcmd_list(struct volcmd *c);
int volcmd_status(struct volcmd *c);
int volcmd_show(struct volcmd *c);
int volcmd_check(struct volcmd *c);
int volcmd_scrub(struct volcmd *c);
int volcmd_mkmount(struct volcmd *c);
int volcmd_setacl(struct volcmd *c);
int volcmd_remove_name(struct volcmd *c);

#endif /* AFSX_VOLCMD_PRIV_H */
