/* SPDX-License-Identifier: MIT */
/* Scoped release of memory, descriptors, streams and mutexes. */
#ifndef AFSX_CLEANUP_H
#define AFSX_CLEANUP_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_ptr(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void cleanup_unlock(pthread_mutex_t **m)
{
	pthread_mutex_unlock(*m);
}

static inline pthread_mutex_t *cleanup_lock(pthread_mutex_t *m)
{
	pthread_mutex_lock(m);
	return m;
}

/* The pointer, descriptor or stream is released when it goes out of scope. */
#define CLEANUP_FREE	__attribute__((cleanup(cleanup_free_ptr)))
#define CLEANUP_CLOSE	__attribute__((cleanup(cleanup_close_fd)))
#define CLEANUP_FCLOSE	__attribute__((cleanup(cleanup_fclose)))

/* Hold mutex @m until the end of the enclosing block; once per block. */
#define MUTEX_GUARD(m)							\
	pthread_mutex_t *guard_						\
	__attribute__((cleanup(cleanup_unlock), unused)) = cleanup_lock(m)

#endif /* AFSX_CLEANUP_H */
