/* txn.h - several reads or writes of Consul in one request. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A transaction is done wholly or not at all.  It holds as many operations
 * as expiry.txn_operations allows (64 in Consul 1.8, 128 since 1.14).
 */
#ifndef XA_TOKEN_CONSUL_TXN_H
#define XA_TOKEN_CONSUL_TXN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/token/consul/client.h"

#define XA_TXN_BODY_MAX 524288 /* bytes, base64 included */

/* A transaction that is being written; XA_TXN_EMPTY, then operations. */
struct xa_txn {
    struct xa_buf body;
    size_t count;
    /* Write other operations into the emptied transaction before it is sent
     * again, as a host that did not confirm these may still do them some time:
     * where no check keeps it from that, and it would do harm.  NULL: neither
     * is so. */
    enum xa_rc (*renew)(void *ctx, struct xa_txn *txn, struct xa_err *err);
    void *ctx; /* for renew */
};
#define XA_TXN_EMPTY                                                           \
    {                                                                          \
        .body = XA_BUF(XA_TXN_BODY_MAX), .count = 0                            \
    }
void xa_txn_done(struct xa_txn *txn);

/* Names are whole, prefix included, and not percent-encoded. */
void xa_txn_set(struct xa_txn *txn, const char *name, const void *value,
                size_t len);
void xa_txn_delete(struct xa_txn *txn, const char *name);
void xa_txn_delete_cas(struct xa_txn *txn, const char *name, uint64_t index);
void xa_txn_check_session(struct xa_txn *txn, const char *name,
                          const char *session);
/* That the key is as it was when `index` was read; that there is none. */
void xa_txn_check_index(struct xa_txn *txn, const char *name, uint64_t index);
void xa_txn_check_absent(struct xa_txn *txn, const char *name);
/* Everything below `name`, which for a whole key is that key or nothing; a
 * plain get would fail the whole transaction when one key is missing. */
void xa_txn_get_tree(struct xa_txn *txn, const char *name);

/* Why Consul refused a transaction as a whole (409). */
struct xa_txn_refusal {
    size_t operation; /* the first that failed */
    bool is_denied;   /* no right to it; else a check that did not hold */
};

/*
 * Do it, once.  A transaction that only reads is never refused: what the token
 * may not read is missing from the answer.
 *
 *   answer   filled on XA_OK: the answer, for xa_txn_each()
 *   refusal  filled on XA_E_FORBIDDEN and XA_E_INVALID; may be NULL
 *
 * XA_E_FORBIDDEN: the token may not.  XA_E_INVALID: a check did not hold; or,
 * of one that only reads, there is more to read than XA_CONSUL_ANSWER_MAX.
 * XA_E_STORE: Consul takes no transaction like this, too many operations for
 * one.  Else as xa_consul_ask().
 */
XA_MUST_CHECK
enum xa_rc xa_txn_run(struct xa_consul *consul, struct xa_txn *txn,
                      enum xa_consul_mode mode, int64_t deadline_ms,
                      struct xa_consul_answer *answer,
                      struct xa_txn_refusal *refusal, struct xa_err *err);

/* One key of the answer to a reading transaction; all lent for the call. */
struct xa_txn_item {
    const char *name;
    const void *value;
    size_t len;
    uint64_t index; /* ModifyIndex */
};
typedef enum xa_rc xa_txn_item_fn(void *ctx, const struct xa_txn_item *item,
                                  struct xa_err *err);

/* Visit the keys that were found.  XA_E_UNAVAILABLE: not an answer of
 * Consul's form.  Else what the function returned, XA_OK going on. */
XA_MUST_CHECK
enum xa_rc xa_txn_each(const struct xa_consul_answer *answer,
                       xa_txn_item_fn *visit, void *ctx, struct xa_err *err);

#endif
