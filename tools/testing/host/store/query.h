/* SPDX-License-Identifier: MIT */
/* Questions to the tables of a store. */
#ifndef AFSX_STORE_QUERY_H
#define AFSX_STORE_QUERY_H

#include "store.h"

/**
 * query_number() - the first column of the first row
 * @st: store that is open
 * @sql: SELECT; the test ends when it fails or finds no row
 *
 * What transactions under way have changed counts.
 */
s64 query_number(struct store *st, const char *sql);

#endif /* AFSX_STORE_QUERY_H */
