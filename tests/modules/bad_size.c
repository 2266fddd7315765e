/* bad_size.c - its table is not ours. SPDX-License-Identifier: GPL-3.0-or-later */
#include "module.h"

XA_BACKEND_EXPORT const struct xa_backend xa_backend = {
    .abi = XA_BACKEND_ABI,
    .size = (uint32_t)sizeof(struct xa_backend) - 8,
    .configured = always_configured,
    .start = start_nothing,
    .authenticate = deny_all,
};
