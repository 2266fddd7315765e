/* watchdog.h - ends a process whose backend does not. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A module that hangs or crashes takes down its process and nothing else:
 * whoever started the process starts another one.  Code that hangs cannot be
 * told to stop, and after a crash no memory can be trusted, so nothing is
 * tidied up; the store is made for that.  What can be done is to say whose
 * fault it was: a line of the log, written by the handler of the signal that
 * ends the process.
 *
 * A module that blocks that signal is killed a little later by another timer,
 * without a word.
 *
 * A process has one set of handlers, so this is state of the process.  Until
 * xa_watchdog_open() every other call does nothing: a command line tool is
 * stopped by who has called it.
 */
#ifndef XA_SERVICE_WATCHDOG_H
#define XA_SERVICE_WATCHDOG_H

#include <stdint.h>

#include "core/base/err.h"

#define XA_WATCHDOG_CALL_MS 8000   /* an authenticate() that should take 3 s */
#define XA_WATCHDOG_CALL_LEN 40    /* bytes of the name of a call */
#define XA_WATCHDOG_START_MS 60000 /* a start() that reads much */

/*
 * Make the timers and install the handlers: for SIGRTMIN + 1, and for the
 * signals of a crash unless a sanitizer has them.
 *
 * XA_E_UNAVAILABLE: the kernel gives no timer.
 */
XA_MUST_CHECK
enum xa_rc xa_watchdog_open(struct xa_err *err);

/*
 * A call into a module begins.
 *
 *   backend  for the log, "ldap_user" say; 48 bytes of it are shown
 *   call     likewise, "authenticate" say, of XA_WATCHDOG_CALL_LEN bytes at
 *            most; lent for the life of the process
 *   limit_ms after that long the process ends with exit code 70
 */
void xa_watchdog_begin(const char *backend, const char *call,
                       uint32_t limit_ms);

/* It is over. */
void xa_watchdog_end(void);

/* Delete the timers.  The handlers stay, and do nothing special. */
void xa_watchdog_close(void);

#endif
