/* SPDX-License-Identifier: MIT */
/* What tests put themselves in front of, linked with --wrap=FUNCTION. */
#ifndef AFSX_WRAP_H
#define AFSX_WRAP_H

#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "blkdev.h"
#include "wal.h"

/* Writes, before the device has them */
int __real_blkdev_write(struct blkdev *dev, u64 off, const void *buf,
			size_t len);
int __wrap_blkdev_write(struct blkdev *dev, u64 off, const void *buf,
			size_t len);

int __real_blkdev_write_fua(struct blkdev *dev, u64 off, const void *buf,
			    size_t len);
int __wrap_blkdev_write_fua(struct blkdev *dev, u64 off, const void *buf,
			    size_t len);

void __real_blkdev_write_async(struct blkdev *dev, struct blkdev_batch *batch,
			       u64 off, const void *buf, size_t len);
void __wrap_blkdev_write_async(struct blkdev *dev, struct blkdev_batch *batch,
			       u64 off, const void *buf, size_t len);
void __real_blkdev_write_fua_async(struct blkdev *dev,
				   struct blkdev_batch *batch, u64 off,
				   const void *buf, size_t len);
void __wrap_blkdev_write_fua_async(struct blkdev *dev,
				   struct blkdev_batch *batch, u64 off,
				   const void *buf, size_t len);
int __real_blkdev_zero(struct blkdev *dev, u64 off, u64 len);
int __wrap_blkdev_zero(struct blkdev *dev, u64 off, u64 len);

/* Frames, before the log has them */
int __real_wal_write(struct wal *w, u64 off, const void *buf, size_t len);
int __wrap_wal_write(struct wal *w, u64 off, const void *buf, size_t len);

/* Transactions that are complete, but not durable */
int __real_wal_wait(struct wal *w, u64 ticket);
int __wrap_wal_wait(struct wal *w, u64 ticket);

/* What readers saw, before it is known to be durable */
int __real_wal_barrier(struct wal *w, unsigned int losses);
int __wrap_wal_barrier(struct wal *w, unsigned int losses);

/* Changes that others are told of when they are durable */
void __real_wal_enter(struct wal *w, struct wal_waiter *list);
void __wrap_wal_enter(struct wal *w, struct wal_waiter *list);

/* The clock */
time_t __wrap_time(time_t *t);

/* Moments when another thread could take a lock */
int __real_pthread_mutex_unlock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock);

/* And when one was let go on */
int __real_sem_post(sem_t *sem);
int __wrap_sem_post(sem_t *sem);

#endif /* AFSX_WRAP_H */
