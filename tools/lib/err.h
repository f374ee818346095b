/* SPDX-License-Identifier: MIT */
/* An error code with the sentence that explains it to a person. */
#ifndef AFSX_ERR_H
#define AFSX_ERR_H

#include "defs.h"

#define ERR_TEXT_MAX	512

/**
 * struct errbuf - where a function that may fail says why
 * @text: one line without a final full stop or newline; empty when nothing
 *	failed
 *
 * The caller owns it, usually on the stack, and may pass it on.  Functions that
 * take a struct errbuf accept NULL from callers that only want the code.
 */
struct errbuf {
	char text[ERR_TEXT_MAX];
};

/**
 * err_set() - record why something failed
 * @err: where to write, or NULL
 * @code: negative errno
 * @fmt: sentence naming the option, value or path that was wrong
 *
 * Return: @code, so that a function can end with ``return err_set(...)``.
 */
__printf(3, 4)
int err_set(struct errbuf *err, int code, const char *fmt, ...);

/**
 * err_prefix() - put the name of what was being done before a recorded text
 * @err: an error already set, or NULL
 * @code: negative errno, returned unchanged
 * @fmt: text that will stand in front, followed by ": "
 *
 * Return: @code.
 */
__printf(3, 4)
int err_prefix(struct errbuf *err, int code, const char *fmt, ...);

#endif /* AFSX_ERR_H */
