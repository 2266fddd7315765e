/* bad_abi.c - built for an interface of the future. SPDX-License-Identifier: GPL-3.0-or-later */
#include "module.h"

XA_BACKEND_EXPORT const struct xa_backend xa_backend = {
    .abi = XA_BACKEND_ABI + 1,
    .size = (uint32_t)sizeof(struct xa_backend),
    .configured = always_configured,
    .start = start_nothing,
    .authenticate = deny_all,
};
