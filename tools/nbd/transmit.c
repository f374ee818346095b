// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "cleanup.h"
#include "job.h"
#include "proto.h"
#include "reply.h"
#include "transmit.h"

#define QUICK_MAX	(256 * 1024)	/* bytes moved at once, in the same thread */
/* Received and not yet carried out: heads, and as much data as is written at once. */
#define IN_SIZE		(QUICK_MAX + 4096)
#define SMALL_MAX	(16 * 1024)	/* bytes read after which the next request comes soon */
#define TAKE_EXACTLY	(64 * 1024)	/* missing data that is received alone */
/* Data that doc/proto.md does not allow to be met with a hang-up. */
#define SKIP_MAX	(32 * 1024 * 1024)

/* Carry out a request at once. Return: -EAGAIN when that is not possible. */
static int run_quickly(struct conn *c, const struct request *r, u8 *data)
{
	bool read = r->type == NBD_CMD_READ;
	int ret;
	u8 *p;

	if (read) {
		ret = answer_relay(c, r);
		if (ret != -EAGAIN)
			return ret;
	}
	p = answer_room(c, REPLY_SIZE_MAX + (read ? r->length : 0));
	if (!p)
		return -EPIPE;
	if (read)
		data = p + reply_data_head(c->s->style);
	ret = job_run(c, r, data, BLK_NOWAIT);
	if (ret == -EAGAIN)
		return ret;
	return answer_put(c, answer_put_result(c, p, r, ret));
}

/* Whether the client waits for a request, which is short, and for nothing else. */
static bool is_turn(struct conn *c, const struct request *r)
{
	return pace_short(&c->pace, r) && c->start == c->end && !jobs_busy(c) &&
	       turns_taken(&c->turns);
}

/* The same, as far as the thread that has received the request is the one to do it. */
static int run_here(struct conn *c, const struct request *r, u8 *data)
{
	int ret;

	if (r->length > QUICK_MAX)
		return -EAGAIN;
	if (request_quick(c->s->exp, r) || pace_brief(&c->pace, r))
		return run_quickly(c, r, data);
	if (!is_turn(c, r))
		return -EAGAIN;
	ret = run_quickly(c, r, data);
	turns_note(&c->turns, channel_waiting(c->ch));
	return ret;
}

/* Carry out a request whose data, if any, is at @data. */
static int handle(struct conn *c, const struct request *r, u8 *data)
{
	struct job *job;
	int ret;

	ret = run_here(c, r, data);
	if (ret != -EAGAIN)
		return ret;
	job = job_new(c, r);
	if (!job)
		return answer_refuse(c, r, NBD_ENOMEM, "out of memory");
	if (r->payload)
		memcpy(job->data, data, r->payload);
	return job_submit(job);
}

/*
 * Receive what is missing for @need bytes from c->start on, and more if it is
 * there. Return: 1, 0 when the client has left, or an error.
 */
static int fill(struct conn *c, size_t need)
{
	size_t have = c->end - c->start, missing = need - have;
	ssize_t n;
	int ret;

	ret = jobs_wait(c);
	if (ret)
		return ret;
	if (!have || c->start + need > IN_SIZE) {
		memmove(c->in, c->in + c->start, have);
		c->start = 0;
		c->end = have;
	}
	/* data that fills the buffer alone need not be moved later */
	n = channel_recv(c->ch, c->in + c->end, missing,
			 missing > TAKE_EXACTLY ? missing : IN_SIZE - c->end);
	if (n <= 0)
		return n < 0 ? (int)n : have ? -ECONNRESET : 0;
	c->end += n;
	return 1;
}

/*
 * Receive the head of a request. To look for it while the client takes a large answer out
 * of the socket would only hold the client up.
 */
static int fill_head(struct conn *c, size_t size)
{
	int ret;

	c->ch->spin = c->small ? &c->heads : NULL;
	ret = fill(c, size);
	c->ch->spin = NULL;
	return ret;
}

/*
 * Receive the data of a request. A client copies it to a Unix socket in a few large pieces,
 * so each is soon there. Over TCP the pieces are small, and more of them come together while
 * the thread sleeps.
 */
static int fill_data(struct conn *c, size_t size)
{
	int ret;

	c->ch->spin = c->ch->local ? &c->data : NULL;
	ret = fill(c, size);
	c->ch->spin = NULL;
	return ret;
}

/* Receive the data of a request that is larger than the buffer. */
static int receive_large(struct conn *c, const struct request *r)
{
	size_t have = c->end - c->start;
	struct job *job = job_new(c, r);
	int ret;

	if (!job)
		return -ENOMEM;
	memcpy(job->data, c->in + c->start, have);
	c->start = 0;
	c->end = 0;
	ret = jobs_wait(c);
	if (!ret)
		ret = channel_read(c->ch, job->data + have, r->payload - have);
	if (ret) {
		job_free(job);
		return ret;
	}
	return job_submit(job);
}

/* Pass over the data of a request. */
static int skip(struct conn *c, u64 len)
{
	int ret = 1;

	while (len && ret > 0) {
		size_t n = min_u64(len, c->end - c->start);

		c->start += n;
		len -= n;
		if (len)
			ret = fill(c, 1);
	}
	return ret > 0 ? 0 : ret ? ret : -ECONNRESET;
}

/* A request's head has been taken; the data may not have come yet. */
static int receive(struct conn *c, const struct request *r)
{
	const char *why;
	u32 error;
	int ret;

	error = request_check(c->s, c->limits, r, &why);
	if (error) {
		if (r->payload > SKIP_MAX && r->payload > c->limits->request_max)
			return -EPROTO;
		ret = skip(c, r->payload);
		return ret ? ret : answer_refuse(c, r, error, why);
	}
	if (r->payload > IN_SIZE)
		return receive_large(c, r);
	if (c->end - c->start < r->payload) {
		ret = fill_data(c, r->payload);
		if (ret <= 0)
			return ret ? ret : -ECONNRESET;
	}
	c->start += r->payload;
	return handle(c, r, c->in + c->start - r->payload);
}

/* Return: 1, 0 at the end of the connection, or an error. */
static int serve_one(struct conn *c)
{
	size_t size = request_size(c->s->style);
	struct request r;
	int ret;

	if (c->end - c->start < size) {
		ret = fill_head(c, size);
		if (ret <= 0)
			return ret;
	}
	ret = request_parse(c->s->style, c->in + c->start, &r);
	if (ret)
		return ret;
	c->start += size;
	c->small = r.length <= SMALL_MAX || r.type == NBD_CMD_WRITE;
	if (r.type == NBD_CMD_DISC)
		return 0;
	ret = receive(c, &r);
	return ret ? ret : 1;
}

int transmit(struct channel *ch, const struct session *s,
	     const struct limits *limits, const bool *stop)
{
	CLEANUP_FREE u8 *in = malloc(IN_SIZE);
	CLEANUP_FREE u8 *out = malloc(ANSWER_BUFFER);
	struct conn c = {
		.ch = ch,
		.s = s,
		.limits = limits,
		.in = in,
		.out = out,
	};
	int ret = 1, sent;

	if (!in || !out)
		return -ENOMEM;
	jobs_init(&c);
	relay_init(&c.relay);
	while (ret > 0 && !__atomic_load_n(stop, __ATOMIC_RELAXED))
		ret = serve_one(&c);
	sent = answer_flush(&c);
	jobs_end(&c);
	relay_close(&c.relay);
	return ret < 0 ? ret : sent;
}
