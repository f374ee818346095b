/* SPDX-License-Identifier: MIT */
/*
 * What OpenAFS's directory package (libdir) wants its user to provide: blocks
 * of a directory, here out of memory, a place for messages, and locks.
 */
#ifndef AFSXD_DIRBLOB_H
#define AFSXD_DIRBLOB_H

#include "client.h"

#include <afs/dir.h>

void Log(const char *fmt, ...);
int ReallyRead(dir_file_t dir, int block, char *data, int *physerr);
int ReallyWrite(dir_file_t dir, int block, char *data);
void FidZero(dir_file_t dir);
void FidZap(dir_file_t dir);
int FidEq(dir_file_t a, dir_file_t b);
int FidVolEq(dir_file_t dir, afs_int32 vid);
void FidCpy(dir_file_t to, dir_file_t from);

/* Only one thread reads directories. */
struct Lock;

void Lock_Init(struct Lock *lock);
void Afs_Lock_Obtain(struct Lock *lock, int how);
void Afs_Lock_ReleaseR(struct Lock *lock);
void Afs_Lock_ReleaseW(struct Lock *lock);

#endif /* AFSXD_DIRBLOB_H */
