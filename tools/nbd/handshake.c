// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "handshake.h"
#include "log.h"
#include "proto.h"

#define OPTION_MAX	16384		/* of options that are understood */
#define SKIP_MAX	(1024 * 1024)	/* of options that are passed over */
/* Room for a reply: a name and a description, or an error's text. */
#define REPLY_MAX	(2 * NBD_STRING_MAX + 8)

struct handshake {
	struct channel		*ch;
	const struct exports	*exports;
	const struct limits	*limits;
	struct tls		*tls;
	struct session		*s;
	/* whose contexts were selected, and which one it was */
	const struct export	*context_exp;
	u64			size;	/* of the export the option is about */
	bool			no_zeroes;
	u32			option;
	u32			len;
	u8			data[OPTION_MAX];
};

/* What is left of an option's data. */
struct cursor {
	const u8 *p;
	u32 left;
};

static bool take(struct cursor *c, u32 len, const u8 **p)
{
	if (len > c->left)
		return false;
	*p = c->p;
	c->p += len;
	c->left -= len;
	return true;
}

static bool take32(struct cursor *c, u32 *v)
{
	const u8 *p;

	if (!take(c, 4, &p))
		return false;
	*v = get_unaligned_be32(p);
	return true;
}

static bool take16(struct cursor *c, u16 *v)
{
	const u8 *p;

	if (!take(c, 2, &p))
		return false;
	*v = get_unaligned_be16(p);
	return true;
}

/* A string after its length. */
static bool take_string(struct cursor *c, const u8 **p, u32 *len)
{
	return take32(c, len) && *len <= NBD_STRING_MAX && take(c, *len, p);
}

static int reply(struct handshake *h, u32 type, const void *data, u32 len)
{
	u8 msg[NBD_OPTION_REPLY_HEAD_SIZE + REPLY_MAX];
	u8 *p;

	p = put64(msg, NBD_MAGIC_OPTION_REPLY);
	p = put32(p, h->option);
	p = put32(p, type);
	p = put32(p, len);
	memcpy(p, data, len);
	return channel_send(h->ch, msg, NBD_OPTION_REPLY_HEAD_SIZE + len);
}

static int ack(struct handshake *h)
{
	return reply(h, NBD_REP_ACK, "", 0);
}

/* Refuse the option, with a sentence for people. */
static int refuse(struct handshake *h, u32 type, const char *text)
{
	log_debug("option refused", LOG_U("option", h->option),
		  LOG_U("error", type & ~NBD_REP_ERROR(0)), LOG_S("why", text));
	return reply(h, type, text, (u32)strlen(text));
}

static int invalid(struct handshake *h)
{
	return refuse(h, NBD_REP_ERR_INVALID, "the data of the option is malformed");
}

static int no_export(struct handshake *h)
{
	return refuse(h, NBD_REP_ERR_UNKNOWN, "there is no export of that name");
}

/* For now: the image may become as long again as it was. */
static int no_size(struct handshake *h, int error)
{
	return refuse(h, NBD_REP_ERR_UNKNOWN, error == -ERANGE ?
		      "the image ends before the export begins" :
		      "the size of the export is not known");
}

static u16 flags_of(struct handshake *h, const struct export *exp)
{
	return export_flags(exp, h->s->style != REPLY_SIMPLE);
}

/* The contexts that were selected are those of @exp or none. */
static int begin(struct handshake *h, const struct export *exp)
{
	h->s->exp = exp;
	h->s->size = h->size;
	h->s->allocation = h->context_exp == exp;
	return 1;
}

static int opt_export_name(struct handshake *h)
{
	const struct export *exp = exports_find(h->exports, h->data, h->len);
	u8 msg[10 + NBD_EXPORT_NAME_ZEROES] = { 0 };
	int ret;

	/* this option cannot be answered with an error */
	if (!exp || h->s->style == REPLY_EXTENDED)
		return -EPROTO;
	ret = blk_size(exp->blk, &h->size);
	if (ret)
		return ret;
	put16(put64(msg, h->size), flags_of(h, exp));
	ret = channel_send(h->ch, msg, h->no_zeroes ? 10 : sizeof(msg));
	return ret ? ret : begin(h, exp);
}

static int opt_abort(struct handshake *h)
{
	int ret = ack(h);

	/* the client may not have waited for the answer */
	return ret && ret != -EPIPE && ret != -ECONNRESET ? ret : -ECANCELED;
}

/* Put a name of @exp or a description at @p. Return: behind it. */
static u8 *put_text(u8 *p, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (len)
		memcpy(p, text, len);
	return p + len;
}

static int opt_list(struct handshake *h)
{
	u8 data[REPLY_MAX], *p;
	unsigned int i;
	int ret;

	for (i = 0; i < h->exports->nr; i++) {
		const struct export *exp = &h->exports->list[i];

		p = put32(data, (u32)strlen(exp->name));
		p = put_text(p, exp->name);
		p = put_text(p, exp->description);
		ret = reply(h, NBD_REP_SERVER, data, (u32)(p - data));
		if (ret)
			return ret;
	}
	return ack(h);
}

