/* SPDX-License-Identifier: MIT */
/* All short sequences of operations, and the power failing at every flush. */
#ifndef AFSX_SEQUENCES_H
#define AFSX_SEQUENCES_H

/** sequences_command() - crash-ram sequences LENGTH STRIDE */
int sequences_command(char **argv);

#endif /* AFSX_SEQUENCES_H */
