/* SPDX-License-Identifier: MIT */
/* One request of many fails, each in turn. */
#ifndef AFSX_FAULTS_H
#define AFSX_FAULTS_H

/** faults_command() - crash-ram faults SEED RUNS */
int faults_command(char **argv);

#endif /* AFSX_FAULTS_H */
