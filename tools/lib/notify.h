/* SPDX-License-Identifier: MIT */
/* What a service manager is told, as sd_notify(3) describes it. */
#ifndef AFSX_NOTIFY_H
#define AFSX_NOTIFY_H

/**
 * notify() - tell the service manager, if there is one that asked for it
 * @state: assignments as sd_notify(3) has them, one a line: "READY=1"
 *
 * What goes wrong is logged and has no other effect.
 */
void notify(const char *state);

#endif /* AFSX_NOTIFY_H */
