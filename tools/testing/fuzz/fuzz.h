/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share. Each target is one file with the entry point that
 * libFuzzer calls; the first bytes of an input choose what is done with the rest.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include <afsx/platform.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* End as a finding unless @cond holds. */
#define MUST(cond)								\
	do {									\
		if (!(cond)) {							\
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond); \
			abort();						\
		}								\
	} while (0)

#endif /* FUZZ_H */
