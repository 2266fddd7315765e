/* main.c - xivo-auth-fcgi: options, start, and the loop. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/service/watchdog.h"
#include "core/support/crypto.h"
#include "core/support/process.h"
#include "fcgi/check.h"
#include "fcgi/io_signal.h"
#include "fcgi/serve.h"

#define PROGRAM "xivo-auth-fcgi"
#define AUTHORIZER_ONLY 256 /* beyond the letters of options */
#define LISTEN_FD 0         /* where FastCGI's spawners leave the socket */

struct options {
    struct xa_config_cli cli;
    bool check; /* -t */
    bool authorizer_only;
};

/* What a run is made of, in the order in which it is made. */
struct parts {
    struct xa_config *config;
    struct xa_registry *registry;
    struct xa_store *store;
    struct xa_token_manager *manager;
    struct xa_cors *cors;
};

static const char usage[] =
    "Usage: " PROGRAM " [-c FILE] [-l LEVEL] [-d] [-t] [--authorizer-only]\n"
    "                      [-V] [-h]\n"
    "\n"
    "Serve the HTTP interface of xivo-auth over FastCGI, on the listening\n"
    "socket that is descriptor 0.\n"
    "\n"
    "  -c FILE        configuration ($XIVO_AUTH_CONFIG or the default)\n"
    "  -l LEVEL       log level: critical, error, warning, info, debug\n"
    "  -d             log level debug\n"
    "  -t             check configuration, backends and store, then exit\n"
    "  --authorizer-only  serve FastCGI's AUTHORIZER role alone, and believe "
    "no\n"
    "                 forwarded path: for a socket that others can reach\n"
    "  -V, --version  print the version\n"
    "  -h, --help     print this help\n";

static int
complain(const struct xa_err *err)
{
    xa_log_complain(PROGRAM, err->text);
    return xa_rc_exit_code(err->code);
}

/* -1: go on; else the exit code. */
static int
read_options(int argc, char **argv, struct options *out)
{
    static const struct option names[] = {
        {"authorizer-only", no_argument, NULL, AUTHORIZER_ONLY},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    enum xa_level level;
    int c;

    while ((c = getopt_long(argc, argv, "c:l:dtVh", names, NULL)) != -1) {
        switch (c) {
        case 'c':
            out->cli.path = optarg;
            break;
        case 'l':
            if (!xa_log_level_from_name(optarg, &level)) {
                fprintf(stderr, PROGRAM ": no log level \"%s\"\n", optarg);
                return EX_USAGE;
            }
            out->cli.log_level = optarg;
            break;
        case 'd':
            out->cli.debug = true;
            break;
        case 't':
            out->check = true;
            break;
        case AUTHORIZER_ONLY:
            out->authorizer_only = true;
            break;
        case 'V':
            puts(PROGRAM " " PACKAGE_VERSION);
            return EX_OK;
        case 'h':
            fputs(usage, stdout);
            return EX_OK;
        default:
            fputs("Try \"" PROGRAM " -h\".\n", stderr);
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, PROGRAM ": unexpected argument \"%s\"\n", argv[optind]);
        return EX_USAGE;
    }
    return -1;
}

static void
parts_done(struct parts *parts)
{
    xa_cors_free(&parts->cors);
    xa_token_manager_free(&parts->manager);
    xa_store_close(&parts->store);
    xa_registry_free(&parts->registry);
    xa_config_free(&parts->config);
}

static enum xa_rc
start(const struct options *opt, struct parts *out, struct xa_err *err)
{
    enum xa_rc rc;

    rc = xa_config_load(&opt->cli, &out->config, err);
    if (rc != XA_OK)
        return rc;
    rc = xa_process_open_log(PROGRAM, out->config, err);
    if (rc != XA_OK)
        return rc;
    rc = xa_registry_new(out->config, &out->registry, err);
    if (rc != XA_OK)
        return rc;
    rc = xa_store_open(out->config, XA_STORE_USE, &out->store, err);
    if (rc != XA_OK)
        return rc;
    rc = xa_token_manager_new(out->store, out->config, &out->manager, err);
    if (rc != XA_OK)
        return rc;
    return xa_cors_new(out->config, &out->cors, err);
}

static bool
is_listening(int fd)
{
    int yes = 0;
    socklen_t len = sizeof yes;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) == 0 && yes;
}

/* Whoever starts us reads stderr; whoever looks later reads the log. */
static void
log_failure(const struct xa_config *config, const struct xa_err *err)
{
    char why[XA_LOG_VALUE_MAX];

    if (config && strcmp(config->log_filename, "stderr") != 0)
        xa_log(XA_CRITICAL, "service.failed", "cause=%s",
               xa_log_quote(err->text, why));
}

static int
run(const struct options *opt)
{
    XA_AUTO(parts_done) struct parts parts = {.config = NULL};
    struct xa_err err = XA_ERR_NONE;
    struct xa_app app;
    enum xa_rc rc;

    rc = start(opt, &parts, &err);
    if (rc == XA_OK) {
        app = (struct xa_app){parts.config, parts.registry,       parts.manager,
                              parts.store,  opt->authorizer_only, parts.cors};
        rc = xa_serve(LISTEN_FD, &app, &err);
    }
    if (rc == XA_OK)
        return EX_OK;
    log_failure(parts.config, &err);
    return complain(&err);
}

int
main(int argc, char **argv)
{
    struct options opt = {.check = false};
    struct xa_err err = XA_ERR_NONE;
    int exit_code = read_options(argc, argv, &opt);

    if (exit_code >= 0)
        return exit_code;
    if (!opt.check && !is_listening(LISTEN_FD)) {
        fputs(PROGRAM
              ": descriptor 0 is no listening socket; start it as in\n"
              "    spawn-fcgi -n -s /run/xivo-auth/check.sock -- " PROGRAM "\n",
              stderr);
        return EX_USAGE;
    }
    if (!opt.check)
        xa_signal_hold();
    xa_process_protect();
    if (xa_crypto_init(&err) != XA_OK || xa_watchdog_open(&err) != XA_OK)
        return complain(&err);
    exit_code = opt.check ? xa_check_setup(PROGRAM, &opt.cli) : run(&opt);
    xa_watchdog_close();
    xa_log_close();
    return exit_code;
}
