/* SPDX-License-Identifier: MIT */
/* The command line of afsxd. */
#ifndef AFSXD_OPTIONS_H
#define AFSXD_OPTIONS_H

#include <afsx/types.h>

#include "afsxd.h"
#include "log.h"
#include "rx_server.h"

/* Two services listen on each address. */
#define OPTIONS_LISTEN_MAX	(RXS_LISTEN_MAX / 2)

/* Exit status for a wrong command line. */
#define AFSXD_USAGE	2

/**
 * struct options - what the command line asks for
 * @cell: name of the cell
 * @store: NBD URI of the volume store
 * @control: path of the control socket, or NULL for none
 * @listen: IPv4 addresses to listen on, host byte order; a 0 alone is all
 * @nr_listen: number of @listen, at least 1
 * @log_level: least severe level to log
 * @fs_port: UDP port of the file service
 * @vl_port: UDP port of the volume location service
 * @threads: calls served at the same time
 * @client_calls: calls of one client served at the same time; 0: half of
 *	@threads
 * @request_timeout: seconds until a request must be whole
 * @idle_timeout: seconds without data after which a call is ended
 * @udp_buffer_kib: what a socket holds for the server and for the network, KiB each
 * @datagram_packets: the most Rx packets sent in one datagram
 * @max_clients: clients remembered
 * @max_promises: callback promises kept
 * @max_locks: vnodes locked at the same time
 * @lock_time: seconds an advisory lock lasts
 * @promise_time: seconds a callback promise lasts
 * @callback_timeout: seconds a client may take to answer a call
 * @callback_retry: seconds before a client without answer is asked again
 * @max_commands: control commands at the same time
 * @grace: seconds calls may take to end at shutdown
 * @readers: threads reading the store's metadata at the same time
 * @cache_mib: memory for the store's metadata, MiB
 * @data_cache_mib: memory for what small reads found, MiB
 * @connect_timeout: seconds that connecting to the NBD server may take
 * @answer_timeout: seconds that it may take to answer a request
 * @reconnect: seconds to wait for an NBD server that went away
 */
struct options {
	const char *cell;
	const char *store;
	const char *control;
	u32 listen[OPTIONS_LISTEN_MAX];
	unsigned int nr_listen;
	enum log_level log_level;
	unsigned int fs_port;
	unsigned int vl_port;
	unsigned int threads;
	unsigned int client_calls;
	unsigned int request_timeout;
	unsigned int idle_timeout;
	unsigned int udp_buffer_kib;
	unsigned int datagram_packets;
	unsigned int max_clients;
	unsigned int max_promises;
	unsigned int max_locks;
	unsigned int lock_time;
	unsigned int promise_time;
	unsigned int callback_timeout;
	unsigned int callback_retry;
	unsigned int max_commands;
	unsigned int grace;
	unsigned int readers;
	unsigned int cache_mib;
	unsigned int data_cache_mib;
	unsigned int connect_timeout;
	unsigned int answer_timeout;
	unsigned int reconnect;
};

void options_parse(int argc, char **argv, struct options *o);

#endif /* AFSXD_OPTIONS_H */
