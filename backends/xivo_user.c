/* xivo_user.c - users of a XiVO, from its database. SPDX-License-Identifier: GPL-3.0-or-later */
#include "xivo_account.h"

enum { UUID }; /* columns of by_login */

/* An id or a password that is one character too long is known for that, and
 * the answer is bounded. */
static const struct xivo_table table = {
    .by_login = "SELECT left(uuid::text, 257), left(passwdclient, 513)"
                " FROM userfeatures WHERE loginclient = $1"
                " AND enableclient = 1 AND uuid::text <> '' LIMIT 2",
    .hashes = "SELECT left(passwdclient, 513) FROM userfeatures"
              " WHERE enableclient = 1 AND passwdclient LIKE '$%$%'"
              " ORDER BY reverse(passwdclient) LIMIT 64",
};

static int
start(const struct xa_host *host, void **self)
{
    return xivo_accounts_start(host, &table, self);
}

static int
push_default_acls(const struct xa_host *host, const struct xa_sink *to)
{
    const struct xa_node *acls =
        host->get(host->config(host), "default_user_acls");
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < host->count(acls); i++)
        rc = to->acl(to, host->text(host->item(acls, i, NULL)));
    return rc;
}

static enum xa_verdict
authenticate(void *self, const char *login, const char *password,
             const struct xa_sink *to)
{
    enum xa_verdict verdict;
    struct xivo_rows *rows = NULL;
    int rc;

    verdict = xivo_accounts_check(self, login, password, &rows);
    if (verdict != XA_GRANTED)
        return verdict;
    rc = to->auth_id(to, xivo_rows_text(rows, 0, UUID));
    if (rc == 0)
        rc = to->xivo_user_uuid(to, xivo_rows_text(rows, 0, UUID));
    if (rc == 0)
        rc = push_default_acls(xivo_accounts_host(self), to);
    xivo_rows_free(&rows);
    return rc == 0 ? XA_GRANTED : XA_FAILED;
}

XA_BACKEND_EXPORT const struct xa_backend xa_backend = {
    XA_BACKEND_HEAD,
    .configured = xivo_db_is_configured,
    .start = start,
    .authenticate = authenticate,
    .stop = xivo_accounts_stop,
};
