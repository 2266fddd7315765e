/* expiryd.c - the expiry daemon: tick, remove what is due, wait. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/service/discovery.h"
#include "core/service/expiry.h"
#include "core/service/expiryd_options.h"
#include "core/support/crypto.h"
#include "core/support/notify.h"
#include "core/support/process.h"
#include "core/support/signals.h"

#define RETRY_MAX_MS 10000
#define STAND_BY_MS 1000  /* as often who does not lead tries to */
#define KEEP_MS 3000      /* as often the lead is kept, and systemd is told */
#define ONCE_WAIT_MS 5000 /* --once waits a tick for the lead, or so long */
#define ONCE_RETRY_MS 100

struct daemon {
    struct xa_expiryd_options options;
    struct xa_config *config;
    struct xa_store *store;
    struct xa_expiry *expiry;
    struct xa_discovery *discovery; /* NULL: not wanted */
    struct xa_signals signals;
    int report; /* to the process that waits for our start; -1: none */
};

/* Sleep, and meanwhile take a look at what the discovery has under way. */
static void
sleep_until(struct daemon *daemon, int64_t end_ms)
{
    int64_t now_ms = xa_clock_mono_ms();
    int64_t look_ms;

    do {
        look_ms = xa_discovery_step(daemon->discovery, now_ms);
        xa_signals_wait(&daemon->signals, look_ms < end_ms ? look_ms : end_ms);
        now_ms = xa_clock_mono_ms();
    } while (now_ms < end_ms && !daemon->signals.stop);
}

static void
pause_ms(void *ctx, int ms)
{
    struct daemon *daemon = ctx;

    xa_notify(XA_NOTIFY_ALIVE);
    sleep_until(daemon, xa_clock_mono_ms() + ms);
}

static struct xa_moment
read_clocks(void *ctx XA_UNUSED)
{
    return (struct xa_moment){xa_clock_now_us(), xa_clock_boot_us()};
}

/* However far the next tick is, the lead must not end. */
static void
wait_until(struct daemon *daemon, int64_t next_ms)
{
    int64_t now_ms = xa_clock_mono_ms();

    do {
        xa_notify(XA_NOTIFY_ALIVE);
        sleep_until(daemon,
                    next_ms - now_ms > KEEP_MS ? now_ms + KEEP_MS : next_ms);
        now_ms = xa_clock_mono_ms();
        if (now_ms < next_ms && !daemon->signals.stop)
            xa_expiry_keep_lead(daemon->expiry);
    } while (now_ms < next_ms && !daemon->signals.stop);
}

