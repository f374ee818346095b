// SPDX-License-Identifier: GPL-2.0
/*
 * Mount parameters: source strings and options, through the fs_context API.
 *
 * Parsing only notes what was asked for. What it means together is decided when
 * the tree is wanted, because options come in any order and with dyn the source
 * does not matter.
 */
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/key.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <kunit/visibility.h>
#include <net/net_namespace.h>

#include "cell.h"
#include "mount_params.h"
#include "net.h"
#include "security.h"
#include "super.h"
#include "volume.h"

static const struct constant_table afsx_flock_modes[] = {
	{ "local",	AFSX_FLOCK_LOCAL },
	{ "openafs",	AFSX_FLOCK_OPENAFS },
	{ "strict",	AFSX_FLOCK_STRICT },
	{ "write",	AFSX_FLOCK_WRITE },
	{}
};

const struct fs_parameter_spec afsx_fs_parameters[] = {
	fsparam_flag_no("autocell",	AFSX_OPT_AUTOCELL),
	fsparam_string("cell",		AFSX_OPT_CELL),
	fsparam_flag("dyn",		AFSX_OPT_DYN),
	fsparam_string("flock",		AFSX_OPT_FLOCK),
	fsparam_flag("rwpath",		AFSX_OPT_RWPATH),
	fsparam_string("source",	AFSX_OPT_SOURCE),
	fsparam_string("vol",		AFSX_OPT_VOL),
	{}
};

const char *afsx_flock_name(enum afsx_flock mode)
{
	const struct constant_table *row;

	for (row = afsx_flock_modes; row->name; row++)
		if (row->value == mode)
			return row->name;
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_flock_name);

/* Move a string parameter to where it belongs; the last one counts. */
static void afsx_take_string(const char **to, struct fs_parameter *param)
{
	kfree(*to);
	*to = param->string;
	param->string = NULL;
}

/* mount(2) always hands over a device name: "none" gives way to source=. */
static int afsx_parse_source(struct fs_context *fc, struct fs_parameter *param)
{
	if (fc->source && strcmp(fc->source, "none") &&
	    strcmp(fc->source, param->string))
		return invalfc(fc, "two sources, '%s' and '%s'", fc->source,
			       param->string);
	kfree(fc->source);
	fc->source = param->string;
	param->string = NULL;
	return 0;
}

static int afsx_parse_cell(struct fs_context *fc, struct fs_parameter *param)
{
	struct afsx_mount_params *params = fc->fs_private;
	const char *why;
	int ret;

	ret = afsx_cell_name_check(param->string, strlen(param->string), &why);
	if (ret) {
		errorfc(fc, "cell=%s: %s", param->string, why);
		return ret;
	}
	afsx_take_string(&params->cell_name, param);
	return 0;
}

static int afsx_parse_flock(struct fs_context *fc, struct fs_parameter *param)
{
	struct afsx_mount_params *params = fc->fs_private;
	int mode = lookup_constant(afsx_flock_modes, param->string,
				   AFSX_FLOCK_UNSET);

	if (mode == AFSX_FLOCK_UNSET)
		return invalfc(fc, "flock=%s: not local, openafs, strict or write",
			       param->string);
	params->flock = mode;
	return 0;
}

static int afsx_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct afsx_mount_params *params = fc->fs_private;
	struct fs_parse_result result;
	int opt, ret = 0;

	opt = fs_parse(fc, afsx_fs_parameters, param, &result);
	if (opt < 0)
		return opt;

	switch (opt) {
	case AFSX_OPT_AUTOCELL:
		params->autocell = !result.negated;
		break;
	case AFSX_OPT_CELL:
		ret = afsx_parse_cell(fc, param);
		break;
	case AFSX_OPT_DYN:
		params->dyn = true;
		break;
	case AFSX_OPT_FLOCK:
		ret = afsx_parse_flock(fc, param);
		break;
	case AFSX_OPT_RWPATH:
		params->rwpath = true;
		break;
	case AFSX_OPT_SOURCE:
		ret = afsx_parse_source(fc, param);
		break;
	case AFSX_OPT_VOL:
		afsx_take_string(&params->vol_name, param);
		break;
	}
	if (!ret)
		params->given |= BIT(opt);
	return ret;
}

/* The text that names the volume. vol= is stronger than the device name. */
static int afsx_compose_source(struct fs_context *fc)
{
	struct afsx_mount_params *params = fc->fs_private;
	const char *vol = params->vol_name;

	if (!vol && !fc->source) {
		errorfc(fc, "no volume: give %%[cell:]volume, #[cell:]volume, vol= or dyn");
		return -ENOMEDIUM;
	}
	if (!vol && !strcmp(fc->source, "none"))
		return invalfc(fc, "source 'none' needs dyn or vol=");

	kfree(params->source);
	if (vol)
		params->source = kasprintf(GFP_KERNEL, "%s%s",
					   strchr("%#", vol[0]) ? "" : "#", vol);
	else
		params->source = kstrdup(fc->source, GFP_KERNEL);
	return params->source ? 0 : -ENOMEM;
}

