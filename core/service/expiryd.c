/* expiryd.c - the expiry daemon: tick, remove what is due, wait. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/service/expiry.h"
#include "core/support/crypto.h"
#include "core/support/process.h"
#include "core/support/signals.h"

#define PROGRAM "xivo-auth-expiryd"
#define RETRY_MAX_MS 10000

struct options {
    struct xa_config_cli cli;
    bool foreground;
    bool once;
};

struct daemon {
    struct options options;
    struct xa_config *config;
    struct xa_store *store;
    struct xa_expiry *expiry;
    struct xa_signals signals;
    int report; /* to the process that waits for our start; -1: none */
};

static const char usage[] =
    "Usage: " PROGRAM " [-c FILE] [-u USER] [-l LEVEL] [-d] [-f] [--once]\n"
    "                         [-V] [-h]\n"
    "\n"
    "Remove tokens from the store when their time has come.\n"
    "\n"
    "  -c FILE   configuration ($XIVO_AUTH_CONFIG, else the one installed)\n"
    "  -u USER   become this user\n"
    "  -l LEVEL  log level: critical, error, warning, info, debug\n"
    "  -d        log level debug\n"
    "  -f        stay in the foreground\n"
    "  --once    remove what is due now, then exit\n"
    "  -V        print the version\n"
    "  -h        print this help\n";

/* -1: go on; else the exit code. */
static int
read_options(int argc, char **argv, struct options *out)
{
    static const struct option names[] = {{"once", no_argument, NULL, 'o'},
                                          {NULL, 0, NULL, 0}};
    enum xa_level level;
    int flag;

    while ((flag = getopt_long(argc, argv, "c:u:l:dfVh", names, NULL)) != -1) {
        switch (flag) {
        case 'c': out->cli.path = optarg; break;
        case 'u': out->cli.user = optarg; break;
        case 'l': out->cli.log_level = optarg; break;
        case 'd': out->cli.debug = true; break;
        case 'f': out->foreground = true; break;
        case 'o': out->once = true; break;
        case 'V': puts(PROGRAM " " PACKAGE_VERSION); return EX_OK;
        case 'h': fputs(usage, stdout); return EX_OK;
        default: fputs("Try \"" PROGRAM " -h\".\n", stderr); return EX_USAGE;
        }
    }
    if (optind < argc)
        fprintf(stderr, PROGRAM ": unexpected argument \"%s\"\n",
                argv[optind]);
    else if (out->cli.log_level &&
             !xa_log_level_from_name(out->cli.log_level, &level))
        fprintf(stderr, PROGRAM ": no log level \"%s\"\n",
                out->cli.log_level);
    else
        return -1;
    return EX_USAGE;
}

static void
pause_ms(void *ctx, int ms)
{
    struct daemon *daemon = ctx;

    xa_signals_wait(&daemon->signals, xa_clock_mono_ms() + ms);
}

static struct xa_moment
read_clocks(void *ctx XA_UNUSED)
{
    return (struct xa_moment){xa_clock_now_us(), xa_clock_boot_us()};
}

/* At a fixed rate; while the store fails, with growing pauses. */
static void
tick_for_ever(struct daemon *daemon)
{
    int64_t interval_ms = daemon->config->expiry.interval_ms;
    int64_t retry_ms = interval_ms;
    int64_t next_ms = xa_clock_mono_ms();
    int64_t now_ms;

    while (!daemon->signals.stop) {
        enum xa_rc rc =
            xa_expiry_tick(daemon->expiry, &daemon->signals.stop, NULL);

        now_ms = xa_clock_mono_ms();
        next_ms += interval_ms;
        if (next_ms < now_ms)
            next_ms = now_ms; /* what was missed is done by one tick */
        if (rc == XA_OK) {
            retry_ms = interval_ms;
        } else {
            next_ms = now_ms + retry_ms;
            retry_ms = retry_ms * 2 < RETRY_MAX_MS ? retry_ms * 2
                                                   : RETRY_MAX_MS;
        }
        xa_signals_wait(&daemon->signals, next_ms);
    }
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
        rc = xa_process_open_log(PROGRAM, daemon->config, err);
    if (rc == XA_OK)
        rc = xa_store_open(daemon->config, XA_STORE_USE, &daemon->store, err);
    if (rc == XA_OK)
        rc = xa_expiry_new(daemon->store, daemon->config, &env,
                           &daemon->expiry, err);
    return rc;
}

static enum xa_rc
live(struct daemon *daemon, struct xa_err *err)
{
    enum xa_rc rc = start(daemon, err);

    if (rc != XA_OK)
        return rc;
    if (daemon->options.once)
        return xa_expiry_tick(daemon->expiry, &daemon->signals.stop, err);

    xa_process_report(&daemon->report, EX_OK);
    xa_log(XA_INFO, "expiryd.started", "version=%s store=%s interval_ms=%u",
           PACKAGE_VERSION, xa_store_type(daemon->store),
           daemon->config->expiry.interval_ms);
    tick_for_ever(daemon);
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
    code = read_options(argc, argv, &daemon.options);
    if (code >= 0)
        return code;
    code = live(&daemon, &err) == XA_OK ? EX_OK
                                        : xa_process_fail(PROGRAM, &err);
    xa_process_report(&daemon.report, code);
    xa_expiry_free(&daemon.expiry);
    xa_store_close(&daemon.store);
    xa_config_free(&daemon.config);
    xa_log_close();
    return code;
}
