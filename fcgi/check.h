/* check.h - -t: whether a start would be whole. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_FCGI_CHECK_H
#define XA_FCGI_CHECK_H

#include "core/support/config.h"

/*
 * Load the configuration and the backends and ask the store, creating
 * nothing, no log file either.  Complaints go to stderr, `configuration ok`
 * to stdout.
 *
 *   program  for complaints; lent for the life of the process
 *
 * Returns the exit code: 0, 78, or 69 if only the store is out of reach.
 */
int xa_check_setup(const char *program, const struct xa_config_cli *cli);

#endif
