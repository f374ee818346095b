/* SPDX-License-Identifier: MIT */
/*
 * The static librx takes two functions from Heimdal's libraries.  Their whole
 * meaning fits into rx_shim.c, and nothing else of Heimdal is needed.
 */
#ifndef AFSXD_RX_SHIM_H
#define AFSXD_RX_SHIM_H

/** rk_socket() - socket(2), closed on exec */
int rk_socket(int domain, int type, int protocol);

/** hc_RAND_bytes() - @len random bytes into @buf; 1 on success, else 0 */
int hc_RAND_bytes(void *buf, unsigned long len);

#endif /* AFSXD_RX_SHIM_H */
