/* SPDX-License-Identifier: MIT */
/*
 * Filling datagrams with packets.  A datagram holds several packets when the peer takes
 * that, and a reply begins with as many before the first acknowledgment.  librx comes to
 * more than one after five acknowledgments within one call, which short replies never
 * get; here two are enough.  What was reached counts for all calls of the peer, until a
 * packet is lost.
 *
 * On networks that lose fragments of IP every short reply would then be lost at first.  So
 * what happens to them is watched, and librx has its way for a while when two replies to
 * one client had to be repeated.
 */
#ifndef AFSXD_RX_FILL_H
#define AFSXD_RX_FILL_H

#include "defs.h"

struct rxs_peer;

/**
 * rx_fill_init() - begin to fill datagrams early
 * @packets: the most in one
 */
void rx_fill_init(unsigned int packets);

/**
 * rx_fill_note() - see how replies to a client have fared, before the next one
 * @peer: the client
 * @len: bytes of the next one
 */
void rx_fill_note(const struct rxs_peer *peer, size_t len);

#endif /* AFSXD_RX_FILL_H */
