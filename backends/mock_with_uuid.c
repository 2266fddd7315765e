/* mock_with_uuid.c - one user with a user uuid, for tests. SPDX-License-Identifier: GPL-3.0-or-later */
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
    *self = (void *)(uintptr_t)host; /* all it ever needs; never written to */
    return 0;
}

static enum xa_verdict
authenticate(void *self, const char *login, const char *password,
             const struct xa_sink *to)
{
    const struct xa_host *host = self;

    if (!host->equal(login, "foo") || !host->equal(password, "bar"))
        return XA_DENIED;
    if (to->auth_id(to, "a-mocked-auth-id") != 0 ||
        to->xivo_user_uuid(to, "a-mocked-xivo-user-uuid") != 0 ||
        to->acl(to, "foo") != 0 || to->acl(to, "bar") != 0)
        return XA_FAILED;
    return XA_GRANTED;
}

XA_BACKEND_EXPORT const struct xa_backend xa_backend = {
    XA_BACKEND_HEAD,
    .configured = is_configured,
    .start = start,
    .authenticate = authenticate,
};
