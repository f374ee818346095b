// SPDX-License-Identifier: MIT
/*
 * Preloaded into a server: calls on its image fail as those on a broken or full disk
 * do. DISK_FAULTS names a file with words CALL=ERRNO, CALL=short, CALL=slow, CALL=told or
 * CALL=wait, read at each call, so that faults come and go while the server runs. CALL
 * is read, splice, write, sync or fallocate. A slow call takes 10 ms longer, and one that waits
 * as long as the file says so. One that is told of takes 0.05 ms longer, and adds the number of
 * its thread to the file THREADS. ring-read, ring-write and ring-sync are operations of
 * io_uring; they can only be short or fail with EIO or ENOSPC. ring-submit=ERRNO and
 * ring-setup=ERRNO are liburing's own calls. yield=slow lets somebody else have the
 * processor for as long; each time the file YIELDS gets a byte.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define SECTOR	4096	/* whole ones are what direct I/O can do */
#define PAUSE	10000	/* us */
#define MOMENT	50000	/* ns */

/* What may be wrong besides an errno. */
enum {
	SHORT = -1,
	SLOW = -2,
	WAIT = -3,
	TOLD = -4,
};

static int fault_named(const char *what)
{
	static const char *const names[] = { "short", "slow", "wait", "told" };

	for (int i = 0; i < 4; i++)
		if (!strcmp(what, names[i]))
			return -1 - i;
	return atoi(what);
}

/*
 * What the file says of @call: an errno, one of the above, or 0. It is read without
 * memory of the heap: the leak sanitizer yields while it holds the locks of that.
 */
static int read_fault(const char *call)
{
	const char *path = getenv("DISK_FAULTS");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	char text[512], *word, *what, *rest;
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (word = strtok_r(text, "\n ", &rest); word; word = strtok_r(NULL, "\n ", &rest)) {
		what = strchr(word, '=');
		if (!what)
			continue;
		*what++ = '\0';
		if (!strcmp(word, call))
			return fault_named(what);
	}
	return 0;
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Who sleeps is woken much later than that. */
static void tell_thread(void)
{
	const char *path = getenv("THREADS");
	long long end = now() + MOMENT;
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644) : -1;

	if (fd < 0)
		return;
	dprintf(fd, "%d\n", gettid());
	close(fd);
	while (now() < end)
		;
}

/* Return: the errno @call fails with, SHORT, or 0, when it is to go on. */
static int fault(const char *call)
{
	int error = read_fault(call);

	if (error == SLOW)
		usleep(PAUSE);
	while (error == WAIT) {
		usleep(PAUSE);
		error = read_fault(call);
	}
	if (error == TOLD)
		tell_thread();
	return error == SLOW || error == TOLD ? 0 : error;
}

typedef ssize_t (*transfer_fn)(int fd, const struct iovec *iov, int count,
			       off_t offset, int flags);

static ssize_t transfer(const char *call, const char *symbol, int fd,
			const struct iovec *iov, int count, off_t offset, int flags)
{
	transfer_fn real = (transfer_fn)dlsym(RTLD_NEXT, symbol);
	struct iovec part = iov[0];
	int error = fault(call);

	if (error > 0) {
		errno = error;
		return -1;
	}
	if (error != SHORT)
		return real(fd, iov, count, offset, flags);
	/* a third of it, and never nothing */
	part.iov_len = part.iov_len / 3 + 1;
	return real(fd, &part, 1, offset, flags);
}

ssize_t preadv2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
	return transfer("read", "preadv2", fd, iov, count, offset, flags);
}

ssize_t pwritev2(int fd, const struct iovec *iov, int count, off_t offset, int flags)
{
	return transfer("write", "pwritev2", fd, iov, count, offset, flags);
}

ssize_t pread(int fd, void *buf, size_t len, off_t offset)
{
	struct iovec iov = { buf, len };

	return preadv2(fd, &iov, 1, offset, 0);
}

ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t offset)
{
	return transfer("write", "pwritev2", fd, iov, count, offset, 0);
}

/* Of the image into a pipe; the other way is the client's. */
ssize_t splice(int in, off_t *in_at, int out, off_t *out_at, size_t len, unsigned int flags)
{
	ssize_t (*real)(int in, off_t *in_at, int out, off_t *out_at, size_t len,
			unsigned int flags) =
		(ssize_t (*)(int in, off_t *in_at, int out, off_t *out_at, size_t len,
			     unsigned int flags))dlsym(RTLD_NEXT, "splice");
	int error = in_at ? fault("splice") : 0;

	if (error > 0) {
		errno = error;
		return -1;
	}
	/* some of it, and then no more */
	if (error == SHORT && *in_at % SECTOR)
		return 0;
	return real(in, in_at, out, out_at, error == SHORT ? len / 3 + 1 : len, flags);
}

int sched_yield(void)
{
	const char *path = getenv("YIELDS");
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644) : -1;

	if (fd >= 0) {
		(void)!write(fd, ".", 1);
		close(fd);
	}
	fault("yield");
	return 0;
}

int fdatasync(int fd)
{
	int (*real)(int fd) = (int (*)(int fd))dlsym(RTLD_NEXT, "fdatasync");
	int error = fault("sync");

	if (error) {
		errno = error;
		return -1;
	}
	return real(fd);
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	int (*real)(int fd, int mode, off_t offset, off_t len) =
		(int (*)(int fd, int mode, off_t offset, off_t len))
		dlsym(RTLD_NEXT, "fallocate");
	int error = fault("fallocate");

	if (error) {
		errno = error;
		return -1;
	}
	return real(fd, mode, offset, len);
}

/* Have the kernel itself fail an operation, in a file where it always does. */
static void fail_operation(struct io_uring_sqe *sqe, int error)
{
	static int no_space = -1, broken = -1;

	if (no_space < 0) {
		no_space = open("/dev/full", O_RDWR | O_CLOEXEC);
		broken = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	}
	sqe->fd = error == ENOSPC ? no_space : broken;
	sqe->off = 0;	/* no memory is there */
}

static void change_operation(struct io_uring_sqe *sqe)
{
	const char *call = "ring-sync";
	int error;

	if (sqe->opcode == IORING_OP_READ)
		call = "ring-read";
	else if (sqe->opcode == IORING_OP_WRITE)
		call = "ring-write";
	error = fault(call);
	if (error == SHORT && sqe->len > SECTOR)
		sqe->len = (sqe->len / 3 / SECTOR + 1) * SECTOR;
	else if (error > 0 && sqe->opcode == IORING_OP_FSYNC)
		sqe->fd = -1;	/* EBADF; no file fails with EIO */
	else if (error > 0)
		fail_operation(sqe, error);
}

int io_uring_submit(struct io_uring *ring)
{
	int (*real)(struct io_uring *ring) =
		(int (*)(struct io_uring *ring))dlsym(RTLD_NEXT, "io_uring_submit");
	unsigned int i;
	int error = fault("ring-submit");

	if (error)
		return -error;
	for (i = ring->sq.sqe_head; i != ring->sq.sqe_tail; i++)
		change_operation(&ring->sq.sqes[i & ring->sq.ring_mask]);
	return real(ring);
}

int io_uring_queue_init(unsigned int entries, struct io_uring *ring, unsigned int flags)
{
	int (*real)(unsigned int entries, struct io_uring *ring, unsigned int flags) =
		(int (*)(unsigned int entries, struct io_uring *ring, unsigned int flags))
		dlsym(RTLD_NEXT, "io_uring_queue_init");
	int error = fault("ring-setup");

	return error ? -error : real(entries, ring, flags);
}
