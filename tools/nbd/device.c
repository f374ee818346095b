// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <linux/major.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "device.h"
#include "device_ioctl.h"
#include "device_netlink.h"
#include "log.h"
#include "size.h"

#define PATIENCE_MS	10000	/* for what should be so at once */
#define OPEN_MS		2000	/* for those that look into every device, as udev */
#define STEP_MS		20

/* The first line of a file. Return: its length, or a negative errno. */
static int read_line(const char *path, char *buf, size_t size)
{
	CLEANUP_FCLOSE FILE *f = fopen(path, "re");

	if (!f)
		return -errno;
	if (!fgets(buf, (int)size, f))
		return -ENODATA;
	buf[strcspn(buf, "\n")] = '\0';
	return (int)strlen(buf);
}

/* Return: the process that connected a device, as the kernel says; 0 for none. */
static u64 owner_of(u32 index)
{
	char path[64], text[32];
	u64 pid;

	snprintf(path, sizeof(path), "/sys/block/nbd%u/pid", index);
	if (read_line(path, text, sizeof(text)) < 0 ||
	    number_parse(text, 1, INT_MAX, &pid))
		return 0;
	return pid;
}

/* What the kernel calls a block device. */
static int name_of(dev_t rdev, char *name, size_t size)
{
	char path[64], target[256];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(rdev), minor(rdev));
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	snprintf(name, size, "%s", basename(target));
	return 0;
}

int device_find(struct device *dev, const char *path, struct errbuf *err)
{
	bool netlink = device_netlink_known();
	char name[64] = "";
	struct stat st;
	u64 index;

	*dev = (struct device){ .path = path, .fd = -1 };
	if (stat(path, &st)) {
		int ret = -errno;

		return err_set(err, ret, "%s: %s%s", path, strerror(-ret),
			       netlink ? "" : "; the kernel has no module nbd");
	}
	if (!S_ISBLK(st.st_mode) || major(st.st_rdev) != NBD_MAJOR)
		return err_set(err, -ENODEV, "%s: not a device of NBD", path);
	if (name_of(st.st_rdev, name, sizeof(name)))
		return err_set(err, -ENODEV, "%s: the kernel does not have this device%s",
			       path, netlink ? "" : ", nor a module nbd");
	if (strncmp(name, "nbd", 3) || number_parse(name + 3, 0, U32_MAX, &index))
		return err_set(err, -ENODEV, "%s: %s is not a whole device of NBD",
			       path, name);
	dev->index = (u32)index;
	return 0;
}

int device_check_unused(const struct device *dev, struct errbuf *err)
{
	u64 owner = owner_of(dev->index);

	if (!owner)
		return 0;
	return err_set(err, -EBUSY, "%s: is connected already, by process %ju",
		       dev->path, (uintmax_t)owner);
}

static void pause_step(void)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };

	nanosleep(&step, NULL);
}

/* Whoever opens a new device, as udev does, is gone again soon. */
static int connect_patiently(struct device *dev, int sock,
			     const struct device_params *params)
{
	int left = OPEN_MS / STEP_MS, ret;

	for (;;) {
		ret = device_netlink_connect(dev->index, sock, params);
		if (ret != -EBUSY || owner_of(dev->index) || !left--)
			return ret;
		pause_step();
	}
}

/* The other thread has the device when the kernel says so. */
static int wait_for_owner(struct device *dev)
{
	int left = PATIENCE_MS / STEP_MS;

	while (!owner_of(dev->index)) {
		if (!left-- || __atomic_load_n(&dev->returned, __ATOMIC_ACQUIRE)) {
			device_ioctl_disconnect(dev->fd);
			device_ioctl_end(dev);
			return -EIO;
		}
		pause_step();
	}
	return 0;
}

