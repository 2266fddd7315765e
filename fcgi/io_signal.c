/* io_signal.c - signals that the loop lives by. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/io_signal.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "core/base/log.h"

#define WATCH_SLACK_MS 250 /* so that the timer is set 4 times a second */
#define LET_IN_MS 20

static const int stop_signals[] = {SIGTERM, SIGINT, SIGUSR1};

/* What handlers can reach: there is no other way in. */
static struct {
    volatile sig_atomic_t stop;
    volatile sig_atomic_t hangup;
    volatile sig_atomic_t in_hand; /* a request is being served */
    volatile sig_atomic_t has_timer;
    timer_t timer;
    int64_t fires_ms; /* when the timer will fire, by the monotonic clock */
    int64_t let_in_ms;
    sigset_t waiting;
} state;

static void
on_stop(int sig XA_UNUSED)
{
    state.stop = 1;
}

static void
on_hangup(int sig XA_UNUSED)
{
    state.hangup = 1;
}

static void
on_pipe(int sig XA_UNUSED)
{
    /* the write that failed says so itself */
}

static void
set_timer(int64_t delay_ms)
{
    const struct itimerspec spec = {
        .it_value.tv_sec = (time_t)(delay_ms / 1000),
        .it_value.tv_nsec = (long)(delay_ms % 1000) * 1000000L,
    };

    timer_settime(state.timer, 0, &spec, NULL);
}

/* The timer fired.  Only what is safe in a handler may be called here. */
static void
on_watch(int sig XA_UNUSED)
{
    int saved = errno;
    sigset_t pending;

    if (!state.in_hand || !state.has_timer)
        return;
    sigemptyset(&pending);
    sigpending(&pending);
    for (size_t i = 0; i < XA_COUNT(stop_signals); i++) {
        if (sigismember(&pending, stop_signals[i]) == 1 || state.stop) {
            xa_log_from_handler(XA_CRITICAL, "drain.gave_up",
                                "a request did not end in time");
            _exit(EX_SOFTWARE);
        }
    }
    set_timer(WATCH_SLACK_MS);
    errno = saved;
}

static void
handle(int sig, void (*handler)(int))
{
    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};

    sigfillset(&sa.sa_mask);
    sigaction(sig, &sa, NULL);
}

static enum xa_rc
make_timer(struct xa_err *err)
{
    struct sigevent event = {
        .sigev_notify = SIGEV_SIGNAL,
        .sigev_signo = SIGRTMIN, /* one that no library uses */
    };

    handle(SIGRTMIN, on_watch);
    if (timer_create(CLOCK_MONOTONIC, &event, &state.timer) != 0)
        return xa_fail(err, XA_E_UNAVAILABLE, "timer_create: %s",
                       strerror(errno));
    state.has_timer = 1;
    state.fires_ms = 0;
    return XA_OK;
}

void
xa_signal_hold(void)
{
    sigset_t hangup;

    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    sigprocmask(SIG_BLOCK, &hangup, NULL);
}

enum xa_rc
xa_signal_begin(sigset_t *out_waiting, struct xa_err *err)
{
    sigset_t ours;

    sigemptyset(&ours);
    sigaddset(&ours, SIGHUP);
    for (size_t i = 0; i < XA_COUNT(stop_signals); i++)
        sigaddset(&ours, stop_signals[i]);

    if (sigprocmask(SIG_BLOCK, &ours, out_waiting) != 0)
        return xa_fail(err, XA_E_UNAVAILABLE, "sigprocmask: %s",
                       strerror(errno));
    sigdelset(out_waiting, SIGHUP);
    for (size_t i = 0; i < XA_COUNT(stop_signals); i++) {
        sigdelset(out_waiting, stop_signals[i]);
        handle(stop_signals[i], on_stop);
    }
    state.waiting = *out_waiting;
    handle(SIGHUP, on_hangup);
    handle(SIGPIPE, on_pipe);
    return state.has_timer ? XA_OK : make_timer(err);
}

void
xa_signal_end(void)
{
    if (!state.has_timer)
        return;
    state.has_timer = 0;
    timer_delete(state.timer);
}

void
xa_signal_let_in(int64_t now_ms)
{
    sigset_t blocked;

    if (now_ms - state.let_in_ms < LET_IN_MS)
        return;
    state.let_in_ms = now_ms;
    sigprocmask(SIG_SETMASK, &state.waiting, &blocked);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
}

bool
xa_signal_is_stop(void)
{
    return state.stop;
}

bool
xa_signal_take_hangup(void)
{
    bool came = state.hangup;

    state.hangup = 0;
    return came;
}

void
xa_signal_enter(int64_t now_ms, uint32_t limit_ms)
{
    int64_t end_ms = now_ms + limit_ms;

    if (state.fires_ms < end_ms || state.fires_ms > end_ms + WATCH_SLACK_MS) {
        state.fires_ms = end_ms + WATCH_SLACK_MS;
        set_timer(limit_ms + WATCH_SLACK_MS);
    }
    state.in_hand = 1;
}

void
xa_signal_leave(void)
{
    state.in_hand = 0;
}