static int opt_starttls(struct handshake *h)
{
	int ret;

	if (!h->tls)
		return refuse(h, NBD_REP_ERR_POLICY,
			      "this server has no certificate");
	if (h->ch->tls)
		return refuse(h, NBD_REP_ERR_INVALID, "TLS is in use already");
	ret = ack(h);
	if (!ret)
		ret = tls_accept(h->tls, h->ch);
	/* nothing that was said in the clear counts */
	h->s->style = REPLY_SIMPLE;
	h->context_exp = NULL;
	return ret;
}

static int send_info(struct handshake *h, const struct export *exp, u16 what)
{
	u8 data[REPLY_MAX], *p = put16(data, what);

	switch (what) {
	case NBD_INFO_EXPORT:
		p = put16(put64(p, h->size), flags_of(h, exp));
		break;
	case NBD_INFO_NAME:
		p = put_text(p, exp->name);
		break;
	case NBD_INFO_DESCRIPTION:
		if (!exp->description)
			return 0;
		p = put_text(p, exp->description);
		break;
	case NBD_INFO_BLOCK_SIZE:
		p = put32(p, exp->blk->min_block);
		p = put32(p, exp->blk->preferred_block);
		p = put32(p, h->limits->request_max);
		break;
	default:
		return 0;
	}
	return reply(h, NBD_REP_INFO, data, (u32)(p - data));
}

static int opt_info(struct handshake *h)
{
	struct cursor c = { h->data, h->len };
	const struct export *exp;
	const u8 *name;
	u16 nr, what;
	u32 len;
	int ret;

	if (!take_string(&c, &name, &len) || !take16(&c, &nr) || c.left != nr * 2u)
		return invalid(h);
	exp = exports_find(h->exports, name, len);
	if (!exp)
		return no_export(h);
	ret = blk_size(exp->blk, &h->size);
	if (ret)
		return no_size(h, ret);
	ret = send_info(h, exp, NBD_INFO_EXPORT);
	while (!ret && take16(&c, &what)) {
		if (what != NBD_INFO_EXPORT)
			ret = send_info(h, exp, what);
	}
	if (!ret)
		ret = ack(h);
	if (ret || h->option == NBD_OPT_INFO)
		return ret;
	return begin(h, exp);
}

static int opt_structured_reply(struct handshake *h)
{
	if (h->s->style == REPLY_EXTENDED)
		return refuse(h, NBD_REP_ERR_EXT_HEADER_REQD,
			      "extended headers are in use already");
	h->s->style = REPLY_STRUCTURED;
	return ack(h);
}

static int opt_extended_headers(struct handshake *h)
{
	h->s->style = REPLY_EXTENDED;
	return ack(h);
}

/* Whether a query asks for base:allocation; a list also by its name space. */
static bool query_matches(struct handshake *h, const u8 *query, u32 len)
{
	static const char name[] = CONTEXT_ALLOCATION, space[] = "base:";

	if (len == strlen(space) && h->option == NBD_OPT_LIST_META_CONTEXT)
		return !memcmp(query, space, len);
	return len == strlen(name) && !memcmp(query, name, len);
}

/* Return: 1 if any of the queries matches, 0 if none does, -EBADMSG. */
static int match_queries(struct handshake *h, struct cursor *c)
{
	const u8 *query;
	bool found;
	u32 nr, len;

	if (!take32(c, &nr))
		return -EBADMSG;
	found = !nr && h->option == NBD_OPT_LIST_META_CONTEXT;
	while (nr--) {
		if (!take_string(c, &query, &len))
			return -EBADMSG;
		found |= query_matches(h, query, len);
	}
	return c->left ? -EBADMSG : found;
}

static int opt_meta_context(struct handshake *h)
{
	static const char name[] = CONTEXT_ALLOCATION;
	bool set = h->option == NBD_OPT_SET_META_CONTEXT;
	struct cursor c = { h->data, h->len };
	const struct export *exp;
	u8 data[4 + sizeof(name)];
	const u8 *exp_name;
	int found, ret;
	u32 len;

	if (set)
		h->context_exp = NULL;
	if (h->s->style == REPLY_SIMPLE)
		return refuse(h, NBD_REP_ERR_INVALID,
			      "contexts need structured replies");
	if (!take_string(&c, &exp_name, &len))
		return invalid(h);
	found = match_queries(h, &c);
	if (found < 0)
		return invalid(h);
	exp = exports_find(h->exports, exp_name, len);
	if (!exp)
		return no_export(h);
	if (found) {
		put_text(put32(data, set ? CONTEXT_ALLOCATION_ID : 0), name);
		ret = reply(h, NBD_REP_META_CONTEXT, data, 4 + strlen(name));
		if (ret)
			return ret;
	}
	if (found && set)
		h->context_exp = exp;
	return ack(h);
}

/*
 * The options. A handler returns 0 to go on with the next option, 1 to begin the
 * transmission, an error to end the connection: -ECANCELED when that was wished.
 */
