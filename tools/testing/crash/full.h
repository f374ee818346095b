/* SPDX-License-Identifier: MIT */
/* Full devices and exceeded quotas. */
#ifndef AFSX_FULL_H
#define AFSX_FULL_H

/** full_command() - crash-ram full */
int full_command(char **argv);

#endif /* AFSX_FULL_H */
