/* watchdog.c - ends a process whose backend does not. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/watchdog.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/str.h"

#define WORDS_SIGNAL (SIGRTMIN + 1) /* SIGRTMIN is the loop's */
#define KILL_AFTER_MS 2000          /* the limit, for one that blocks signals */
#define STACK_BYTES 16384           /* for a crash by endless recursion */
#define NAME_MAX_SHOWN 48           /* bytes of a backend's name */

/* What handlers can reach: there is no other way in. */
static struct {
    bool is_open;
    volatile sig_atomic_t in_hand; /* code of a module runs */
    char backend[NAME_MAX_SHOWN + 1];
    const char *call;
    uint32_t limit_ms;
    timer_t words_timer;
    timer_t kill_timer;
    char stack[STACK_BYTES];
} state;

/* The handlers: only what is safe there may be called. */

/* "name=ldap_user call=authenticate"; returns the end. */
static char *
put_call(char *out)
{
    out = stpcpy(stpcpy(out, "name="), state.backend);
    return stpcpy(stpcpy(out, " call="), state.call);
}

static void
on_late(int sig XA_UNUSED)
{
    char text[XA_LOG_SHORT_MAX];

    if (!state.in_hand)
        return; /* it came back in the last moment */
    xa_str_put_u64(stpcpy(put_call(text), " ms="), state.limit_ms);
    xa_log_from_handler(XA_CRITICAL, "backend.hung", text);
    _exit(EX_SOFTWARE);
}

/* The next one of the same sort ends the process as if nobody had cared. */
static void
on_crash(int sig)
{
    char text[XA_LOG_SHORT_MAX];

    if (state.in_hand) {
        put_call(text);
        xa_log_from_handler(XA_CRITICAL, "backend.crashed", text);
    } else {
        xa_log_flush(); /* of the request that did it, maybe */
    }
    raise(sig);
}

static void
catch_crashes(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    struct sigaction ours = {
        .sa_handler = on_crash,
        .sa_flags = (int)(SA_RESETHAND | SA_NODEFER | SA_ONSTACK),
    };
    const stack_t stack = {.ss_sp = state.stack, .ss_size = STACK_BYTES};
    struct sigaction now;
    stack_t other;

    if (sigaltstack(NULL, &other) == 0 && (other.ss_flags & SS_DISABLE))
        sigaltstack(&stack, NULL);
    for (size_t i = 0; i < XA_COUNT(crashes); i++)
        if (sigaction(crashes[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
            sigaction(crashes[i], &ours, NULL);
}

static enum xa_rc
make_timer(int sig, timer_t *out, struct xa_err *err)
{
    struct sigevent event = {
        .sigev_notify = SIGEV_SIGNAL,
        .sigev_signo = sig,
    };

    if (timer_create(CLOCK_MONOTONIC, &event, out) != 0)
        return xa_fail(err, XA_E_UNAVAILABLE, "timer_create: %s",
                       strerror(errno));
    return XA_OK;
}

/* 0: never. */
static void
set_timer(timer_t timer, uint32_t delay_ms)
{
    const struct itimerspec spec = {
        .it_value.tv_sec = (time_t)(delay_ms / 1000),
        .it_value.tv_nsec = (long)(delay_ms % 1000) * 1000000L,
    };

    timer_settime(timer, 0, &spec, NULL);
}

enum xa_rc
xa_watchdog_open(struct xa_err *err)
{
    struct sigaction late = {.sa_handler = on_late};
    enum xa_rc rc;

    rc = make_timer(WORDS_SIGNAL, &state.words_timer, err);
    if (rc != XA_OK)
        return rc;
    rc = make_timer(SIGKILL, &state.kill_timer, err);
    if (rc != XA_OK) {
        timer_delete(state.words_timer);
        return rc;
    }
    sigfillset(&late.sa_mask);
    sigaction(WORDS_SIGNAL, &late, NULL);
    catch_crashes();
    state.is_open = true;
    return XA_OK;
}

void
xa_watchdog_begin(const char *backend, const char *call, uint32_t limit_ms)
{
    size_t len = strnlen(backend, NAME_MAX_SHOWN);

    assert(strlen(call) <= XA_WATCHDOG_CALL_LEN);
    if (!state.is_open)
        return;
    memcpy(state.backend, backend, len);
    state.backend[len] = '\0';
    state.call = call;
    state.limit_ms = limit_ms;
    state.in_hand = 1;
    set_timer(state.words_timer, limit_ms);
    set_timer(state.kill_timer, limit_ms + KILL_AFTER_MS);
}

void
xa_watchdog_end(void)
{
    if (!state.is_open)
        return;
    state.in_hand = 0;
    set_timer(state.kill_timer, 0);
    set_timer(state.words_timer, 0);
}

void
xa_watchdog_close(void)
{
    if (!state.is_open)
        return;
    state.is_open = false;
    timer_delete(state.kill_timer);
    timer_delete(state.words_timer);
}
