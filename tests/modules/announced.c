/* announced.c - leaves a sign as soon as it is loaded. SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "module.h"

__attribute__((constructor)) static void
announce(void)
{
    setenv("XA_TEST_ANNOUNCED", "1", 1);
}

XA_BACKEND_EXPORT const struct xa_backend xa_backend = {
    XA_BACKEND_HEAD,
    .configured = always_configured,
    .start = start_nothing,
    .authenticate = deny_all,
};
