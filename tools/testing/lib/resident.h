/* SPDX-License-Identifier: MIT */
/* Memory of the process, for tests and benchmarks that state it. */
#ifndef AFSX_TESTING_RESIDENT_H
#define AFSX_TESTING_RESIDENT_H

#include "defs.h"

/** resident_kib() - memory of this process that is not paged out, in KiB */
u64 resident_kib(void);

#endif /* AFSX_TESTING_RESIDENT_H */
