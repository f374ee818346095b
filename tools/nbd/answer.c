// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "answer.h"
#include "proto.h"
#include "reply.h"

/* Bytes of replies that do not wait for others, when they are large, and small. */
#define SEND_LARGE	(128 * 1024)
#define SEND_SMALL	(32 * 1024)

/* If what was sent is not whole, end the connection for all of its threads. */
static int sent(struct conn *c, int ret)
{
	if (ret)
		shutdown(c->ch->fd, SHUT_RDWR);
	return ret;
}

int answer_send(struct conn *c, const void *buf, size_t len)
{
	return sent(c, channel_send(c->ch, buf, len));
}

int answer_flush(struct conn *c)
{
	size_t len = c->out_len;

	c->out_len = 0;
	return len ? answer_send(c, c->out, len) : 0;
}

u8 *answer_room(struct conn *c, size_t len)
{
	if (c->out_len + len > ANSWER_BUFFER && answer_flush(c))
		return NULL;
	return c->out + c->out_len;
}

int answer_put(struct conn *c, const u8 *end)
{
	c->out_len = (size_t)(end - c->out);
	/* with these the client has something to do while others are carried out */
	return c->out_len >= (c->small ? SEND_SMALL : SEND_LARGE) ? answer_flush(c) : 0;
}

int answer_refuse(struct conn *c, const struct request *r, u32 error, const char *why)
{
	u8 *p = answer_room(c, REPLY_SIZE_MAX);

	if (!p)
		return -EPIPE;
	return answer_put(c, reply_put_error(p, c->s->style, r, error, why));
}

int answer_relay(struct conn *c, const struct request *r)
{
	u32 most = c->ch->local ? RELAY_MAX : RELAY_MAX_TCP;
	size_t len;
	u8 *p;

	if (r->length < RELAY_MIN || r->length > most || c->ch->tls ||
	    relay_fill(&c->relay, c->s->exp->blk, (u32)r->length, r->offset))
		return -EAGAIN;
	p = answer_room(c, REPLY_SIZE_MAX);
	if (!p)
		return -EPIPE;
	answer_put_result(c, p, r, 0);
	len = c->out_len + reply_data_head(c->s->style);
	c->out_len = 0;
	return sent(c, channel_relay(c->ch, c->out, len, c->relay.out, r->length));
}

u8 *answer_put_result(struct conn *c, u8 *p, const struct request *r, int ret)
{
	if (ret)
		return reply_put_error(p, c->s->style, r, request_error(ret),
				       strerrordesc_np(-ret) ?: "unknown error");
	if (r->type == NBD_CMD_READ)
		return reply_put_data(p, c->s->style, r);
	return reply_put_done(p, c->s->style, r);
}
