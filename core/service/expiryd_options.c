/* expiryd_options.c - the command line of xivo-auth-expiryd. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/expiryd_options.h"

#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

static const char usage[] =
    "Usage: " XA_EXPIRYD " [-c FILE] [-u USER] [-l LEVEL] [-d] [-f] [--once]\n"
    "                         [-V] [-h]\n"
    "\n"
    "Remove tokens from the store when their time has come.\n"
    "\n"
    "  -c FILE        configuration ($XIVO_AUTH_CONFIG, else the one "
    "installed)\n"
    "  -u USER        become this user\n"
    "  -l LEVEL       log level: critical, error, warning, info, debug\n"
    "  -d             log level debug\n"
    "  -f             stay in the foreground\n"
    "  --once         remove what is due now, then exit\n"
    "  -V, --version  print the version\n"
    "  -h, --help     print this help\n";

int
xa_expiryd_read_options(int argc, char **argv, struct xa_expiryd_options *out)
{
    static const struct option names[] = {
        {"once", no_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    enum xa_level level;
    int flag;

    while ((flag = getopt_long(argc, argv, "c:u:l:dfVh", names, NULL)) != -1) {
        switch (flag) {
        case 'c':
            out->cli.path = optarg;
            break;
        case 'u':
            out->cli.user = optarg;
            break;
        case 'l':
            out->cli.log_level = optarg;
            break;
        case 'd':
            out->cli.debug = true;
            break;
        case 'f':
            out->foreground = true;
            break;
        case 'o':
            out->once = true;
            break;
        case 'V':
            puts(XA_EXPIRYD " " PACKAGE_VERSION);
            return EX_OK;
        case 'h':
            fputs(usage, stdout);
            return EX_OK;
        default:
            fputs("Try \"" XA_EXPIRYD " -h\".\n", stderr);
            return EX_USAGE;
        }
    }
    if (optind < argc)
        fprintf(stderr, XA_EXPIRYD ": unexpected argument \"%s\"\n",
                argv[optind]);
    else if (out->cli.log_level &&
             !xa_log_level_from_name(out->cli.log_level, &level))
        fprintf(stderr, XA_EXPIRYD ": no log level \"%s\"\n",
                out->cli.log_level);
    else if (out->cli.user && !*out->cli.user) /* an unset variable, say */
        fputs(XA_EXPIRYD ": -u wants the name of a user\n", stderr);
    else
        return -1;
    return EX_USAGE;
}
