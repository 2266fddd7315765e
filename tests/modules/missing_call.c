/* missing_call.c - lacks the required call that the build leaves out. SPDX-License-Identifier: GPL-3.0-or-later */
#include "module.h"

XA_BACKEND_EXPORT const struct xa_backend xa_backend = {
    XA_BACKEND_HEAD,
#ifndef WITHOUT_CONFIGURED
    .configured = always_configured,
#endif
#ifndef WITHOUT_START
    .start = start_nothing,
#endif
#ifndef WITHOUT_AUTHENTICATE
    .authenticate = deny_all,
#endif
};
