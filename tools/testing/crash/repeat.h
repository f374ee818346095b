/* SPDX-License-Identifier: MIT */
/* What a new connection repeats. */
#ifndef AFSX_CRASH_REPEAT_H
#define AFSX_CRASH_REPEAT_H

/** repeat_command() - crash-ram repeat */
int repeat_command(char **argv);

#endif /* AFSX_CRASH_REPEAT_H */
