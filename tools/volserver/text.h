/* SPDX-License-Identifier: MIT */
/* Copies of texts that need not end with a NUL. */
#ifndef AFSX_TEXT_H
#define AFSX_TEXT_H

#include <stddef.h>

/**
 * text_copy() - copy a text, with a NUL behind it
 * @from: the text, or NULL
 * @len: its bytes
 * @to: the copy, to be freed; NULL for NULL
 *
 * Return: 0 or -ENOMEM.
 */
int text_copy(const char *from, size_t len, char **to);

#endif /* AFSX_TEXT_H */
