/* static_list.c - an example of a backend: users in config.yml. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *     enabled_plugins: [static_list]
 *     static_list:
 *       alice:
 *         password: "$6$..."            # openssl passwd -6
 *         id: 4711
 *         acls: [confd.users.me.read]   # may be left out: none
 *
 * README.md beside this file explains it part by part.
 */
#include <stdlib.h>
#include <string.h>

#include <xivo-auth/backend.h>

/* What start() makes and the other calls get: everything this module knows.
 * Nothing is static, so that nothing is left when it is unloaded. */
struct backend {
    const struct xa_host *host;
    const struct xa_node *users; /* lent by the host until stop() returns */
};

static const struct xa_node *
section_of(const struct xa_host *host)
{
    return host->get(host->config(host), "static_list");
}

/* 1. Is there anything to do?  Without its section the backend is left out. */
static int
is_configured(const struct xa_host *host)
{
    return host->is_map(section_of(host));
}

/* A complaint names the line, so that it is found. */
static int
complain(const struct xa_host *host, const struct xa_node *where,
         const char *login, const char *what)
{
    host->log(host, XA_HOST_ERROR, "line %u: user %s: %s", host->line(where),
              login, what);
    return -1;
}

static int
check_user(const struct xa_host *host, const char *login,
           const struct xa_node *user)
{
    const char *hash = host->text(host->get(user, "password"));
    const struct xa_node *acls = host->get(user, "acls");

    if (!hash || !host->is_hash(hash))
        return complain(host, user, login, "password is no hash");
    if (!host->text(host->get(user, "id")))
        return complain(host, user, login, "no id");
    if (acls && !host->is_list(acls))
        return complain(host, acls, login, "acls is no list");
    return 0;
}

/* 2. Make ready.  What is wrong in the configuration is said now, not at the
 * first login. */
static int
start(const struct xa_host *host, void **self)
{
    const struct xa_node *users = section_of(host);
    struct backend *backend;
    const char *login = NULL;

    for (size_t i = 0; i < host->count(users); i++) {
        const struct xa_node *user = host->item(users, i, &login);

        if (check_user(host, login, user) != 0)
            return -1;
    }
    backend = calloc(1, sizeof *backend);
    if (!backend) {
        host->log(host, XA_HOST_ERROR, "out of memory");
        return -1;
    }
    backend->host = host;
    backend->users = users;
    host->log(host, XA_HOST_INFO, "%zu users", host->count(users));
    *self = backend;
    return 0;
}

/* Who it is.  The host copies each text, and says -1 to one that it does not
 * take; then the answer cannot be XA_GRANTED. */
static enum xa_verdict
grant(const struct xa_host *host, const struct xa_node *user,
      const struct xa_sink *to)
{
    const struct xa_node *acls = host->get(user, "acls");
    int rc = to->auth_id(to, host->text(host->get(user, "id")));

    for (size_t i = 0; rc == 0 && i < host->count(acls); i++)
        rc = to->acl(to, host->text(host->item(acls, i, NULL)));
    return rc == 0 ? XA_GRANTED : XA_FAILED;
}

/* 3. A login.  For a user who does not exist the stored hash is NULL: the same
 * work is done, so that nobody learns by the clock who exists. */
static enum xa_verdict
authenticate(void *self, const char *login, const char *password,
             const struct xa_sink *to)
{
    const struct backend *backend = self;
    const struct xa_host *host = backend->host;
    const struct xa_node *user = host->get(backend->users, login);
    const char *stored = host->text(host->get(user, "password"));

    if (host->verify_password(host, stored, password) != 1)
        return XA_DENIED;
    return grant(host, user, to);
}

/* 4. Undo start(). */
static void
stop(void *self)
{
    free(self);
}

/* The one symbol that the service looks for. */
XA_BACKEND_EXPORT const struct xa_backend xa_backend = {
    XA_BACKEND_HEAD, .configured = is_configured,
    .start = start,  .authenticate = authenticate,
    .stop = stop,
};
