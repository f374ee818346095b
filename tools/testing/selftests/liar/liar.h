/* SPDX-License-Identifier: MIT */
/*
 * liar: an AFS server of one small volume that lies as it is told.
 */
#ifndef LIAR_H
#define LIAR_H

#include <afsx/rpc.h>

/* The longest reply, bulk data and all. */
#define LIAR_REPLY_MAX	(256 * 1024)

/**
 * struct liar_reply - a reply on its way out
 * @buf: the bytes
 * @len: how many
 * @abort: send this abort code instead; 0: send the bytes
 * @silent: send nothing
 * @endless: go on sending data packets for as long as the client wants them
 */
struct liar_reply {
	u8	buf[LIAR_REPLY_MAX];
	size_t	len;
	s32	abort;
	bool	silent;
	bool	endless;
};

/**
 * liar_answer - what an honest server would reply
 * @rpc: the RPC
 * @request: its arguments, encoded, behind the opcode
 * @len: bytes
 * @version: data version of files and links
 * @reply: filled in
 */
void liar_answer(const struct afsx_rpc *rpc, const void *request, size_t len,
		 u32 version, struct liar_reply *reply);

/* The data version of files and links, as the rules file says; 1 if it does not. */
u32 liar_version(const char *path);

/**
 * liar_bend - change a reply as the rules file says
 * @path: the rules file
 * @rpc: the RPC
 * @reply: changed
 *
 * A line is "RPC ACTION [NUMBER [NUMBER]]"; the first one whose RPC fits counts,
 * "*" fits all. The actions:
 *	abort CODE [TIMES]	abort (the first TIMES calls since the file changed)
 *	silent			do not reply, but say so on standard output
 *	endless			never stop
 *	cut BYTES		leave out the end
 *	pad BYTES		add zeros at the end
 *	word INDEX VALUE	change one 32-bit word
 *	noise SEED		change a few random words
 *
 * The line "content version NUMBER" makes files and the link another version,
 * with other contents of the same size. Nobody is told.
 */
void liar_bend(const char *path, const struct afsx_rpc *rpc,
	       struct liar_reply *reply);

#endif /* LIAR_H */
