/* xivo_account.c - a login and a password, against a table of XiVO. SPDX-License-Identifier: GPL-3.0-or-later */
#include "xivo_account.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "xivo_text.h"

#define REFRESH_S 60 /* until other hashes of the site are looked at */

enum { ID, PASSWORD }; /* columns of by_login */

struct xivo_accounts {
    const struct xa_host *host;
    const struct xivo_table *table;
    struct xivo_db *db;
    struct xivo_rows *hashes; /* NULL: not read yet */
    time_t refresh_at;        /* monotonic */
};

int
xivo_accounts_start(const struct xa_host *host, const struct xivo_table *table,
                    void **self)
{
    struct xivo_accounts *accounts = calloc(1, sizeof *accounts);

    if (!accounts) {
        host->log(host, XA_HOST_ERROR, "out of memory");
        return -1;
    }
    accounts->host = host;
    accounts->table = table;
    if (xivo_db_new(host, &accounts->db) != 0) {
        free(accounts);
        return -1;
    }
    *self = accounts;
    return 0;
}

void
xivo_accounts_stop(void *self)
{
    struct xivo_accounts *accounts = self;

    xivo_rows_free(&accounts->hashes);
    xivo_db_free(&accounts->db);
    free(accounts);
}

const struct xa_host *
xivo_accounts_host(const struct xivo_accounts *accounts)
{
    return accounts->host;
}

struct xivo_db *
xivo_accounts_db(const struct xivo_accounts *accounts)
{
    return accounts->db;
}

static time_t
now_s(void)
{
    struct timespec ts = {0};

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec;
}

/* Before the login is asked for, so that it depends on no login. */
static int
refresh(struct xivo_accounts *accounts)
{
    struct xivo_rows *fresh = NULL;

    if (accounts->hashes && now_s() < accounts->refresh_at)
        return 0;
    if (xivo_db_ask(accounts->db, accounts->table->hashes, NULL, &fresh) != 0)
        return -1;
    xivo_rows_free(&accounts->hashes);
    accounts->hashes = fresh;
    accounts->refresh_at = now_s() + REFRESH_S;
    return 0;
}

/* The same one for the same login; NULL when the site has none. */
static const char *
decoy_for(const struct xivo_accounts *accounts, const char *login)
{
    size_t count = xivo_rows_count(accounts->hashes);
    uint64_t mix = UINT64_C(14695981039346656037); /* FNV-1a */

    for (; *login; login++)
        mix = (mix ^ (unsigned char)*login) * UINT64_C(1099511628211);
    for (size_t i = 0; i < count; i++) {
        size_t row = (size_t)((mix + i) % count);
        const char *hash = xivo_rows_text(accounts->hashes, row, 0);

        if (accounts->host->is_hash(hash))
            return hash;
    }
    return NULL;
}

/* The work of a refusal; the decoy's password opens nothing. */
static enum xa_verdict
refuse(const struct xivo_accounts *accounts, const char *login,
       const char *password)
{
    const struct xa_host *host = accounts->host;

    host->verify_password(host, decoy_for(accounts, login), password);
    return XA_DENIED;
}

static enum xa_verdict
verify(const struct xivo_accounts *accounts, const char *login,
       const char *stored, const char *password)
{
    const struct xa_host *host = accounts->host;
    int matches;

    switch (xivo_text_stored(stored)) {
    case XIVO_PLAIN:
        if (host->equal(stored, password))
            return XA_GRANTED;
        break;
    case XIVO_HASHED:
        matches = host->verify_password(host, stored, password);
        if (matches >= 0)
            return matches ? XA_GRANTED : XA_DENIED;
        host->log(host, XA_HOST_WARNING,
                  "the password hash of %s is of no accepted kind", login);
        break;
    case XIVO_NO_PASSWORD:
        break;
    }
    return refuse(accounts, login, password);
}

enum xa_verdict
xivo_accounts_check(struct xivo_accounts *accounts, const char *login,
                    const char *password, struct xivo_rows **out)
{
    const struct xa_host *host = accounts->host;
    enum xa_verdict verdict = XA_UNAVAILABLE;
    struct xivo_rows *rows = NULL;

    if (refresh(accounts) != 0 ||
        xivo_db_ask(accounts->db, accounts->table->by_login, login, &rows) != 0)
        return XA_UNAVAILABLE;
    xivo_db_forget(accounts->db); /* whoever it is, as it takes its time */
    if (xivo_rows_count(rows) == 1) {
        verdict = verify(accounts, login, xivo_rows_text(rows, 0, PASSWORD),
                         password);
    } else {
        if (xivo_rows_count(rows) > 1)
            host->log(host, XA_HOST_WARNING,
                      "two accounts have the login %s: refused", login);
        verdict = refuse(accounts, login, password);
    }
    if (verdict == XA_GRANTED)
        *out = rows;
    else
        xivo_rows_free(&rows);
    return verdict;
}
