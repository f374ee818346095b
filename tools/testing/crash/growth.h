/* SPDX-License-Identifier: MIT */
/* Growth of the metadata region. */
#ifndef AFSX_CRASH_GROWTH_H
#define AFSX_CRASH_GROWTH_H

/** growth_command() - crash-ram growth */
int growth_command(char **argv);

#endif /* AFSX_CRASH_GROWTH_H */
