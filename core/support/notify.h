/* notify.h - telling systemd how a daemon is. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The protocol of sd_notify(3), without its library: a datagram to the socket
 * that NOTIFY_SOCKET names, a path or, with "@" first, an abstract name.
 * Without NOTIFY_SOCKET nothing is sent.
 */
#ifndef XA_SUPPORT_NOTIFY_H
#define XA_SUPPORT_NOTIFY_H

#include <stdbool.h>

#define XA_NOTIFY_READY "READY=1"
#define XA_NOTIFY_STOPPING "STOPPING=1"
#define XA_NOTIFY_ALIVE "WATCHDOG=1"

/*
 * Send it, and never wait.  Returns whether it was sent: nobody has to care,
 * since systemd acts by itself on what does not come.
 */
bool xa_notify(const char *state);

#endif