/* Opening the device has the kernel look for partitions. */
static void find_partitions(const struct device *dev)
{
	int fd = open(dev->path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
}

int device_connect(struct device *dev, int sock, const struct device_params *params,
		   struct errbuf *err)
{
	int ret;

	/* memory for this process must not depend on what is written to the device */
	if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0))
		log_debug("not an I/O flusher", LOG_S("why", strerror(errno)));
	ret = connect_patiently(dev, sock, params);
	if (ret == -EOPNOTSUPP)
		ret = device_ioctl_connect(dev, sock, params) ?: wait_for_owner(dev);
	if (ret == -EBUSY)
		return device_check_unused(dev, err) ?:
		       err_set(err, ret, "%s: another program has it open", dev->path);
	if (ret)
		return err_set(err, ret, "%s: cannot be connected: %s", dev->path,
			       strerror(-ret));
	dev->owner = owner_of(dev->index);
	find_partitions(dev);
	log_debug("device connected", LOG_S("device", dev->path),
		  LOG_S("image", params->backend));
	return 0;
}

/* Have everything written, and end the connection. @synced: result of the first. */
static int write_and_disconnect(u32 index, int fd, int *synced)
{
	int ret;

	*synced = fsync(fd) ? -errno : 0;
	ret = device_netlink_disconnect(index);
	return ret == -EOPNOTSUPP ? device_ioctl_disconnect(fd) : ret;
}

void device_release(struct device *dev)
{
	int fd, synced, ret = 0;

	if (dev->owner && owner_of(dev->index) == dev->owner) {
		fd = open(dev->path, O_RDONLY | O_CLOEXEC);
		ret = fd < 0 ? -errno : write_and_disconnect(dev->index, fd, &synced);
		if (fd >= 0)
			close(fd);
	}
	if (ret)
		log_error("device not disconnected", LOG_S("device", dev->path),
			  LOG_S("why", strerror(-ret)));
	else if (dev->fd >= 0)
		device_ioctl_end(dev);
	dev->owner = 0;
}

/* Return: a descriptor of the server of a device, -1 if it is not this program. */
static int open_server(u64 owner)
{
	char path[64], name[32];

	snprintf(path, sizeof(path), "/proc/%ju/comm", (uintmax_t)owner);
	if (read_line(path, name, sizeof(name)) < 0 ||
	    strcmp(name, program_invocation_short_name))
		return -1;
	return pidfd_open((pid_t)owner, 0);
}

/* Wait until the kernel has let go of a device, and its server has ended. */
static int wait_until_gone(const char *path, u32 index, int server,
			   struct errbuf *err)
{
	struct pollfd end = { .fd = server, .events = POLLIN };
	int left = PATIENCE_MS / STEP_MS;

	while (owner_of(index)) {
		if (!left--)
			return err_set(err, -EBUSY,
				       "%s: disconnected, but another program has it open",
				       path);
		pause_step();
	}
	if (server >= 0 && poll(&end, 1, PATIENCE_MS) != 1)
		return err_set(err, -EBUSY,
			       "%s: disconnected, but its server has not ended", path);
	return 0;
}

int device_disconnect(const char *path, struct errbuf *err)
{
	CLEANUP_CLOSE int server = -1;
	struct device dev;
	int fd, ret, synced;
	u64 owner;

	ret = device_find(&dev, path, err);
	if (ret)
		return ret;
	owner = owner_of(dev.index);
	if (!owner)
		return err_set(err, -ENOTCONN, "%s: is not connected", path);
	server = open_server(owner);
	/* as long as this is open nobody can mount it */
	fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd < 0) {
		ret = -errno;
		return err_set(err, ret, "%s: %s", path, ret == -EBUSY ?
			       "is mounted, or in use by another device" :
			       strerror(-ret));
	}
	ret = write_and_disconnect(dev.index, fd, &synced);
	close(fd);
	if (ret)
		return err_set(err, ret, "%s: cannot be disconnected: %s", path,
			       strerror(-ret));
	ret = wait_until_gone(path, dev.index, server, err);
	if (!ret && synced)
		ret = err_set(err, synced,
			      "%s: disconnected, but perhaps not all that was written reached the server: %s",
			      path, strerror(-synced));
	return ret;
}
