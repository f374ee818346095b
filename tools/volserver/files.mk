# SPDX-License-Identifier: MIT
# Sources that the programs here and the tests of the store share.

# The volume store and the commands on it.
STORE_SRCS := $(addprefix tools/volserver/,acl.c alloc.c blkdev.c blkdev_conn.c \
	blkdev_io.c db.c db_sql.c dir_image.c dir_index.c dump_acl.c dump_format.c dump_reader.c \
	dump_tree.c fence.c import_tree.c lease.c meta.c meta_sums.c rally.c redo.c \
	restore_tree.c restore_vnode.c sb.c sb_find.c store.c store_apply.c \
	store_batch.c store_blocks.c store_check.c store_check_tree.c store_ckpt.c store_cut.c \
	store_data.c store_dir.c store_extent.c store_fetch.c store_format.c store_gc.c \
	store_grow.c store_grp.c store_hold.c store_hot.c store_ingest.c store_mend.c \
	store_name.c store_piece.c store_places.c store_queue.c store_read.c \
	store_restore.c store_row.c store_rows.c store_scrub.c store_seen.c \
	store_side.c store_trim.c store_tx.c store_vnode.c store_vol.c store_warm.c \
	text.c vfs.c vfs_shm.c volcmd.c volcmd_acl.c volcmd_check.c volcmd_dump.c \
	volcmd_import.c volcmd_path.c volcmd_restore.c volcmd_show.c volcmd_source.c \
	wal.c wal_load.c) \
	$(addprefix tools/lib/,crc32c.c err.c log.c size.c spin.c)

AFSX_VOL_SRCS := $(addprefix tools/volserver/,afsx-vol.c control_client.c)

AFSXD_SRCS := $(addprefix tools/volserver/,afsxd.c arrival.c callback.c \
	control.c control_output.c dispatch.c fs_access.c fs_change.c fs_lock.c \
	fs_name.c fs_service.c fs_store.c fs_vnode.c fs_volume.c host.c lock.c \
	options.c rx_beat.c rx_fill.c rx_server.c rx_shim.c stats.c vl_service.c) \
	tools/lib/notify.c

# Debian's libopenafs-dev has no file for pkg-config. It is the static librx: the
# shared one does not let a service listen on one address.
AFSXD_FLAGS := -DAFS_PTHREAD_ENV
AFSXD_LIBS := -l:libafsrpc.a -l:libopr.a -lpthread -lresolv
