/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The callback service: calls that file servers make to us.
 */
#ifndef AFSX_CMSERVICE_H
#define AFSX_CMSERVICE_H

struct afsx_net;
struct socket;
struct work_struct;

/* Attach the service to the namespace's socket; called by call.c. */
void afsx_cmservice_attach(struct afsx_net *net, struct socket *socket);
void afsx_cmservice_charge(struct work_struct *work);
void afsx_cmservice_stop(struct afsx_net *net);

#endif /* AFSX_CMSERVICE_H */
