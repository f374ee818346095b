/* SPDX-License-Identifier: MIT */
/* The kernel as a client: an export as a block device of this machine. */
#ifndef AFSX_NBD_DEVICE_H
#define AFSX_NBD_DEVICE_H

#include <pthread.h>
#include <stdbool.h>

#include "err.h"

/**
 * struct device_params - what the kernel is told of the export
 * @backend: what stands behind it, for people
 * @size: bytes
 * @block: size of a block, a power of two from 512 to the size of a page
 * @flags: transmission flags
 */
struct device_params {
	const char	*backend;
	u64		size;
	u32		block;
	u16		flags;
};

/**
 * struct device - a device of the kernel's NBD client
 * @path: of its node
 * @index: N of nbdN
 * @owner: the process that connected it, as the kernel says; 0 for none
 * @fd: the node, while @thread serves it; -1 when it was connected by netlink
 * @thread: lends itself to the kernel until the device is disconnected
 * @returned: the kernel has given it back; atomic
 */
struct device {
	const char	*path;
	u32		index;
	u64		owner;
	int		fd;
	pthread_t	thread;
	bool		returned;
};

/**
 * device_find() - find out which device a path means
 * @dev: result, not connected
 * @path: of the node; stays in use
 * @err: why it is none of NBD
 *
 * Has the module loaded, where the machine is set up for that.
 *
 * Return: 0 or a negative errno.
 */
int device_find(struct device *dev, const char *path, struct errbuf *err);

/** device_check_unused() - 0; -EBUSY and who has it when a device is connected. */
int device_check_unused(const struct device *dev, struct errbuf *err);

/**
 * device_connect() - make an export a device
 * @dev: of device_find()
 * @sock: stream socket whose other end is being served; the kernel keeps it open
 * @params: what is there
 * @err: why that is not possible
 *
 * Returns when the device can be used and its partitions are known. By netlink, or
 * by ioctl() where the kernel does not have that.
 *
 * Return: 0; -EBUSY when it is connected already or open; other negative errnos.
 */
int device_connect(struct device *dev, int sock, const struct device_params *params,
		   struct errbuf *err);

/**
 * device_release() - disconnect a device, unless somebody else has
 * @dev: of device_find()
 *
 * While its socket is still served, so that what it has not written yet gets there.
 */
void device_release(struct device *dev);

/**
 * device_disconnect() - end the connection of a device, whoever made it
 * @path: of its node
 * @err: why it is not disconnected, or what was lost
 *
 * Waits until nothing of the connection is left, the server included if it is one
 * of this program. A device that is mounted or in use by another is left alone.
 *
 * Return: 0; -ENOTCONN; -EBUSY; -EIO when not all that was written reached the
 * server; other negative errnos.
 */
int device_disconnect(const char *path, struct errbuf *err);

#endif /* AFSX_NBD_DEVICE_H */
