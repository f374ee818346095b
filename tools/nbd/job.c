// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "clock.h"
#include "job.h"
#include "log.h"
#include "proto.h"
#include "reply.h"

#define MEMORY_MAX	(64ULL * 1024 * 1024)	/* of all jobs, if there are several */
#define COPY_MAX	(64 * 1024)	/* data sent together with other replies */
#define PLAIN_ALIGN	16

int job_run(struct conn *c, const struct request *r, u8 *data, u32 flags)
{
	const struct export *exp = c->s->exp;
	u64 start;
	int ret;

	if (request_quick(exp, r)) {
		ret = request_run(exp, r, data, flags);
		if (r->type == NBD_CMD_WRITE && !ret)
			pace_note_change(&c->pace, r->length);
		return ret;
	}
	start = clock_mono_ns();
	ret = request_run(exp, r, data, 0);
	pace_note(&c->pace, r, clock_mono_ns() - start);
	return ret;
}

/* The answer to NBD_CMD_BLOCK_STATUS, at @p. Return: where it ends. */
static u8 *block_status(struct conn *c, u8 *p, const struct request *r)
{
	struct blk *blk = c->s->exp->blk;
	struct blk_extent *extents;
	bool one = r->flags & NBD_CMD_FLAG_REQ_ONE;
	int nr = 1;
	u8 *end;

	extents = malloc(REPLY_EXTENTS_MAX * sizeof(*extents));
	if (!extents)
		return answer_put_result(c, p, r, -ENOMEM);
	if (blk->ops->extents)
		nr = blk->ops->extents(blk, r->length, r->offset, extents,
				       one ? 1 : REPLY_EXTENTS_MAX);
	else
		extents[0] = (struct blk_extent){ .length = r->length };
	if (nr < 0)
		end = answer_put_result(c, p, r, nr);
	else
		end = reply_put_extents(p, c->s->style, r, extents, nr);
	free(extents);
	return end;
}

/* Where the reply to a job begins, after it ended with @ret. */
static u8 *reply_start(struct job *job, u8 *small, int ret)
{
	return job->r.type == NBD_CMD_READ && !ret ?
	       job->data - reply_data_head(job->c->s->style) : small;
}

/* Carry out a job, however long that takes, and answer it. */
static void run_in_pool(void *ctx, struct pool_job *pool_job)
{
	struct job *job = container_of(pool_job, struct job, pool);
	u8 small[REPLY_SIZE_MAX], *p, *end;
	struct conn *c = ctx;
	int ret;

	if (job->r.type == NBD_CMD_BLOCK_STATUS) {
		p = job->room;
		end = block_status(c, p, &job->r);
	} else {
		ret = job_run(c, &job->r, job->data, 0);
		p = reply_start(job, small, ret);
		end = answer_put_result(c, p, &job->r, ret);
	}
	/* the client may send its next request before this thread goes on */
	atomic_fetch_sub(&c->jobs, 1);
	answer_send(c, p, (size_t)(end - p));
	job_free(job);
}

/* Answer a job of the ring. Where that fails, receiving fails too. */
static void answer_job(struct job *job, int ret)
{
	u8 small[REPLY_SIZE_MAX], *p = reply_start(job, small, ret), *end, *out;
	struct conn *c = job->c;
	size_t len;

	end = answer_put_result(c, p, &job->r, ret);
	len = (size_t)(end - p);
	if (len > COPY_MAX) {
		if (!answer_flush(c))
			answer_send(c, p, len);
		return;
	}
	out = answer_room(c, len);
	if (out) {
		memcpy(out, p, len);
		answer_put(c, out + len);
	}
}

/* Remember how long a job of the ring has taken. */
static void note(struct job *job)
{
	struct conn *c = job->c;

	if (!request_quick(c->s->exp, &job->r))
		pace_note(&c->pace, &job->r, clock_mono_ns() - job->begun);
	else if (job->r.type == NBD_CMD_WRITE)
		pace_note_change(&c->pace, job->r.length);
}

static void ended_on_ring(struct blk_io *io, int ret)
{
	struct job *job = container_of(io, struct job, io);
	struct conn *c = job->c;

	c->ring_size -= job->pool.size;
	if (ret == -EOPNOTSUPP) {
		pool_submit(&c->pool, &job->pool);
		return;
	}
	note(job);
	atomic_fetch_sub(&c->jobs, 1);
	answer_job(job, ret);
	job_free(job);
}

