/* not_configured.c - misses something in the configuration. SPDX-License-Identifier: GPL-3.0-or-later */
#include "module.h"

static int
never_configured(const struct xa_host *host)
{
    (void)host;
    return 0;
}

XA_BACKEND_EXPORT const struct xa_backend xa_backend = {
    XA_BACKEND_HEAD,
    .configured = never_configured,
    .start = start_nothing,
    .authenticate = deny_all,
};
