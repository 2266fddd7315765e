/* broken_verify_password.c - fails at each login, for tests. SPDX-License-Identifier: GPL-3.0-or-later */
#include <xivo-auth/backend.h>

static int
is_configured(const struct xa_host *host)
{
    (void)host;
    return 1;
}

static int
start(const struct xa_host *host, void **self)
{
    (void)host;
    *self = NULL;
    return 0;
}

static enum xa_verdict
authenticate(void *self, const char *login, const char *password,
             const struct xa_sink *to)
{
    (void)self;
    (void)login;
    (void)password;
    (void)to;
    return XA_FAILED;
}

XA_BACKEND_EXPORT const struct xa_backend xa_backend = {
    XA_BACKEND_HEAD,
    .configured = is_configured,
    .start = start,
    .authenticate = authenticate,
};
