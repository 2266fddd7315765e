/* io_signal.h - signals that the loop lives by. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The loop takes signals only while it waits, so that no call of a request
 * is ever interrupted.  Then nobody would notice a SIGTERM during a request
 * that hangs; so a timer looks after each request, one that fires only when
 * the same request has been in hand for longer than the drain may take.
 *
 * A process has one set of handlers, so this is state of the process.
 */
#ifndef XA_FCGI_IO_SIGNAL_H
#define XA_FCGI_IO_SIGNAL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

/*
 * Hold back SIGHUP, which would end the process, until the loop waits: log
 * rotation does not ask who is just starting.  SIGTERM and the like may end a
 * start at once, as nothing is in hand.
 */
void xa_signal_hold(void);

/*
 * Install handlers for SIGTERM, SIGINT and SIGUSR1 (stop), SIGHUP (hangup)
 * and SIGPIPE (nothing), and block the first four.
 *
 *   out_waiting  the mask for epoll_pwait: as now, these four let in
 *
 * XA_E_UNAVAILABLE: the kernel gives no timer.
 */
XA_MUST_CHECK
enum xa_rc xa_signal_begin(sigset_t *out_waiting, struct xa_err *err);

/* Delete the timer.  Handlers and mask stay: a second signal that comes
 * while the process ends must change nothing. */
void xa_signal_end(void);

/*
 * Let signals in for a moment, at most every 20 ms.  epoll_pwait does not
 * while there is always an event ready, so a busy loop must ask.
 */
void xa_signal_let_in(int64_t now_ms);

bool xa_signal_is_stop(void);
bool xa_signal_take_hangup(void); /* true once for each time it came */

/*
 * Around each request.  If it is in hand for limit_ms and a stop signal has
 * come, the process ends at once with exit code 70.
 */
void xa_signal_enter(int64_t now_ms, uint32_t limit_ms);
void xa_signal_leave(void);

#endif
