/* process.h - how a program of ours starts: rights, log, background. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The order in a main: xa_process_protect(), configuration,
 * xa_process_detach() if it goes to the background, xa_process_become(),
 * xa_process_open_log(), then everything that opens files for good.
 */
#ifndef XA_SUPPORT_PROCESS_H
#define XA_SUPPORT_PROCESS_H

#include "core/base/err.h"
#include "core/support/config.h"

/* No core dumps and no debugger of the same user: memory holds tokens.  And no
 * closed standard stream whose number a file of ours could get. */
void xa_process_protect(void);

/*
 * Become `user` for good: groups, group, user, in this order, each looked at
 * again.  Nothing happens when that is who we are already.
 *
 *   user          NULL: stay who we are
 *   log_filename  a log file that is missing is made first and given to the
 *                 user, who may not write in its folder
 *
 * XA_E_CONFIG: no such user, or we are not root and somebody else.
 */
XA_MUST_CHECK
enum xa_rc xa_process_become(const char *user, const char *log_filename,
                             struct xa_err *err);

/*
 * Open the log that the configuration names, write the notes of the
 * configuration to it, and warn when we run as root.
 *
 *   ident  the program's name; lent for the life of the process
 *
 * XA_E_CONFIG: the log file cannot be opened.
 */
XA_MUST_CHECK
enum xa_rc xa_process_open_log(const char *ident,
                               const struct xa_config *config,
                               struct xa_err *err);

/* Say on stderr, and in a log that is elsewhere, why the program ends.
 * Returns its exit code. */
int xa_process_fail(const char *ident, const struct xa_err *err);

/*
 * Go to the background: own session, working folder `/`, umask 027.  Returns
 * in the new process; the old one waits for xa_process_report() and ends
 * with the exit code that it tells, 70 if the new one dies silently.
 * Standard error stays open until then, so that a failed start can be seen.
 *
 *   out_report  for xa_process_report()
 *
 * XA_E_UNAVAILABLE: no pipe, no process.
 */
XA_MUST_CHECK
enum xa_rc xa_process_detach(int *out_report, struct xa_err *err);

/*
 * Tell the process that waits how the start went, once.  With exit code 0
 * the three standard streams go to /dev/null.
 *
 *   report  from xa_process_detach(); -1, which is left behind, for nobody
 */
void xa_process_report(int *report, int exit_code);

#endif
