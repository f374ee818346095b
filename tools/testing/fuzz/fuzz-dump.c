// SPDX-License-Identifier: MIT
/*
 * Fuzz target: the reader of volume dumps.
 *
 * Input: a byte, how many bytes the reader gets at a time, and the dump.
 *
 * Every input is read to its end or refused with the place of the fault, which is
 * inside of it. A dump that was accepted is written anew, and that is read as the
 * same again.
 */
#include <errno.h>

#include "dump_acl.h"
#include "dump_reader.h"
#include "fuzz.h"

#define CONTENTS_MAX	65536	/* more than an input has */

/* Where a reader's bytes come from. */
struct source {
	const u8 *p;
	size_t len;
	size_t piece;
};

static ssize_t give(void *ctx, void *buf, size_t len)
{
	struct source *s = ctx;
	size_t n = s->len < len ? s->len : len;

	n = n < s->piece ? n : s->piece;
	memcpy(buf, s->p, n);
	s->p += n;
	s->len -= n;
	return (ssize_t)n;
}

static void read_acl(const struct dump_vnode *vn)
{
	char text[STORE_ACL_MAX], again[STORE_ACL_MAX];
	u8 raw[DUMP_ACL_SIZE];
	struct acl_entry who;
	int n;

	n = vn->has_acl ? dump_acl_text(vn->acl, text) : -EBADMSG;
	if (n < 0)
		return;
	MUST(n < STORE_ACL_MAX);
	MUST(dump_acl_raw(text, (size_t)n, raw, &who) == 0);
	/* sorted by now, so that it stays as it is */
	n = dump_acl_text(raw, text);
	MUST(n > 0);
	MUST(dump_acl_raw(text, (size_t)n, raw, &who) == 0);
	MUST(dump_acl_text(raw, again) == n && !memcmp(text, again, (size_t)n));
}

/* Write what is read, if all of it can be. Return: as dump_read_vnode(). */
static int copy_vnodes(struct dump_reader *r, FILE *out)
{
	static u8 contents[CONTENTS_MAX];
	struct dump_vnode vn;
	ssize_t n;
	int ret;

	while ((ret = dump_read_vnode(r, &vn)) > 0) {
		const u32 words[] = { vn.vnode, vn.unique };

		read_acl(&vn);
		MUST(!vn.has_data || vn.carried);
		MUST(r->left == (vn.has_data ? vn.size : 0));
		n = dump_read_data(r, contents, sizeof(contents));
		if (n < 0)
			return (int)n;
		MUST((u64)n == vn.size);
		dump_put(out, DUMP_VNODE, 2, words, vn.carried ? &vn : NULL);
		fwrite(contents, 1, (size_t)n, out);
	}
	return ret;
}

static int copy_dump(struct dump_reader *r, FILE *out)
{
	const u32 begin[] = { DUMP_MAGIC, DUMP_VERSION }, end[] = { DUMP_END_MAGIC };
	struct dump_volume vol;
	struct dump_span span;
	int ret = dump_read_headers(r, &span, &vol);

	if (ret)
		return ret;
	dump_put(out, DUMP_BEGIN, 2, begin, &span);
	dump_put(out, DUMP_VOLUME, 0, NULL, &vol);
	ret = copy_vnodes(r, out);
	dump_put(out, DUMP_END, 1, end, NULL);
	return ret;
}

/* Read @len bytes and write them anew. Return: whether they were accepted. */
static bool copy(const u8 *data, size_t len, size_t piece, char **to, size_t *to_len)
{
	struct source s = { data, len, piece };
	struct dump_reader *r = calloc(1, sizeof(*r));
	FILE *out = open_memstream(to, to_len);
	int ret;

	MUST(r && out);
	r->input = give;
	r->ctx = &s;
	ret = copy_dump(r, out);
	fclose(out);
	MUST(ret == 0 || ret == -EBADMSG);
	MUST(r->offset <= len);
	MUST(ret ? !strncmp(r->error, "byte ", 5) : r->offset == len);
	free(r);
	return !ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *first = NULL, *second = NULL;
	size_t first_len = 0, second_len = 0;

	if (!size)
		return -1;
	if (copy(data + 1, size - 1, data[0] ? data[0] : 65536, &first, &first_len)) {
		MUST(copy((u8 *)first, first_len, 65536, &second, &second_len));
		MUST(first_len == second_len && !memcmp(first, second, first_len));
	}
	free(first);
	free(second);
	return 0;
}
