/* module.h - the calls of a backend that does nothing. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TESTS_MODULE_H
#define XA_TESTS_MODULE_H

#include <xivo-auth/backend.h>

static inline int
always_configured(const struct xa_host *host)
{
    (void)host;
    return 1;
}

static inline int
start_nothing(const struct xa_host *host, void **self)
{
    *self = (void *)(uintptr_t)host;
    return 0;
}

static inline enum xa_verdict
deny_all(void *self, const char *login, const char *password,
         const struct xa_sink *to)
{
    (void)self;
    (void)login;
    (void)password;
    (void)to;
    return XA_DENIED;
}

#endif
