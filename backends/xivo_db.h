/* xivo_db.h - XiVO's database, for the backends that ask it. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One connection a process: made when it is first needed, kept, and made
 * anew, once in a call, when the kept one proves to be dead.  Transactions
 * are read-only, values are parameters.
 *
 * Each call returns before the host's deadline, whatever the server does:
 * libpq is driven through its asynchronous calls and poll(2), and a
 * connection in doubt is dropped without a word to the server.  What libpq
 * cannot avoid is getaddrinfo(3), which waits for DNS as resolv.conf(5)
 * says; an address, hostaddr=, a name in hosts(5) and a unix socket do not
 * ask DNS.
 *
 * No text of a parameter and no password stands in a line of the log.
 */
#ifndef XIVO_DB_H
#define XIVO_DB_H

#include <stddef.h>

#include <xivo-auth/backend.h>

#define XIVO_DB_ID_MAX (XA_BACKEND_ID_MAX + 1) /* of an id, with the NUL */

struct xivo_db;   /* opaque */
struct xivo_rows; /* opaque: what one query gave */

/* Whether the configuration has a db_uri: 1 or 0, as configured() says it. */
int xivo_db_is_configured(const struct xa_host *host);

/*
 * Read db_uri; the server is not asked yet.
 *
 *   host  borrowed until xivo_db_free()
 *   out   set on success only; release with xivo_db_free()
 *
 * 0, or -1 after a line in the log: db_uri makes no sense, or no memory.
 */
int xivo_db_new(const struct xa_host *host, struct xivo_db **out);

/* NULL inside is allowed; NULL is left behind. */
void xivo_db_free(struct xivo_db **db);

/*
 * Ask the server.
 *
 *   sql    one SELECT of texts; a constant, it never holds a value
 *   value  its $1, UTF-8; NULL when it has none
 *   out    set on success only; release with xivo_rows_free()
 *
 * 0: the server has answered; no row when its encoding cannot hold the
 * value.  -1: it has not, or not in time, or with an error (after a line in
 * the log when the cause is a new one): the verdict is XA_UNAVAILABLE.
 */
int xivo_db_ask(struct xivo_db *db, const char *sql, const char *value,
                struct xivo_rows **out);

/*
 * Forget what the server said last, as far as libpq keeps it: in a buffer of
 * the connection's, where a password would stand until the next answer.  Costs
 * a round trip.  A server that fails in it is left, and asked anew next time;
 * what libpq frees then, it does not wipe.
 */
void xivo_db_forget(struct xivo_db *db);

/*
 * The uuid of the one user in userfeatures with this email, in any case and
 * whatever its enableclient.
 *
 *   out  set with XA_GRANTED only; not checked beyond its length, as the
 *        host's sink does that
 *
 * XA_GRANTED: there is one.  XA_DENIED: there is none, more than one, or it
 * has no uuid.  XA_UNAVAILABLE: as for xivo_db_ask().
 */
enum xa_verdict xivo_db_uuid_of_email(struct xivo_db *db, const char *email,
                                      char out[XIVO_DB_ID_MAX]);

size_t xivo_rows_count(const struct xivo_rows *rows);

/* A text of a row, lent by it; NULL when it is NULL there. */
const char *xivo_rows_text(const struct xivo_rows *rows, size_t row,
                           size_t column);

/* Wipe and free.  NULL inside is allowed; NULL is left behind. */
void xivo_rows_free(struct xivo_rows **rows);

#endif
