// SPDX-License-Identifier: GPL-2.0
/*
 * What the macros of trace.h expand to, once.
 */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/string.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

void afsx_trace_addr(u8 *to, const struct sockaddr *addr)
{
	size_t size = addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
						    sizeof(struct sockaddr_in);

	memset(to, 0, sizeof(struct sockaddr_in6));
	memcpy(to, addr, size);
}
