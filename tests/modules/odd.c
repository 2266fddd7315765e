/* odd.c - the login chooses what it does wrong. SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "module.h"

static enum xa_verdict
half_then_denied(const struct xa_host *host, const struct xa_sink *to)
{
    (void)host;
    to->auth_id(to, "half");
    to->acl(to, "#");
    return XA_DENIED;
}

static enum xa_verdict
away(const struct xa_host *host, const struct xa_sink *to)
{
    (void)host;
    to->auth_id(to, "away");
    return XA_UNAVAILABLE;
}

static enum xa_verdict
no_auth_id(const struct xa_host *host, const struct xa_sink *to)
{
    (void)host;
    to->xivo_user_uuid(to, "somebody");
    return XA_GRANTED;
}

static enum xa_verdict
verdict_42(const struct xa_host *host, const struct xa_sink *to)
{
    (void)host;
    to->auth_id(to, "somebody");
    return (enum xa_verdict)42;
}

/* The host refuses an ACL and the module does not care. */
static enum xa_verdict
lost_acl(const struct xa_host *host, const struct xa_sink *to)
{
    (void)host;
    to->auth_id(to, "somebody");
    to->acl(to, "!#\n");
    to->acl(to, "foo");
    return XA_GRANTED;
}

static enum xa_verdict
null_text(const struct xa_host *host, const struct xa_sink *to)
{
    (void)host;
    to->auth_id(to, "somebody");
    to->xivo_uuid(to, NULL);
    return XA_GRANTED;
}

static enum xa_verdict
hashed_itself(const struct xa_host *host, const struct xa_sink *to)
{
    (void)to;
    host->verify_password(host, NULL, "x");
    return XA_DENIED;
}

static enum xa_verdict
full(const struct xa_host *host, const struct xa_sink *to)
{
    if (host->time_left_ms(host) <= 0)
        return XA_FAILED;
    to->auth_id(to, "first");
    to->auth_id(to, "second"); /* replaces */
    to->xivo_user_uuid(to, "user");
    to->xivo_uuid(to, "xivo");
    to->acl(to, "a");
    to->acl(to, "b");
    return XA_GRANTED;
}

static enum xa_verdict
authenticate(void *self, const char *login, const char *password,
             const struct xa_sink *to)
{
    static const struct {
        const char *login;
        enum xa_verdict (*act)(const struct xa_host *host,
                               const struct xa_sink *to);
    } acts[] = {
        {"half_then_denied", half_then_denied},
        {"away", away},
        {"no_auth_id", no_auth_id},
        {"verdict_42", verdict_42},
        {"lost_acl", lost_acl},
        {"null_text", null_text},
        {"hashed_itself", hashed_itself},
        {"full", full},
    };

    (void)password;
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
        if (strcmp(login, acts[i].login) == 0)
            return acts[i].act(self, to);
    return XA_DENIED;
}

static void
stop(void *self)
{
    (void)self;
    setenv("XA_TEST_ODD_STOPPED", "1", 1);
}

XA_BACKEND_EXPORT const struct xa_backend xa_backend = {
    XA_BACKEND_HEAD,
    .configured = always_configured,
    .start = start_nothing,
    .authenticate = authenticate,
    .stop = stop,
};
