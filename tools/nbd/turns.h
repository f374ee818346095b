/* SPDX-License-Identifier: MIT */
/* Whether a client waits for the answer to one request before it sends the next. */
#ifndef AFSX_NBD_TURNS_H
#define AFSX_NBD_TURNS_H

#include <stdbool.h>

/* So many requests at most are left to others until it is tried again. */
#define TURNS_REST_MAX	256u

/**
 * struct turns - the habits of a client
 * @rest: requests that others are to carry out, because it does not wait
 * @penalty: how many these were at last, halved for each that it waited for since
 *
 * Zeros to begin with.
 */
struct turns {
	unsigned int	rest;
	unsigned int	penalty;
};

/**
 * turns_taken() - whether the thread that receives may carry out a request that takes
 * longer than a change of threads
 * @turns: of the connection
 *
 * To be asked of every such request that is the only one of the connection.
 */
bool turns_taken(struct turns *turns);

/** turns_note() - it was carried out; @came: the client sent something meanwhile */
void turns_note(struct turns *turns, bool came);

#endif /* AFSX_NBD_TURNS_H */
