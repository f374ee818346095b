/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Abort codes: what an AFS server says instead of a reply, and its errno.
 *
 * A call that fails ends in an Rx ABORT packet with one signed word.  Five
 * number spaces share that word: Rx itself (small negative), the stub
 * compiler rxgen (-450...), volumes (101...), com_err tables (VL, rxkad), and
 * errno, either raw (1..34) or as "unified AFS errors", which number the
 * Linux errnos from 49733376 so that systems can exchange them.
 */
#ifndef AFSX_ABORT_H
#define AFSX_ABORT_H

#include <afsx/platform.h>

/* Rx (rx.h) */
#define AFSX_RX_CALL_DEAD		(-1)
#define AFSX_RX_INVALID_OPERATION	(-2)
#define AFSX_RX_CALL_TIMEOUT		(-3)
#define AFSX_RX_EOF			(-4)
#define AFSX_RX_PROTOCOL_ERROR		(-5)
#define AFSX_RX_USER_ABORT		(-6)
#define AFSX_RX_ADDRINUSE		(-7)
#define AFSX_RX_MSGSIZE			(-8)
#define AFSX_RX_RESTARTING		(-100)

/* rxgen (rxgen_consts.h): CC is the client's stub, SS the server's */
#define AFSX_RXGEN_CC_MARSHAL		(-450)
#define AFSX_RXGEN_CC_UNMARSHAL		(-451)
#define AFSX_RXGEN_SS_MARSHAL		(-452)
#define AFSX_RXGEN_SS_UNMARSHAL		(-453)
#define AFSX_RXGEN_DECODE		(-454)
#define AFSX_RXGEN_OPCODE		(-455)
#define AFSX_RXGEN_SS_XDRFREE		(-456)
#define AFSX_RXGEN_CC_XDRFREE		(-457)

/* Volumes and vnodes (errors.h) */
#define AFSX_VSALVAGE			101	/* volume needs salvaging */
#define AFSX_VNOVNODE			102	/* no such vnode */
#define AFSX_VNOVOL			103	/* volume is not on this server */
#define AFSX_VVOLEXISTS			104
#define AFSX_VNOSERVICE			105	/* volume is not in service */
#define AFSX_VOFFLINE			106	/* volume is off line */
#define AFSX_VONLINE			107
#define AFSX_VDISKFULL			108	/* partition full */
#define AFSX_VOVERQUOTA			109	/* volume quota used up */
#define AFSX_VBUSY			110	/* volume busy: try again */
#define AFSX_VMOVED			111	/* ask the VL server again */
#define AFSX_VIO			112	/* vnode not accessible at present */
#define AFSX_VSALVAGING			113
#define AFSX_VRESTRICTED		120

/* VL service (vlserver.h, com_err table "VL_") */
#define AFSX_VLERR_IDEXIST		363520
#define AFSX_VLERR_IO			363521
#define AFSX_VLERR_NAMEEXIST		363522
#define AFSX_VLERR_CREATEFAIL		363523
#define AFSX_VLERR_NOENT		363524	/* no such volume */
#define AFSX_VLERR_EMPTY		363525
#define AFSX_VLERR_ENTDELETED		363526
#define AFSX_VLERR_BADNAME		363527
#define AFSX_VLERR_BADINDEX		363528
#define AFSX_VLERR_BADVOLTYPE		363529
#define AFSX_VLERR_BADSERVER		363530
#define AFSX_VLERR_BADPARTITION		363531
#define AFSX_VLERR_PERM			363546
#define AFSX_VLERR_NOMEM		363547
#define AFSX_VLERR_BADMASK		363551
#define AFSX_VLERR_DBBAD		363552

/* rxkad (rxkad.h, com_err table "RXK") */
#define AFSX_RXKAD_INCONSISTENCY	19270400
#define AFSX_RXKAD_PACKETSHORT		19270401
#define AFSX_RXKAD_LEVELFAIL		19270402
#define AFSX_RXKAD_TICKETLEN		19270403
#define AFSX_RXKAD_OUTOFSEQUENCE	19270404
#define AFSX_RXKAD_NOAUTH		19270405
#define AFSX_RXKAD_BADKEY		19270406
#define AFSX_RXKAD_BADTICKET		19270407
#define AFSX_RXKAD_UNKNOWNKEY		19270408
#define AFSX_RXKAD_EXPIRED		19270409
#define AFSX_RXKAD_SEALEDINCON		19270410
#define AFSX_RXKAD_DATALEN		19270411
#define AFSX_RXKAD_ILLEGALLEVEL		19270412

/* Unified AFS errors (unified_afs.h): 123 codes from UAEPERM */
#define AFSX_UAE_BASE			49733376
#define AFSX_UAE_COUNT			123
#define AFSX_UAE_EIO			(AFSX_UAE_BASE + 4)

/**
 * afsx_abort_to_errno - The errno a caller sees for an abort code
 * @abort: the abort word, in host order
 *
 * Pure; knows every number space above.  It does not decide whether the call
 * should be tried again: that is afsx_policy's job, which looks at the code.
 *
 * Return: a negative errno; 0 for 0; -EREMOTEIO for a code nobody defined.
 */
int afsx_abort_to_errno(s32 abort);

/**
 * afsx_errno_to_abort - The abort code that tells a client about an errno
 * @err: a negative errno
 *
 * Return: a unified AFS error; 0 for 0; that of EIO for an errno which the
 * unified table does not have.
 */
s32 afsx_errno_to_abort(int err);

#endif /* AFSX_ABORT_H */
