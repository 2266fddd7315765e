/* fetch.h - the values of many keys in few requests. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TOKEN_CONSUL_FETCH_H
#define XA_TOKEN_CONSUL_FETCH_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/token/consul/client.h"
#include "core/token/consul/txn.h"

#define XA_FETCH_MAX 64 /* keys at once; as many as every Consul takes */

/* Names that are collected, none of them twice. */
struct xa_fetch {
    struct xa_buf names; /* one after the other, a NUL behind each */
    size_t at[XA_FETCH_MAX];
    size_t count;
};
#define XA_FETCH_EMPTY                                                         \
    {                                                                          \
        .names = XA_BUF(XA_CONSUL_ANSWER_MAX), .count = 0                      \
    }
void xa_fetch_done(struct xa_fetch *fetch);

/* Forget the names. */
void xa_fetch_clear(struct xa_fetch *fetch);

/* Add a name, prefix included, while count is below XA_FETCH_MAX; failures
 * show in xa_fetch_run(). */
void xa_fetch_add(struct xa_fetch *fetch, const char *name);

/* A name that was added; lent. */
const char *xa_fetch_name(const struct xa_fetch *fetch, size_t i);

/*
 * Called once a name, in their order.
 *
 *   item  lent; NULL: there is no such key.  Its value is NULL if it is too
 *         large to be read.
 */
typedef enum xa_rc xa_fetch_fn(void *ctx, size_t i,
                               const struct xa_txn_item *item,
                               struct xa_err *err);

/*
 * Read all of them, so many operations in a request; each has consul.timeout.
 * The names stay.
 *
 * As xa_txn_run(); else what the function returned, XA_OK going on.
 */
XA_MUST_CHECK
enum xa_rc xa_fetch_run(const struct xa_fetch *fetch, struct xa_consul *consul,
                        size_t operations, xa_fetch_fn *visit, void *ctx,
                        struct xa_err *err);

#endif
