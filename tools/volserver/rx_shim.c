// SPDX-License-Identifier: MIT
#include <sys/random.h>
#include <sys/socket.h>

#include "rx_shim.h"

int rk_socket(int domain, int type, int protocol)
{
	return socket(domain, type | SOCK_CLOEXEC, protocol);
}

int hc_RAND_bytes(void *buf, unsigned long len)
{
	return getrandom(buf, len, 0) == (ssize_t)len;
}
