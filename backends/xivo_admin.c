/* xivo_admin.c - administrators of a XiVO, from its database. SPDX-License-Identifier: GPL-3.0-or-later */
#include "xivo_account.h"
#include "xivo_text.h"

enum { ID, PASSWORD, ENTITY_ID, ENTITY }; /* columns of by_login */

static const struct xivo_table table = {
    .by_login = "SELECT u.id::text, left(u.passwd, 513), u.entity_id::text,"
                " left(e.name, 1025)"
                " FROM \"user\" u LEFT JOIN entity e ON e.id = u.entity_id"
                " WHERE u.login = $1 AND u.valid = 1 LIMIT 2",
    .hashes = "SELECT left(passwd, 513) FROM \"user\""
              " WHERE valid = 1 AND passwd LIKE '$%$%'"
              " ORDER BY reverse(passwd) LIMIT 64",
};

static int
start(const struct xa_host *host, void **self)
{
    return xivo_accounts_start(host, &table, self);
}

/*
 * An ACL has no way to quote a character, so an administrator of an entity
 * whose name would reach other tenants gets no tenant at all.
 */
static int
push_tenants(const struct xa_host *host, const struct xivo_rows *rows,
             const struct xa_sink *to)
{
    const char *entity = xivo_rows_text(rows, 0, ENTITY);
    char acl[XIVO_ACL_MAX];

    if (!xivo_rows_text(rows, 0, ENTITY_ID))
        return to->acl(to, "dird.tenants.#");
    if (entity && xivo_text_tenant_acl(entity, acl) == 0)
        return to->acl(to, acl);
    host->log(host, XA_HOST_WARNING,
              "the name of entity %s makes no ACL: its administrators get no "
              "dird.tenants",
              xivo_rows_text(rows, 0, ENTITY_ID));
    return 0;
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
    rc = to->auth_id(to, xivo_rows_text(rows, 0, ID));
    if (rc == 0)
        rc = to->acl(to, "confd.#");
    if (rc == 0)
        rc = push_tenants(xivo_accounts_host(self), rows, to);
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
