/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: enough to follow an operation from the outside. The user guide
 * describes what they print.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM afsx

#if !defined(AFSX_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define AFSX_TRACE_H

#include <linux/fs.h>
#include <linux/in6.h>
#include <linux/socket.h>
#include <linux/tracepoint.h>
#include <linux/unaligned.h>
#include <afsx/rpc.h>
#include "call.h"
#include "callback.h"
#include "cell.h"
#include "op.h"
#include "policy.h"
#include "server.h"
#include "super.h"
#include "volume.h"

/* Copies an address for %pISpc, which wants room for either family. */
void afsx_trace_addr(u8 *to, const struct sockaddr *addr);

TRACE_DEFINE_ENUM(AFSX_STEP_DONE);
TRACE_DEFINE_ENUM(AFSX_STEP_NEXT_ADDR);
TRACE_DEFINE_ENUM(AFSX_STEP_NEXT_SERVER);
TRACE_DEFINE_ENUM(AFSX_STEP_REFRESH);
TRACE_DEFINE_ENUM(AFSX_STEP_WAIT);
TRACE_DEFINE_ENUM(AFSX_STEP_RETRY_ANON);

#define afsx_show_step(step)						\
	__print_symbolic(step,						\
			 { AFSX_STEP_DONE,		"done" },	\
			 { AFSX_STEP_NEXT_ADDR,		"next-address" }, \
			 { AFSX_STEP_NEXT_SERVER,	"next-server" }, \
			 { AFSX_STEP_REFRESH,		"ask-vldb" },	\
			 { AFSX_STEP_WAIT,		"wait" },	\
			 { AFSX_STEP_RETRY_ANON,	"without-key" })

TRACE_DEFINE_ENUM(AFSX_PROMISE_HOLDS);
TRACE_DEFINE_ENUM(AFSX_PROMISE_NONE);
TRACE_DEFINE_ENUM(AFSX_PROMISE_SERVER);
TRACE_DEFINE_ENUM(AFSX_PROMISE_VOLUME);
TRACE_DEFINE_ENUM(AFSX_PROMISE_EXPIRED);

#define afsx_show_promise(state)					\
	__print_symbolic(state,						\
			 { AFSX_PROMISE_HOLDS,		"holds" },	\
			 { AFSX_PROMISE_NONE,		"none" },	\
			 { AFSX_PROMISE_SERVER,		"server-forgot" }, \
			 { AFSX_PROMISE_VOLUME,		"volume-changed" }, \
			 { AFSX_PROMISE_EXPIRED,	"expired" })

/* An outgoing call is about to be made; the same task ends it. */
TRACE_EVENT(afsx_call_begin,
	    TP_PROTO(const struct sockaddr *to, const struct afsx_exchange *x),
	    TP_ARGS(to, x),
	    TP_STRUCT__entry(__array(u8, to, sizeof(struct sockaddr_in6))
			     __string(rpc, x->rpc->name)),
	    TP_fast_assign(afsx_trace_addr(__entry->to, to);
			   __assign_str(rpc);),
	    TP_printk("%pISpc %s", __entry->to, __get_str(rpc))
);

TRACE_EVENT(afsx_call_end,
	    TP_PROTO(const struct sockaddr *to, const struct afsx_exchange *x,
		     int error),
	    TP_ARGS(to, x, error),
	    TP_STRUCT__entry(__array(u8, to, sizeof(struct sockaddr_in6))
			     __string(rpc, x->rpc->name)
			     __field(int, error)
			     __field(s32, abort)
			     __field(u64, bytes)
			     __field(s64, us)),
	    TP_fast_assign(afsx_trace_addr(__entry->to, to);
			   __assign_str(rpc);
			   __entry->error = error;
			   __entry->abort = x->abort;
			   __entry->bytes = x->data_len;
			   __entry->us = ktime_us_delta(ktime_get_boottime(),
							x->issued);),
	    TP_printk("%pISpc %s error=%d abort=%d bytes=%llu us=%lld",
		      __entry->to, __get_str(rpc), __entry->error, __entry->abort,
		      __entry->bytes, __entry->us)
);

/* The policy has judged the outcome of a call; vid 0: to a VL server. */
TRACE_EVENT(afsx_verdict,
	    TP_PROTO(u32 vid, enum afsx_rpc_id rpc, const struct afsx_policy_in *in,
		     const struct afsx_verdict *verdict),
	    TP_ARGS(vid, rpc, in, verdict),
	    TP_STRUCT__entry(__field(u32, vid)
			     __string(rpc, afsx_rpc(rpc)->name)
			     __field(int, error)
			     __field(s32, abort)
			     __field(u32, addrs)
			     __field(u32, servers)
			     __field(u32, waits)
			     __field(u32, refreshes)
			     __field(int, step)
			     __field(u32, wait_ms)
			     __field(int, final)),
	    TP_fast_assign(__entry->vid = vid;
			   __assign_str(rpc);
			   __entry->error = in->error;
			   __entry->abort = in->abort;
			   __entry->addrs = in->addrs_left;
			   __entry->servers = in->servers_left;
			   __entry->waits = in->waits;
			   __entry->refreshes = in->refreshes;
			   __entry->step = verdict->step;
			   __entry->wait_ms = verdict->wait_ms;
			   __entry->final = verdict->error;),
	    TP_printk("vid=%u %s error=%d abort=%d addresses-left=%u servers-left=%u waits=%u refreshes=%u -> %s ms=%u result=%d",
		      __entry->vid, __get_str(rpc), __entry->error, __entry->abort,
		      __entry->addrs, __entry->servers, __entry->waits,
		      __entry->refreshes, afsx_show_step(__entry->step),
		      __entry->wait_ms, __entry->final)
);

