/* pam_keeper.h - the inside of the PAM helper. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_BACKENDS_PAM_KEEPER_H
#define XA_BACKENDS_PAM_KEEPER_H

#include <sys/types.h>

/*
 * Serve questions that come from fd until it is closed.  For a process that
 * was just forked: it gives up every other descriptor and its handlers.
 *
 *   parent  who forked it, and must not be survived
 */
_Noreturn void pam_keeper_run(int fd, pid_t parent, const char *service);

#endif
