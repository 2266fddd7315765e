/* xivo_account.h - a login and a password, against a table of XiVO. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A refusal costs one password hash, whoever is refused: the account's own
 * where it has one, else that of another account of the table, else the
 * host's default.  So an unknown login takes the time of a known one at this
 * site, be its passwords plain or hashed.
 */
#ifndef XIVO_ACCOUNT_H
#define XIVO_ACCOUNT_H

#include "xivo_db.h"

/* How a table is asked; constants. */
struct xivo_table {
    /*
     * Of the accounts that are enabled and have the login $1, at most two:
     * id, password, and what else the backend wants, as texts.
     */
    const char *by_login;

    /*
     * Some of the passwords that begin with $, by their last characters:
     * that is any order, but the same one each time.
     */
    const char *hashes;
};

/* The most that `hashes` need ask for. */
#define XIVO_HASHES_MAX 64

struct xivo_accounts; /* opaque */

/*
 * The start() and stop() of a backend whose own state is its accounts.
 *
 *   table  borrowed until then
 */
int xivo_accounts_start(const struct xa_host *host,
                        const struct xivo_table *table, void **self);
void xivo_accounts_stop(void *self);

/* Both lent. */
const struct xa_host *xivo_accounts_host(const struct xivo_accounts *accounts);
struct xivo_db *xivo_accounts_db(const struct xivo_accounts *accounts);

/*
 * Whether one account has this login, and this password.  Two accounts of one
 * login are refused, as nobody can tell whose password counts.
 *
 *   out  the account's row, with XA_GRANTED only; release with
 *        xivo_rows_free()
 *
 * XA_GRANTED, XA_DENIED, XA_UNAVAILABLE.
 */
enum xa_verdict xivo_accounts_check(struct xivo_accounts *accounts,
                                    const char *login, const char *password,
                                    struct xivo_rows **out);

#endif
