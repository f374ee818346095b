# SPDX-License-Identifier: MIT
# Sources that the program here and its tests share: images, and all of the server.
NBD_MAIN := $(addprefix tools/nbd/,daemon.c device.c device_ioctl.c \
	device_netlink.c main.c options.c) \
	tools/lib/notify.c
NBD_IMAGE_SRCS := $(addprefix tools/nbd/,cached.c image.c image_lock.c overlay.c \
	partition.c partition_gpt.c \
	qcow2.c qcow2_file.c qcow2_flush.c qcow2_grow.c qcow2_header.c qcow2_map.c \
	qcow2_read.c qcow2_refs.c qcow2_repair.c qcow2_snapshot.c qcow2_unpack.c \
	qcow2_write.c qcow2_zero.c raw.c ring.c slice.c) \
	$(addprefix tools/lib/,err.c log.c)
NBD_SRCS := $(NBD_IMAGE_SRCS) $(addprefix tools/nbd/,answer.c channel.c export.c handover.c \
	handshake.c job.c listen.c pace.c pool.c relay.c reply.c request.c server.c \
	tls.c transmit.c turns.c) \
	tools/lib/size.c tools/lib/spin.c
NBD_IMAGE_PKGS := zlib libzstd liburing
NBD_PKGS := $(NBD_IMAGE_PKGS) gnutls
NBD_MAIN_PKGS := libnl-genl-3.0