static int64_t
less(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* At a fixed rate, a second at most for who waits to lead; while the store
 * fails, with growing pauses. */
static void
tick_for_ever(struct daemon *daemon)
{
    int64_t interval_ms = daemon->config->expiry.interval_ms;
    int64_t retry_ms = less(interval_ms, RETRY_MAX_MS);
    int64_t next_ms = xa_clock_mono_ms();
    int64_t now_ms;

    while (!daemon->signals.stop) {
        enum xa_rc rc =
            xa_expiry_tick(daemon->expiry, &daemon->signals.stop, NULL);

        now_ms = xa_clock_mono_ms();
        next_ms += xa_expiry_leads(daemon->expiry)
                       ? interval_ms
                       : less(interval_ms, STAND_BY_MS);
        if (next_ms < now_ms)
            next_ms = now_ms; /* what was missed is done by one tick */
        if (rc == XA_OK) {
            retry_ms = less(interval_ms, RETRY_MAX_MS);
        } else {
            next_ms = now_ms + retry_ms;
            retry_ms = less(retry_ms * 2, RETRY_MAX_MS);
        }
        wait_until(daemon, next_ms);
    }
}

/* For cron: where another daemon works there is nothing to do. */
static enum xa_rc
sweep_once(struct daemon *daemon, struct xa_err *err)
{
    int64_t wait_ms = daemon->config->expiry.interval_ms;
    int64_t end_ms =
        xa_clock_mono_ms() + (wait_ms < ONCE_WAIT_MS ? wait_ms : ONCE_WAIT_MS);
    enum xa_rc rc;

    for (;;) {
        rc = xa_expiry_tick(daemon->expiry, &daemon->signals.stop, err);
        if (rc != XA_OK || xa_expiry_leads(daemon->expiry) ||
            daemon->signals.stop)
            return rc;
        if (xa_clock_mono_ms() >= end_ms)
            break;
        xa_signals_wait(&daemon->signals, xa_clock_mono_ms() + ONCE_RETRY_MS);
    }
    xa_log(XA_INFO, "expiryd.idle", "reason=\"another daemon works\"");
    return XA_OK;
}

static enum xa_rc
go_to_background(struct daemon *daemon, struct xa_err *err)
{
    if (daemon->options.foreground || daemon->options.once)
        return XA_OK;
    if (strcmp(daemon->config->log_filename, "stderr") == 0)
        return xa_fail(err, XA_E_CONFIG,
                       "log_filename: a daemon has no stderr; use -f");
    return xa_process_detach(&daemon->report, err);
}

static enum xa_rc
start(struct daemon *daemon, struct xa_err *err)
{
    const struct xa_expiry_env env = {daemon, read_clocks, pause_ms};
    enum xa_rc rc;

    rc = xa_config_load(&daemon->options.cli, &daemon->config, err);
    if (rc == XA_OK)
        rc = xa_crypto_init(err);
    if (rc == XA_OK)
        rc = go_to_background(daemon, err);
    if (rc == XA_OK)
        rc = xa_process_become(daemon->config->user,
                               daemon->config->log_filename, err);
    if (rc == XA_OK)
        rc = xa_process_open_log(XA_EXPIRYD, daemon->config, err);
    if (rc == XA_OK)
        rc = xa_store_open(daemon->config, XA_STORE_USE, &daemon->store, err);
    if (rc == XA_OK)
        rc = xa_expiry_new(daemon->store, daemon->config, &env, &daemon->expiry,
                           err);
    if (rc == XA_OK && !daemon->options.once)
        rc = xa_discovery_new(daemon->config, &daemon->discovery, err);
    return rc;
}

static enum xa_rc
live(struct daemon *daemon, struct xa_err *err)
{
    enum xa_rc rc = start(daemon, err);

    if (rc != XA_OK)
        return rc;
    if (daemon->options.once)
        return sweep_once(daemon, err);

    xa_process_report(&daemon->report, EX_OK);
    xa_log(XA_INFO, "expiryd.started", "version=%s store=%s interval_ms=%u",
           PACKAGE_VERSION, xa_store_type(daemon->store),
           daemon->config->expiry.interval_ms);
    xa_notify(XA_NOTIFY_READY);
    tick_for_ever(daemon);
    xa_notify(XA_NOTIFY_STOPPING);
    xa_store_resign(daemon->store);
    xa_discovery_leave(daemon->discovery);
    xa_log(XA_INFO, "expiryd.stopped", "pid=%ld", (long)getpid());
    return XA_OK;
}

int
main(int argc, char **argv)
{
    struct daemon daemon = {.report = -1};
    struct xa_err err = XA_ERR_NONE;
    int code;

    xa_process_protect();
    xa_signals_block(&daemon.signals);
    code = xa_expiryd_read_options(argc, argv, &daemon.options);
    if (code >= 0)
        return code;
    code = live(&daemon, &err) == XA_OK ? EX_OK
                                        : xa_process_fail(XA_EXPIRYD, &err);
    xa_process_report(&daemon.report, code);
    xa_discovery_free(&daemon.discovery);
    xa_expiry_free(&daemon.expiry);
    xa_store_close(&daemon.store);
    xa_config_free(&daemon.config);
    xa_log_close();
    return code;
}
