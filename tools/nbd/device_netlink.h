/* SPDX-License-Identifier: MIT */
/* Devices of the kernel's NBD client by generic netlink, linux/nbd-netlink.h. */
#ifndef AFSX_NBD_DEVICE_NETLINK_H
#define AFSX_NBD_DEVICE_NETLINK_H

#include "device.h"

/** device_netlink_known() - whether the kernel has it; may load its module. */
bool device_netlink_known(void);

/**
 * device_netlink_connect() - connect a device
 * @index: N of nbdN
 * @sock: the kernel's end of the connection
 * @params: what it is told
 *
 * Return: 0; -EOPNOTSUPP when the kernel does not have it; -EBUSY; -EPERM; other
 * negative errnos.
 */
int device_netlink_connect(u32 index, int sock, const struct device_params *params);

/** device_netlink_disconnect() - disconnect a device; fails as connecting does. */
int device_netlink_disconnect(u32 index);

#endif /* AFSX_NBD_DEVICE_NETLINK_H */