int afsx_params_parse(struct fs_context *fc)
{
	struct afsx_mount_params *params = fc->fs_private;
	const char *why;
	int ret;

	ret = afsx_compose_source(fc);
	if (ret)
		return ret;
	ret = afsx_source_parse(params->source, strlen(params->source),
				params->rwpath, &params->src, &why);
	if (ret)
		errorfc(fc, "source '%s': %s", params->source, why);
	return ret;
}

/* The cell the source names, or cell=, or that of the parent, or the root cell. */
static struct afsx_cell *afsx_params_cell(struct fs_context *fc)
{
	const struct afsx_mount_params *params = fc->fs_private;
	const char *name = params->cell_name;
	int len = name ? strlen(name) : 0;
	struct afsx_cell *cell;

	if (params->src.cell.len) {
		name = params->src.cell.p;
		len = params->src.cell.len;
	} else if (!name && params->cell) {
		return afsx_cell_get(params->cell);
	}

	cell = afsx_cell_lookup(params->net, name, len);
	if (!IS_ERR(cell))
		return cell;
	if (!len)
		errorfc(fc, "source '%s' names no cell, and there is no cell= and no root cell",
			params->source);
	else if (cell == ERR_PTR(-EDESTADDRREQ))
		errorfc(fc, "cell '%.*s' is unknown (no configured address, DNS has none)",
			len, name);
	else if (cell == ERR_PTR(-EAFNOSUPPORT))
		errorfc(fc, "cell '%.*s': DNS has only IPv6 addresses for it, which AFS cannot use",
			len, name);
	else
		errorfc(fc, "cell '%.*s': %pe", len, name, cell);
	return cell;
}

int afsx_params_resolve(struct fs_context *fc)
{
	struct afsx_mount_params *params = fc->fs_private;
	struct afsx_volume *volume;
	struct afsx_cell *cell;
	const char *why = NULL;
	int ret;

	ret = afsx_params_parse(fc);
	if (ret)
		return ret;

	cell = afsx_params_cell(fc);
	if (IS_ERR(cell))
		return PTR_ERR(cell);
	if (params->cell)
		afsx_cell_put(params->cell);
	params->cell = cell;

	key_put(params->by.key);
	params->by.key = afsx_key_get(cell);

	volume = afsx_volume_lookup(cell, &params->by, &params->src, &why);
	if (IS_ERR(volume)) {
		errorfc(fc, "volume '%.*s' of cell '%s': %s (%pe)",
			(int)params->src.volume.len, params->src.volume.p,
			cell->name, why ?: "not found", volume);
		return PTR_ERR(volume);
	}
	if (params->volume)
		afsx_volume_put(params->volume);
	params->volume = volume;
	return 0;
}

int afsx_params_check_dyn(struct fs_context *fc)
{
	const struct afsx_mount_params *params = fc->fs_private;

	if (params->vol_name)
		return invalfc(fc, "dyn and vol=%s exclude each other",
			       params->vol_name);
	if (params->cell_name)
		return invalfc(fc, "dyn and cell=%s exclude each other",
			       params->cell_name);
	if (params->rwpath)
		warnfc(fc, "rwpath means nothing with dyn");
	return 0;
}

static void afsx_free_fc(struct fs_context *fc)
{
	struct afsx_mount_params *params = fc->fs_private;

	afsx_sb_free(fc->s_fs_info);
	if (!params)
		return;
	if (params->volume)
		afsx_volume_put(params->volume);
	if (params->cell)
		afsx_cell_put(params->cell);
	key_put(params->by.key);
	kfree(params->source);
	kfree(params->cell_name);
	kfree(params->vol_name);
	kfree(params);
}

/* Copy a string if there is one. */
static int afsx_dup_string(const char **to, const char *from)
{
	*to = kstrdup(from, GFP_KERNEL);
	return from && !*to ? -ENOMEM : 0;
}

/* What was resolved is not copied: the copy resolves for itself. */
static int afsx_dup_fc(struct fs_context *fc, struct fs_context *src_fc)
{
	const struct afsx_mount_params *from = src_fc->fs_private;
	struct afsx_mount_params *params;

	params = kzalloc(sizeof(*params), GFP_KERNEL);
	if (!params)
		return -ENOMEM;
	fc->fs_private = params;

	params->flock = from->flock;
	params->dyn = from->dyn;
	params->rwpath = from->rwpath;
	params->autocell = from->autocell;
	params->given = from->given;
	if (from->cell)
		params->cell = afsx_cell_get(from->cell);
	return afsx_dup_string(&fc->source, src_fc->source) ?:
	       afsx_dup_string(&params->cell_name, from->cell_name) ?:
	       afsx_dup_string(&params->vol_name, from->vol_name);
}

static const struct fs_context_operations afsx_context_ops = {
	.free		= afsx_free_fc,
	.dup		= afsx_dup_fc,
	.parse_param	= afsx_parse_param,
	.get_tree	= afsx_get_tree,
	.reconfigure	= afsx_reconfigure,
};

int afsx_init_fs_context(struct fs_context *fc)
{
	struct afsx_mount_params *params;

	params = kzalloc(sizeof(*params), GFP_KERNEL);
	if (!params)
		return -ENOMEM;
	fc->fs_private = params;
	fc->ops = &afsx_context_ops;
	return 0;
}
