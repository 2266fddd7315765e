/* expiryd_options.h - the command line of xivo-auth-expiryd. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SERVICE_EXPIRYD_OPTIONS_H
#define XA_SERVICE_EXPIRYD_OPTIONS_H

#include <stdbool.h>

#include "core/support/config.h"

#define XA_EXPIRYD "xivo-auth-expiryd"

struct xa_expiryd_options {
    struct xa_config_cli cli; /* lent by argv */
    bool foreground;
    bool once;
};

/*
 * Read the command line.  Returns -1 to go on, or the exit code when all is
 * done by it: help, version, a complaint on stderr.
 *
 *   out  zeroed by the caller
 */
int xa_expiryd_read_options(int argc, char **argv,
                            struct xa_expiryd_options *out);

#endif
