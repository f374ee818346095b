# SPDX-License-Identifier: MIT
# Sources that the program here and its tests share.
NBD_MAIN := $(addprefix tools/nbd/,daemon.c main.c options.c)
NBD_SRCS := $(addprefix tools/nbd/,channel.c export.c handshake.c image.c \
	listen.c pool.c raw.c reply.c request.c server.c slice.c tls.c transmit.c) \
	$(addprefix tools/lib/,err.c log.c size.c)
