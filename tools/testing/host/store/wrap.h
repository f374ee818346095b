/* SPDX-License-Identifier: MIT */
/* What tests put themselves in front of, linked with --wrap=FUNCTION. */
#ifndef AFSX_WRAP_H
#define AFSX_WRAP_H

#include <pthread.h>

#include "blkdev.h"

/* Writes, before the device has them */
int __real_blkdev_write_fua(struct blkdev *dev, u64 off, const void *buf,
			    size_t len);
int __wrap_blkdev_write_fua(struct blkdev *dev, u64 off, const void *buf,
			    size_t len);

/* Moments when another thread could take a lock */
int __real_pthread_mutex_unlock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock);

#endif /* AFSX_WRAP_H */
