/* lock.h - one process at a time, but no waiting for ever. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SUPPORT_LOCK_H
#define XA_SUPPORT_LOCK_H

/* Milliseconds that starts and edits wait: whoever can read a folder can lock
 * it, and must not hold them up for good. */
#define XA_LOCK_PATIENCE_MS 10000

/*
 * Lock an open file or folder against everybody else who asks (flock(2)),
 * until the descriptor is closed.
 *
 * Returns 0, or the errno of the failure: EWOULDBLOCK when somebody else held
 * it for all of patience_ms.
 */
int xa_lock_exclusive(int fd, int patience_ms);

#endif
