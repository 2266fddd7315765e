/* pam_helper.h - the process that PAM's modules run in. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * PAM modules hang, crash, leak and keep state, and none of it may reach the
 * service.  So a helper is forked in start(), when the process holds no token,
 * store or connection yet; it runs nothing of PAM itself but forks a fresh
 * process for each login, ends what does not end in time, and tells what came
 * out.  It dies with its parent.
 *
 * A helper that is dead, or was silent, is not replaced: what is forked in the
 * midst of a login has its secrets in memory.  From then on each login has a
 * helper of its own that ends with it.
 *
 *     xivo-auth-fcgi --socketpair--> helper --pipe--> one login, in PAM
 */
#ifndef XA_BACKENDS_PAM_HELPER_H
#define XA_BACKENDS_PAM_HELPER_H

#include <sys/types.h>

#include "pam_wire.h"

struct pam_helper {
    const struct xa_host *host; /* for the log */
    const char *service;        /* of PAM; lent */
    pid_t pid;                  /* 0: there is none */
    int fd;                     /* to it; -1: there is none */
    uint64_t asked;             /* number of the latest question */
};

/* Fork the helper.  0, or -1 after a line in the log. */
int pam_helper_start(struct pam_helper *helper);

/*
 * Have a login asked, in a helper of its own if there is none.
 *
 *   until_ms  monotonic; then the answer is XA_UNAVAILABLE, and the helper,
 *             if it is that which was silent, is gone
 */
void pam_helper_ask(struct pam_helper *helper, const char *login,
                    const char *password, int64_t until_ms,
                    struct pam_answer *out);

/* End the helper, and whatever it has in hand. */
void pam_helper_end(struct pam_helper *helper);

#endif
