// SPDX-License-Identifier: MIT
/*
 * To be preloaded: holds a thread up just before it sends data to the NBD server, as
 * a process is that is stopped there.  While the file $HOLD_SEND exists the next thread
 * that sends a block that begins with $HOLD_WHAT, if that is set, removes the file and
 * waits for somebody to write to the FIFO $HOLD_UNTIL.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void hold(void)
{
	int fd;

	do {
		fd = open(getenv("HOLD_UNTIL"), O_RDONLY | O_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	close(fd);
}

ssize_t send(int fd, const void *buf, size_t len, int flags)
{
	static ssize_t (*next)(int fd, const void *buf, size_t len, int flags);
	const char *what = getenv("HOLD_WHAT") ? : "";

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "send");
	if (len >= 4096 && !memcmp(buf, what, strlen(what)) &&
	    !unlink(getenv("HOLD_SEND")))
		hold();
	return next(fd, buf, len, flags);
}
