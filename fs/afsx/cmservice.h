/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The callback service: calls that file servers make to us.
 */
#ifndef AFSX_CMSERVICE_H
#define AFSX_CMSERVICE_H

struct afsx_net;
struct socket;
struct work_struct;

/**
 * afsx_cmservice_attach - attach the service to the namespace's socket
 * @net: namespace
 * @socket: bound, not listening yet
 */
void afsx_cmservice_attach(struct afsx_net *net, struct socket *socket);

/* Work function of afsx_net.charge_work: preallocate incoming calls. */
void afsx_cmservice_charge(struct work_struct *work);

/* End the service and its calls. The socket must still be open. Sleeps. */
void afsx_cmservice_stop(struct afsx_net *net, struct socket *socket);

#endif /* AFSX_CMSERVICE_H */
