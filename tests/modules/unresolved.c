/* unresolved.c - needs a function that nobody has. SPDX-License-Identifier: GPL-3.0-or-later */
#include "module.h"

int nobody_has_this(const struct xa_host *host);

static int
is_configured(const struct xa_host *host)
{
    return nobody_has_this(host);
}

XA_BACKEND_EXPORT const struct xa_backend xa_backend = {
    XA_BACKEND_HEAD,
    .configured = is_configured,
    .start = start_nothing,
    .authenticate = deny_all,
};
