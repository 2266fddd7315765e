/* signals.c - signals taken one by one by a program that waits. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/signals.h"

#include <time.h>

#include "core/base/clock.h"
#include "core/base/log.h"

void
xa_signals_block(struct xa_signals *signals)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGUSR1, SIGHUP};

    signals->stop = 0;
    sigemptyset(&signals->blocked);
    for (size_t i = 0; i < XA_COUNT(numbers); i++)
        sigaddset(&signals->blocked, numbers[i]);
    sigprocmask(SIG_BLOCK, &signals->blocked, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void
take(struct xa_signals *signals, int number)
{
    char quoted[XA_LOG_VALUE_MAX];
    struct xa_err err = XA_ERR_NONE;

    if (number != SIGHUP) {
        signals->stop = 1;
        xa_log(XA_INFO, "process.stopping", "signal=%d", number);
        return;
    }
    if (xa_log_reopen(&err) == XA_OK)
        xa_log(XA_INFO, "log.reopened", "signal=%d", number);
    else
        xa_log(XA_WARNING, "log.not_reopened", "reason=%s",
               xa_log_quote(err.text, quoted));
}

void
xa_signals_wait(struct xa_signals *signals, int64_t mono_ms)
{
    int64_t left_ms;
    int number;

    do {
        left_ms = mono_ms - xa_clock_mono_ms();
        if (left_ms < 0)
            left_ms = 0;
        number = sigtimedwait(
            &signals->blocked, NULL,
            &(struct timespec){left_ms / 1000, left_ms % 1000 * 1000000});
        if (number > 0)
            take(signals, number);
    } while (!signals->stop && (number > 0 || left_ms > 0));
}