void jobs_init(struct conn *c)
{
	c->pool = (struct pool){
		.run = run_in_pool,
		.ctx = c,
		.max_threads = c->limits->threads,
		.max_size = MEMORY_MAX,
	};
	pool_init(&c->pool);
	atomic_init(&c->jobs, 0);
	pace_init(&c->pace);
	c->ring = NULL;
	c->no_ring = !c->s->exp->blk->async;
	c->ring_size = 0;
}

/* Allocate the room of a job. Return: its bytes; 0 when there is no memory. */
static size_t allocate_room(struct job *job)
{
	const struct request *r = &job->r;
	const struct conn *c = job->c;
	size_t align = c->s->exp->blk->min_block > 1 ? BLK_ALIGN : PLAIN_ALIGN;
	size_t head = 0, size = r->payload;

	if (r->type == NBD_CMD_READ) {
		head = ROUND_UP(reply_data_head(c->s->style), align);
		size = r->length;
	} else if (r->type == NBD_CMD_BLOCK_STATUS) {
		size = REPLY_SIZE_MAX + REPLY_EXTENTS_MAX * REPLY_EXTENT_SIZE;
	}
	size = ROUND_UP(head + size, align);
	if (!size)
		return sizeof(*job);
	job->room = aligned_alloc(align, size);
	job->data = job->room + head;
	return job->room ? sizeof(*job) + size : 0;
}

struct job *job_new(struct conn *c, const struct request *r)
{
	struct job *job = malloc(sizeof(*job));

	if (!job)
		return NULL;
	job->c = c;
	job->r = *r;
	job->room = NULL;
	job->data = NULL;
	job->io = (struct blk_io){ .done = ended_on_ring };
	job->pool.size = allocate_room(job);
	if (!job->pool.size) {
		free(job);
		return NULL;
	}
	return job;
}

void job_free(struct job *job)
{
	free(job->room);
	free(job);
}

static bool have_ring(struct conn *c)
{
	int ret;

	if (c->ring || c->no_ring)
		return c->ring;
	ret = ring_open(&c->ring, c->limits->threads);
	c->no_ring = ret;
	if (ret)
		log_debug("threads in place of io_uring", LOG_I("client", c->ch->fd),
			  LOG_S("why", strerror(-ret)));
	return !ret;
}

/* Wait until the ring has room for @size bytes. */
static int ring_room(struct conn *c, u64 size)
{
	int ret = 0;

	while (ring_full(c->ring) ||
	       (ring_busy(c->ring) && c->ring_size + size > MEMORY_MAX)) {
		/* the client may wait for what is in there */
		ret = answer_flush(c);
		ring_wait(c->ring, -1);
	}
	return ret;
}

static int submit_to_ring(struct job *job)
{
	struct conn *c = job->c;
	struct blk *blk = c->s->exp->blk;
	int ret, sent;

	sent = ring_room(c, job->pool.size);
	c->ring_size += job->pool.size;
	job->begun = clock_mono_ns();
	ret = blk->ops->submit(blk, c->ring, &job->io);
	if (ret)
		ended_on_ring(&job->io, ret);
	return sent;
}

int job_submit(struct job *job)
{
	struct conn *c = job->c;
	int ret = 0;

	atomic_fetch_add(&c->jobs, 1);
	if (have_ring(c) && request_io(c->s->exp, &job->r, job->data, &job->io))
		return submit_to_ring(job);
	/* the client may wait for what is in there, the pool for the client */
	if (pool_full(&c->pool, job->pool.size))
		ret = answer_flush(c);
	pool_submit(&c->pool, &job->pool);
	return ret;
}

int jobs_wait(struct conn *c)
{
	int ret = answer_flush(c);

	if (!c->ring)
		return ret;
	while (!ret && ring_busy(c->ring) && !channel_pending(c->ch) &&
	       !ring_wait(c->ring, c->ch->fd))
		ret = answer_flush(c);
	/* the operations that this has begun go on while the thread receives */
	ring_push(c->ring);
	return ret ?: answer_flush(c);
}

bool jobs_busy(struct conn *c)
{
	return atomic_load(&c->jobs);
}

void jobs_end(struct conn *c)
{
	if (c->ring)
		ring_close(c->ring);
	answer_flush(c);
	pool_destroy(&c->pool);
}
