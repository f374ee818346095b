/* SPDX-License-Identifier: MIT */
/*
 * What a control command prints, on its way to a client that may not read.
 *
 * Commands print while they hold locks and snapshots of the store, so printing
 * never waits: what the client's socket does not take is kept here.
 */
#ifndef AFSXD_CONTROL_OUTPUT_H
#define AFSXD_CONTROL_OUTPUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

/*
 * Bytes kept for a client that does not read.  The longest directory is shown
 * in less than half of it.
 */
#define CONTROL_KEPT_MAX	(64u * 1024 * 1024)

struct control_message;

STAILQ_HEAD(control_messages, control_message);

/**
 * struct control_output - messages to one client; used by one thread
 * @fd: socket to it
 * @kept: messages that wait, in order
 * @bytes: of them
 */
struct control_output {
	int fd;
	struct control_messages kept;
	size_t bytes;
};

/** control_output_init() - nothing is kept for the client on socket @fd */
void control_output_init(struct control_output *o, int fd);

/** control_output_free() - drop what is kept */
void control_output_free(struct control_output *o);

/**
 * control_output_put() - send a message, or keep it; does not wait
 * @o: where to
 * @kind: its first byte
 * @buf: the rest
 * @len: bytes in @buf
 *
 * Return: 0; -ENOBUFS when too much is kept already; -ENOMEM; another negative
 * errno when the client is gone.
 */
int control_output_put(struct control_output *o, char kind, const void *buf,
		       size_t len);

/**
 * control_output_drain() - wait until the client took what is kept
 * @o: where to
 * @left: bytes that may remain
 * @stop: ends the waiting; a signal to the thread has it looked at
 *
 * Return: 0; -ECANCELED; another negative errno when the client is gone.
 */
int control_output_drain(struct control_output *o, size_t left,
			 const atomic_bool *stop);

#endif /* AFSXD_CONTROL_OUTPUT_H */
