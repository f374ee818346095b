/* SPDX-License-Identifier: MIT */
/*
 * librx posts two timers a call, for what happens when no answer comes, and cancels
 * them when it does.  Each is the next to expire of all, so its timer thread is woken
 * to wait for it.  While there are calls a timer of ours expires earlier than those,
 * every 50 ms, and the thread sleeps until then; when there are none it ends.
 */
#ifndef AFSX_RX_BEAT_H
#define AFSX_RX_BEAT_H

/** rx_beat() - there is a call; from any thread */
void rx_beat(void);

#endif /* AFSX_RX_BEAT_H */