static const struct option {
	u32	number;
	bool	no_data;	/* is invalid with any */
	int	(*handle)(struct handshake *h);
} options[] = {
	{ NBD_OPT_EXPORT_NAME, false, opt_export_name },
	{ NBD_OPT_ABORT, false, opt_abort },
	{ NBD_OPT_LIST, true, opt_list },
	{ NBD_OPT_STARTTLS, true, opt_starttls },
	{ NBD_OPT_INFO, false, opt_info },
	{ NBD_OPT_GO, false, opt_info },
	{ NBD_OPT_STRUCTURED_REPLY, true, opt_structured_reply },
	{ NBD_OPT_LIST_META_CONTEXT, false, opt_meta_context },
	{ NBD_OPT_SET_META_CONTEXT, false, opt_meta_context },
	{ NBD_OPT_EXTENDED_HEADERS, true, opt_extended_headers },
};

/* Whether the client has to begin with TLS before this. */
static bool needs_tls(const struct handshake *h)
{
	return tls_required(h->tls) && !h->ch->tls &&
	       h->option != NBD_OPT_STARTTLS && h->option != NBD_OPT_ABORT;
}

static int handle_option(struct handshake *h)
{
	size_t i;

	if (needs_tls(h)) {
		if (h->option == NBD_OPT_EXPORT_NAME)
			return -EPROTO;
		return refuse(h, NBD_REP_ERR_TLS_REQD, "this server wants TLS");
	}

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		if (options[i].number != h->option)
			continue;
		if (h->len && options[i].no_data)
			return invalid(h);
		return options[i].handle(h);
	}
	return refuse(h, NBD_REP_ERR_UNSUP, "this option is not known");
}

/* Pass over the data of an option that is larger than any of sense. */
static int skip_option(struct handshake *h)
{
	u32 left = h->len;
	int ret;

	if (left > SKIP_MAX || h->option == NBD_OPT_EXPORT_NAME)
		return -EPROTO;
	while (left) {
		u32 n = min_u32(left, sizeof(h->data));

		ret = channel_read(h->ch, h->data, n);
		if (ret)
			return ret;
		left -= n;
	}
	return refuse(h, NBD_REP_ERR_TOO_BIG, "the data of the option is too large");
}

/* Return: as handlers do; -ENOTCONN when the client has left instead. */
static int next_option(struct handshake *h)
{
	u8 head[NBD_OPTION_HEAD_SIZE];
	ssize_t n;
	int ret;

	n = channel_recv(h->ch, head, sizeof(head), sizeof(head));
	if (n <= 0)
		return n ? (int)n : -ECANCELED;
	if (be64_get(head) != NBD_MAGIC_OPTION)
		return -EPROTO;
	h->option = get_unaligned_be32(head + 8);
	h->len = get_unaligned_be32(head + 12);
	if (h->len > sizeof(h->data))
		return skip_option(h);
	ret = channel_read(h->ch, h->data, h->len);
	return ret ? ret : handle_option(h);
}

/* The first words of both sides. */
static int greet(struct handshake *h)
{
	const u16 ours = NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES;
	u8 msg[18], answer[4];
	u32 theirs;
	ssize_t n;
	int ret;

	put16(put64(put64(msg, NBD_MAGIC), NBD_MAGIC_OPTION), ours);
	ret = channel_send(h->ch, msg, sizeof(msg));
	if (ret)
		return ret;
	n = channel_recv(h->ch, answer, sizeof(answer), sizeof(answer));
	if (n <= 0)
		return n ? (int)n : -ECANCELED;
	theirs = get_unaligned_be32(answer);
	h->no_zeroes = theirs & NBD_FLAG_NO_ZEROES;
	return theirs & ~(u32)ours ? -EPROTO : 0;
}

int handshake(struct channel *ch, const struct exports *exports,
	      const struct limits *limits, struct tls *tls, struct session *s)
{
	struct handshake h = {
		.ch = ch,
		.exports = exports,
		.limits = limits,
		.tls = tls,
		.s = s,
	};
	int ret;

	*s = (struct session){ .style = REPLY_SIMPLE };
	channel_set_timeout(ch, limits->handshake_timeout);
	ret = greet(&h);
	while (!ret)
		ret = next_option(&h);
	if (ret == -ECANCELED)
		return 0;
	if (ret > 0)
		channel_set_timeout(ch, 0);
	return ret;
}

int handshake_oldstyle(struct channel *ch, const struct exports *exports,
		       const struct limits *limits, struct session *s)
{
	u8 msg[NBD_OLDSTYLE_SIZE] = { 0 };
	u8 *p;
	int ret;

	*s = (struct session){ .style = REPLY_SIMPLE, .exp = &exports->list[0] };
	ret = blk_size(s->exp->blk, &s->size);
	if (ret)
		return ret;
	p = put64(msg, NBD_MAGIC);
	p = put64(p, NBD_MAGIC_OLDSTYLE);
	p = put64(p, s->size);
	put32(p, export_flags(s->exp, false));
	channel_set_timeout(ch, limits->handshake_timeout);
	ret = channel_send(ch, msg, sizeof(msg));
	channel_set_timeout(ch, 0);
	return ret ? ret : 1;
}