/* A promise came with a status; it is not kept if it was broken meanwhile. */
TRACE_EVENT(afsx_promise_given,
	    TP_PROTO(const struct afsx_fid *fid, const struct afsx_callback *cb,
		     bool kept),
	    TP_ARGS(fid, cb, kept),
	    TP_STRUCT__entry(__field_struct(struct afsx_fid, fid)
			     __field(u32, seconds)
			     __field(bool, kept)),
	    TP_fast_assign(__entry->fid = *fid;
			   __entry->seconds = cb->expires_in;
			   __entry->kept = kept;),
	    TP_printk("fid=%u.%u.%u seconds=%u kept=%d", __entry->fid.vid,
		      __entry->fid.vnode, __entry->fid.unique, __entry->seconds,
		      __entry->kept)
);

/* There is no promise (any more), so the server is asked. */
TRACE_EVENT(afsx_promise_void,
	    TP_PROTO(const struct afsx_fid *fid, enum afsx_promise_state why),
	    TP_ARGS(fid, why),
	    TP_STRUCT__entry(__field_struct(struct afsx_fid, fid)
			     __field(int, why)),
	    TP_fast_assign(__entry->fid = *fid;
			   __entry->why = why;),
	    TP_printk("fid=%u.%u.%u why=%s", __entry->fid.vid, __entry->fid.vnode,
		      __entry->fid.unique, afsx_show_promise(__entry->why))
);

/* A server has broken a promise, with vnode 0 those of a whole volume. */
TRACE_EVENT(afsx_promise_broken,
	    TP_PROTO(const struct afsx_fid *fid),
	    TP_ARGS(fid),
	    TP_STRUCT__entry(__field_struct(struct afsx_fid, fid)),
	    TP_fast_assign(__entry->fid = *fid;),
	    TP_printk("fid=%u.%u.%u", __entry->fid.vid, __entry->fid.vnode,
		      __entry->fid.unique)
);

/* The callback service got a call. */
TRACE_EVENT(afsx_callback,
	    TP_PROTO(const struct sockaddr *from, const struct afsx_rpc *rpc,
		     int error),
	    TP_ARGS(from, rpc, error),
	    TP_STRUCT__entry(__array(u8, from, sizeof(struct sockaddr_in6))
			     __string(rpc, rpc->name)
			     __field(int, error)),
	    TP_fast_assign(afsx_trace_addr(__entry->from, from);
			   __assign_str(rpc);
			   __entry->error = error;),
	    TP_printk("%pISpc %s error=%d", __entry->from, __get_str(rpc),
		      __entry->error)
);

/* The VLDB has told who serves a volume. */
TRACE_EVENT(afsx_volume,
	    TP_PROTO(const struct afsx_volume *volume, unsigned int servers,
		     bool changed),
	    TP_ARGS(volume, servers, changed),
	    TP_STRUCT__entry(__string(cell, volume->cell->name)
			     __string(name, volume->name)
			     __field(u32, vid)
			     __field(unsigned int, servers)
			     __field(bool, changed)),
	    TP_fast_assign(__assign_str(cell);
			   __assign_str(name);
			   __entry->vid = volume->vid;
			   __entry->servers = servers;
			   __entry->changed = changed;),
	    TP_printk("cell=%s name=%s vid=%u servers=%u changed=%d",
		      __get_str(cell), __get_str(name), __entry->vid,
		      __entry->servers, __entry->changed)
);

/* A probe has found a file server up (error 0) or down. */
TRACE_EVENT(afsx_server,
	    TP_PROTO(const struct afsx_server *server, const struct afsx_addr *addr,
		     int error),
	    TP_ARGS(server, addr, error),
	    TP_STRUCT__entry(__array(u8, uuid, sizeof(struct afsx_uuid))
			     __array(u8, ip, 4)
			     __field(u16, port)
			     __field(int, error)),
	    TP_fast_assign(memcpy(__entry->uuid, server->uuid.b,
				  sizeof(struct afsx_uuid));
			   put_unaligned_be32(addr->ip, __entry->ip);
			   __entry->port = addr->port;
			   __entry->error = error;),
	    TP_printk("uuid=%pUb %pI4:%u error=%d", __entry->uuid, __entry->ip,
		      __entry->port, __entry->error)
);

DECLARE_EVENT_CLASS(afsx_super,
		    TP_PROTO(const struct super_block *sb),
		    TP_ARGS(sb),
		    TP_STRUCT__entry(__field(dev_t, dev)
				     __string(cell, AFSX_SB(sb)->cell ?
					      AFSX_SB(sb)->cell->name : "")
				     __field(u32, vid)),
		    TP_fast_assign(__entry->dev = sb->s_dev;
				   __assign_str(cell);
				   __entry->vid = AFSX_SB(sb)->volume ?
						  AFSX_SB(sb)->volume->vid : 0;),
		    TP_printk("dev=%u:%u cell=%s vid=%u", MAJOR(__entry->dev),
			      MINOR(__entry->dev), __get_str(cell), __entry->vid)
);

/* A superblock is there, was unmounted by force, is gone. */
DEFINE_EVENT(afsx_super, afsx_mount, TP_PROTO(const struct super_block *sb),
	     TP_ARGS(sb));
DEFINE_EVENT(afsx_super, afsx_umount_force,
	     TP_PROTO(const struct super_block *sb), TP_ARGS(sb));
DEFINE_EVENT(afsx_super, afsx_umount, TP_PROTO(const struct super_block *sb),
	     TP_ARGS(sb));

#endif /* AFSX_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
