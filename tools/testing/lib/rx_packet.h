/* SPDX-License-Identifier: MIT */
/* Packets of Rx, for test programs that make their own; numbers as in rx-spec. */
#ifndef AFSX_TESTING_RX_PACKET_H
#define AFSX_TESTING_RX_PACKET_H

#include <assert.h>

#include "defs.h"

/* Types */
#define RX_DATA			1
#define RX_ACK			2
#define RX_ABORT		4
#define RX_ACKALL		5

/* Flags */
#define RX_CLIENT_INITIATED	1
#define RX_REQUEST_ACK		2
#define RX_LAST_PACKET		4

/**
 * struct rx_packet_head - how every packet begins, big-endian
 * @epoch: of the client
 * @cid: connection, with the channel in the lowest two bits
 * @call: number of the call on that channel
 * @seq: of the packet in its direction of the call, from 1
 * @serial: of the packet on the connection
 * @type: of the packet
 * @flags: of the packet
 * @status: for the user
 * @security: class
 * @spare: checksum, where the security class has one
 * @service: id
 */
struct rx_packet_head {
	u32 epoch;
	u32 cid;
	u32 call;
	u32 seq;
	u32 serial;
	u8 type;
	u8 flags;
	u8 status;
	u8 security;
	u16 spare;
	u16 service;
};

static_assert(sizeof(struct rx_packet_head) == 28, "rx_packet_head");

#endif /* AFSX_TESTING_RX_PACKET_H */
