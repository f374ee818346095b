/* SPDX-License-Identifier: MIT */
/* The replies of a connection, collected until it would wait. */
#ifndef AFSX_NBD_ANSWER_H
#define AFSX_NBD_ANSWER_H

#include "conn.h"

#define ANSWER_BUFFER	(512 * 1024)	/* bytes of struct conn's @out */

/*
 * All but answer_send() and answer_put_result() are for the thread that receives. The
 * errors are those of the channel; then the connection is shut down for all threads.
 */

/** answer_send() - send bytes at once, past the buffer; any thread. */
int answer_send(struct conn *c, const void *buf, size_t len);

/** answer_flush() - send what is in the buffer; 0 or an error. */
int answer_flush(struct conn *c);

/** answer_room() - where a reply of at most @len bytes goes; NULL when sending failed. */
u8 *answer_room(struct conn *c, size_t len);

/** answer_put() - the reply at answer_room() ends at @end; 0 or an error. */
int answer_put(struct conn *c, const u8 *end);

/** answer_refuse() - reply with @error, an enum nbd_error, and @why for people. */
int answer_refuse(struct conn *c, const struct request *r, u32 error, const char *why);

/**
 * answer_relay() - answer NBD_CMD_READ with pages of the image, without copying them
 * @c: connection
 * @r: request
 *
 * Return: 0; -EAGAIN when that is not possible or not worth it; an error of the channel.
 */
int answer_relay(struct conn *c, const struct request *r);

/**
 * answer_put_result() - write the reply to a request that was carried out
 * @c: connection
 * @p: where; the data of NBD_CMD_READ are in place behind the head
 * @r: request
 * @ret: what request_run() returned
 *
 * Return: where the reply ends.
 */
u8 *answer_put_result(struct conn *c, u8 *p, const struct request *r, int ret);

#endif /* AFSX_NBD_ANSWER_H */
