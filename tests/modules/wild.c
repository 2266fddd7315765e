/* wild.c - the login chooses how it takes the process down. SPDX-License-Identifier: GPL-3.0-or-later */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "module.h"

static void
crash(void)
{
    volatile int *volatile nowhere = (volatile int *)16;

    *nowhere = 1;
}

/* Each call needs what the next one gives, and nothing is 1. */
__attribute__((noinline)) static int
recurse(volatile char *above)
{
    volatile char here[4096];

    here[0] = above[0];
    if (here[0] == 1)
        return 1;
    return here[0] + recurse(here);
}

static void
overflow(void)
{
    volatile char here[1] = {0};

    recurse(here);
}

static void
hang(void)
{
    for (;;)
        pause();
}

/* Deaf to everything that can be blocked. */
static void
hang_deaf(void)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    hang();
}

static enum xa_verdict
authenticate(void *self, const char *login, const char *password,
             const struct xa_sink *to)
{
    static const struct {
        const char *login;
        void (*act)(void);
    } acts[] = {
        {"crash", crash}, {"abort", abort},    {"overflow", overflow},
        {"hang", hang},   {"deaf", hang_deaf},
    };

    (void)self;
    (void)password;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (strcmp(login, acts[i].login) == 0)
            acts[i].act();
    if (strcmp(login, "away") == 0)
        return XA_UNAVAILABLE;
    return to->auth_id(to, login) == 0 ? XA_GRANTED : XA_FAILED;
}

XA_BACKEND_EXPORT const struct xa_backend xa_backend = {
    XA_BACKEND_HEAD,
    .configured = always_configured,
    .start = start_nothing,
    .authenticate = authenticate,
};
