// SPDX-License-Identifier: MIT
/*
 * SQLite starts its log anew when all of it was copied and nobody reads from it.
 * Under load there is always another transaction, so the thread copies what it
 * can, again and again, and the writer copies the small rest and starts the log
 * anew when half of it is in use.
 */
#include "store_ckpt.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_LEN	(24 + 4096)	/* of SQLite's file format, section 4.1 */

/**
 * struct ckpt - who makes checkpoints
 * @writer: connection that changes the database
 * @own: connection of the thread
 * @limit: frames the log has room for
 * @frames: frames in use after the last commit
 * @thread: the thread
 * @turn: held during a checkpoint
 * @lock: protects what follows
 * @wake: the log has grown, or @stop
 * @due: frames in use from which on the thread acts
 * @stop: the thread shall end
 */
struct ckpt {
	struct db *writer;
	struct db own;
	unsigned int limit;
	atomic_uint frames;
	pthread_t thread;
	pthread_mutex_t turn;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	unsigned int due;
	bool stop;
};

/* Called by SQLite after each commit of the writer. */
static int on_commit(void *ctx, sqlite3 *sql, const char *name, int frames)
{
	struct ckpt *c = ctx;

	(void)sql;
	(void)name;
	atomic_store(&c->frames, (unsigned int)frames);
	pthread_mutex_lock(&c->lock);
	if ((unsigned int)frames >= c->due)
		pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
	return SQLITE_OK;
}

/* A failure shows in the device, or else at the next attempt. */
static void checkpoint(struct ckpt *c, struct db *db, int mode)
{
	pthread_mutex_lock(&c->turn);
	sqlite3_wal_checkpoint_v2(db->sql, NULL, mode, NULL, NULL);
	pthread_mutex_unlock(&c->turn);
}

/*
 * A log that was copied is used on until it is started anew: act again when it
 * has grown by some more.
 */
static void *watch(void *arg)
{
	struct ckpt *c = arg;
	unsigned int frames;

	pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		frames = atomic_load(&c->frames);
		if (frames < c->limit / 4)
			c->due = c->limit / 4;
		if (frames < c->due) {
			pthread_cond_wait(&c->wake, &c->lock);
			continue;
		}
		c->due = frames + c->limit / 16;
		pthread_mutex_unlock(&c->lock);
		checkpoint(c, &c->own, SQLITE_CHECKPOINT_PASSIVE);
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

void ckpt_make_room(struct ckpt *c)
{
	if (atomic_load(&c->frames) <= c->limit / 2)
		return;
	checkpoint(c, c->writer, SQLITE_CHECKPOINT_RESTART);
	atomic_store(&c->frames, 0);
}

int ckpt_start(struct db *writer, const char *vfs, struct wal *wal,
	       struct ckpt **out, struct errbuf *err)
{
	struct ckpt *c = calloc(1, sizeof(*c));
	int ret;

	if (!c)
		return err_set(err, -ENOMEM, "out of memory");
	c->writer = writer;
	c->limit = (unsigned int)(wal_limit(wal) / FRAME_LEN);
	c->due = c->limit / 4;
	pthread_mutex_init(&c->turn, NULL);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->wake, NULL);
	ret = db_open(&c->own, vfs, false, err);
	if (!ret) {
		ret = -pthread_create(&c->thread, NULL, watch, c);
		if (ret)
			err_set(err, ret, "cannot start a thread: %s",
				strerror(-ret));
	}
	if (ret) {
		db_close(&c->own);
		free(c);
		return ret;
	}
	sqlite3_wal_hook(writer->sql, on_commit, c);
	*out = c;
	return 0;
}

void ckpt_stop(struct ckpt *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	sqlite3_wal_hook(c->writer->sql, NULL, NULL);
	db_close(&c->own);
	pthread_mutex_destroy(&c->turn);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->wake);
	free(c);
}
