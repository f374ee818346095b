// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <linux/nbd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device_ioctl.h"

/* The kernel serves the device with this thread until it is disconnected. */
static void *lend_thread(void *arg)
{
	struct device *dev = arg;

	ioctl(dev->fd, NBD_DO_IT);
	ioctl(dev->fd, NBD_CLEAR_SOCK);
	__atomic_store_n(&dev->returned, true, __ATOMIC_RELEASE);
	return NULL;
}

static int set_up(int fd, int sock, const struct device_params *params)
{
	/* the socket first: a device that has one already must not be changed */
	if (ioctl(fd, NBD_SET_SOCK, sock))
		return -errno;
	if (ioctl(fd, NBD_SET_BLKSIZE, (unsigned long)params->block) ||
	    ioctl(fd, NBD_SET_SIZE_BLOCKS,
		  (unsigned long)(params->size / params->block)) ||
	    ioctl(fd, NBD_SET_FLAGS, (unsigned long)params->flags)) {
		int ret = -errno;

		ioctl(fd, NBD_CLEAR_SOCK);
		return ret;
	}
	return 0;
}

int device_ioctl_connect(struct device *dev, int sock,
			 const struct device_params *params)
{
	int ret;

	dev->fd = open(dev->path, O_RDWR | O_CLOEXEC);
	if (dev->fd < 0)
		return -errno;
	ret = set_up(dev->fd, sock, params);
	if (!ret) {
		ret = -pthread_create(&dev->thread, NULL, lend_thread, dev);
		if (ret)
			ioctl(dev->fd, NBD_CLEAR_SOCK);
	}
	if (ret) {
		close(dev->fd);
		dev->fd = -1;
	}
	return ret;
}

int device_ioctl_disconnect(int fd)
{
	return ioctl(fd, NBD_DISCONNECT) ? -errno : 0;
}

void device_ioctl_end(struct device *dev)
{
	pthread_join(dev->thread, NULL);
	close(dev->fd);
	dev->fd = -1;
}
