/* SPDX-License-Identifier: MIT */
/* What every test asks of a store at its end. */
#ifndef AFSX_TESTING_SOUND_H
#define AFSX_TESTING_SOUND_H

#include "store.h"

/**
 * check_store() - store_check() with all file data, problems on standard output
 * @st: store
 *
 * Return: 0, the number of problems, or a negative errno.
 */
int check_store(struct store *st);

#endif /* AFSX_TESTING_SOUND_H */
