// SPDX-License-Identifier: MIT
#include <errno.h>
#include <linux/nbd-netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <stdbool.h>

#include "device_netlink.h"

#define VERSION	1

/* The errors that libnl has numbers of its own for, as far as this module makes them. */
static int to_errno(int nle)
{
	static const struct {
		int	nle;
		int	ret;
	} errors[] = {
		{ NLE_SUCCESS, 0 },
		{ NLE_NOMEM, -ENOMEM },
		{ NLE_BUSY, -EBUSY },
		{ NLE_PERM, -EPERM },
		{ NLE_NOACCESS, -EACCES },
		{ NLE_INVAL, -EINVAL },
		{ NLE_EXIST, -EEXIST },
		{ NLE_NODEV, -ENODEV },
		{ NLE_OBJ_NOTFOUND, -EOPNOTSUPP },
		{ NLE_AF_NOSUPPORT, -EOPNOTSUPP },
		{ NLE_OPNOTSUPP, -EOPNOTSUPP },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].nle == -nle)
			return errors[i].ret;
	return -EIO;
}

/* A socket, and the number of the family. Return: 0 or an error of libnl. */
static int open_family(struct nl_sock **sock, int *family)
{
	int ret;

	*sock = nl_socket_alloc();
	if (!*sock)
		return -NLE_NOMEM;
	ret = genl_connect(*sock);
	if (!ret) {
		ret = genl_ctrl_resolve(*sock, NBD_GENL_FAMILY_NAME);
		*family = ret;
	}
	if (ret < 0)
		nl_socket_free(*sock);
	return ret < 0 ? ret : 0;
}

bool device_netlink_known(void)
{
	struct nl_sock *sock;
	int family;

	if (open_family(&sock, &family))
		return false;
	nl_socket_free(sock);
	return true;
}

static int put_socket(struct nl_msg *msg, int fd)
{
	struct nlattr *sockets, *item;

	sockets = nla_nest_start(msg, NBD_ATTR_SOCKETS);
	item = sockets ? nla_nest_start(msg, NBD_SOCK_ITEM) : NULL;
	if (!item)
		return -NLE_NOMEM;
	if (nla_put_u32(msg, NBD_SOCK_FD, (u32)fd))
		return -NLE_NOMEM;
	nla_nest_end(msg, item);
	nla_nest_end(msg, sockets);
	return 0;
}

static int put_params(struct nl_msg *msg, const struct device_params *params)
{
	return nla_put_u64(msg, NBD_ATTR_SIZE_BYTES, params->size) ?:
	       nla_put_u64(msg, NBD_ATTR_BLOCK_SIZE_BYTES, params->block) ?:
	       nla_put_u64(msg, NBD_ATTR_SERVER_FLAGS, params->flags) ?:
	       nla_put_string(msg, NBD_ATTR_BACKEND_IDENTIFIER, params->backend);
}

/* One command; connecting has @params. */
static int command(u8 cmd, u32 index, int fd, const struct device_params *params)
{
	struct nl_sock *sock;
	struct nl_msg *msg;
	int family, ret;

	ret = open_family(&sock, &family);
	if (ret)
		return to_errno(ret);
	ret = -NLE_NOMEM;
	msg = nlmsg_alloc();
	if (!msg)
		goto out;
	if (genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, 0, cmd, VERSION))
		ret = nla_put_u32(msg, NBD_ATTR_INDEX, index);
	if (!ret && params)
		ret = put_params(msg, params) ?: put_socket(msg, fd);
	if (ret)
		nlmsg_free(msg);
	else	/* frees the message */
		ret = nl_send_sync(sock, msg);
out:
	nl_socket_free(sock);
	return to_errno(min(ret, 0));
}

int device_netlink_connect(u32 index, int sock, const struct device_params *params)
{
	return command(NBD_CMD_CONNECT, index, sock, params);
}

int device_netlink_disconnect(u32 index)
{
	return command(NBD_CMD_DISCONNECT, index, -1, NULL);
}
