/* SPDX-License-Identifier: MIT */
/* The command line of afsx-nbd. */
#ifndef AFSX_NBD_OPTIONS_H
#define AFSX_NBD_OPTIONS_H

#include "blk.h"
#include "handshake.h"
#include "listen.h"
#include "tls.h"

/**
 * struct options - what the command line says
 * @files: images
 * @nr_files: how many, at least 1
 * @names: of the exports; as many as @nr_files, or none
 * @nr_names: how many
 * @description: of the exports, or NULL
 * @listen: where
 * @tls: encryption
 * @image: how images are opened
 * @async_given: --aio=io_uring, which is what is done otherwise too where it is possible
 * @write_through: --cache=writethrough, directsync
 * @ignore_flush: --cache=unsafe
 * @discard: --discard=unmap
 * @offset: bytes of the image that are left out
 * @partition: of the image, the only one that is shown, or 0
 * @overlay: changes are kept in a temporary file
 * @device_socket: text of @listen.path where @device decides it, or NULL
 * @snapshot: text that @image.snapshot_id and snapshot_name point into, or NULL
 * @shared: clients at a time
 * @persistent: go on when the last client has left
 * @verbose: log what clients do
 * @device: node of the kernel's device that shows the export, or NULL
 * @disconnect: @files is such a device, to be disconnected; nothing is served
 * @fork: serve in the background
 * @hand_over: socket where an older server gives way to a newer one, or NULL
 * @pid_file: for the number of the process, or NULL
 * @oldstyle: no negotiation
 * @limits: what one client may use
 * @grace: seconds that requests may take to end when the server is stopped
 */
struct options {
	char			**files;
	unsigned int		nr_files;
	const char		**names;
	unsigned int		nr_names;
	const char		*description;
	struct listen_options	listen;
	struct tls_config	tls;
	struct blk_options	image;
	bool			async_given;
	bool			write_through;
	bool			ignore_flush;
	bool			discard;
	u64			offset;
	unsigned int		partition;
	bool			overlay;
	char			*device_socket;
	char			*snapshot;
	unsigned int		shared;
	bool			persistent;
	bool			verbose;
	const char		*device;
	bool			disconnect;
	bool			fork;
	const char		*hand_over;
	const char		*pid_file;
	bool			oldstyle;
	struct limits		limits;
	unsigned int		grace;
};

/**
 * options_parse() - read the command line
 * @argc: of main()
 * @argv: of main(); strings in @o point into it
 * @o: result
 *
 * Ends the program for --help and --version, and with status 1 and a sentence on
 * stderr when something is wrong.
 */
void options_parse(int argc, char **argv, struct options *o);

/** options_free() - free what options_parse() allocated. */
void options_free(struct options *o);

#endif /* AFSX_NBD_OPTIONS_H */
