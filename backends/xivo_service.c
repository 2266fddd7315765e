/* xivo_service.c - programs that may use a XiVO, from its database. SPDX-License-Identifier: GPL-3.0-or-later */
#include "xivo_account.h"

enum { ID }; /* columns of by_login */

static const struct xivo_table table = {
    .by_login = "SELECT id::text, left(passwd, 513) FROM accesswebservice"
                " WHERE login = $1 AND disable = 0 LIMIT 2",
    .hashes = "SELECT left(passwd, 513) FROM accesswebservice"
              " WHERE disable = 0 AND passwd LIKE '$%$%'"
              " ORDER BY reverse(passwd) LIMIT 64",
};

/* Asked for when the password was right, so that nothing of it shows in the
 * time of a refusal.  One ACL more than fits, so that none is cut off in
 * silence: the last might forbid something. */
static const char acls_of[] =
    "SELECT left(a.acl, 1025) FROM accesswebservice s,"
    " unnest(s.acl) WITH ORDINALITY a (acl, place)"
    " WHERE s.id::text = $1 AND s.disable = 0 AND a.acl <> ''"
    " ORDER BY a.place LIMIT 1025";

static int
start(const struct xa_host *host, void **self)
{
    return xivo_accounts_start(host, &table, self);
}

static enum xa_verdict
push_acls(struct xivo_accounts *accounts, const char *id,
          const struct xa_sink *to)
{
    struct xivo_rows *rows = NULL;
    int rc = 0;

    if (xivo_db_ask(xivo_accounts_db(accounts), acls_of, id, &rows) != 0)
        return XA_UNAVAILABLE;
    for (size_t i = 0; rc == 0 && i < xivo_rows_count(rows); i++)
        rc = to->acl(to, xivo_rows_text(rows, i, 0));
    xivo_rows_free(&rows);
    return rc == 0 ? XA_GRANTED : XA_FAILED;
}

static enum xa_verdict
authenticate(void *self, const char *login, const char *password,
             const struct xa_sink *to)
{
    enum xa_verdict verdict;
    struct xivo_rows *rows = NULL;

    verdict = xivo_accounts_check(self, login, password, &rows);
    if (verdict != XA_GRANTED)
        return verdict;
    if (to->auth_id(to, xivo_rows_text(rows, 0, ID)) == 0)
        verdict = push_acls(self, xivo_rows_text(rows, 0, ID), to);
    else
        verdict = XA_FAILED;
    xivo_rows_free(&rows);
    return verdict;
}

XA_BACKEND_EXPORT const struct xa_backend xa_backend = {
    XA_BACKEND_HEAD,
    .configured = xivo_db_is_configured,
    .start = start,
    .authenticate = authenticate,
    .stop = xivo_accounts_stop,
};
