/* authctl_progress.c - work that is long: how far it is, and how it stops. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/authctl.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/clock.h"

#define PROGRESS_MS 500 /* after so long it is said how far it has come */

static volatile sig_atomic_t caught;

static void
on_signal(int number)
{
    caught = number;
}

/* One that is ignored stays so: a shell does that for the background. */
static void
heed(int number)
{
    const struct sigaction act = {.sa_handler = on_signal};
    struct sigaction old;

    if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
        sigaction(number, &act, NULL);
}

void
xa_ctl_progress_begin(struct xa_ctl_progress *progress, const char *words)
{
    *progress = (struct xa_ctl_progress){.words = words};
    if (isatty(STDERR_FILENO))
        progress->said_ms = xa_clock_mono_ms();
    heed(SIGINT);
    heed(SIGTERM);
}

bool
xa_ctl_progress(struct xa_ctl_progress *progress, uint64_t done)
{
    int64_t now_ms;

    if (caught)
        return false;
    if (progress->said_ms == 0)
        return true;
    now_ms = xa_clock_mono_ms();
    if (now_ms - progress->said_ms < PROGRESS_MS)
        return true;
    fprintf(stderr, "\r%" PRIu64 " %s", done, progress->words);
    progress->said_ms = now_ms;
    progress->is_open = true;
    return true;
}

void
xa_ctl_progress_end(struct xa_ctl_progress *progress)
{
    if (progress->is_open)
        fputc('\n', stderr);
    progress->is_open = false;
}

bool
xa_ctl_is_interrupted(void)
{
    return caught != 0;
}

void
xa_ctl_die_of_signal(void)
{
    if (!caught)
        return;
    signal(caught, SIG_DFL);
    raise(caught);
}
