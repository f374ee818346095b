/* SPDX-License-Identifier: MIT */
/* Devices of the kernel's NBD client by ioctl(), linux/nbd.h, for old kernels. */
#ifndef AFSX_NBD_DEVICE_IOCTL_H
#define AFSX_NBD_DEVICE_IOCTL_H

#include "device.h"

/**
 * device_ioctl_connect() - connect a device
 * @dev: device; its fd and thread are set
 * @sock: the kernel's end of the connection
 * @params: what it is told
 *
 * Return: 0; -EBUSY when it is connected; other negative errnos.
 */
int device_ioctl_connect(struct device *dev, int sock,
			 const struct device_params *params);

/** device_ioctl_disconnect() - disconnect a device that is open as @fd. */
int device_ioctl_disconnect(int fd);

/** device_ioctl_end() - wait for the thread of a device that is disconnected. */
void device_ioctl_end(struct device *dev);

#endif /* AFSX_NBD_DEVICE_IOCTL_H */
