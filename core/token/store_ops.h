/* store_ops.h - what a store implements; for core/token/store*.c only. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TOKEN_STORE_OPS_H
#define XA_TOKEN_STORE_OPS_H

#include "core/token/store.h"

/* The calls of store.h, with the same promises.  A store embeds struct
 * xa_store as its first member and casts. */
struct xa_store_ops {
    const char *type;
    enum xa_rc (*create)(struct xa_store *store, struct xa_key *key,
                         struct xa_token *token, struct xa_err *err);
    enum xa_rc (*get)(struct xa_store *store, const struct xa_key *key,
                      struct xa_token **out, struct xa_err *err);
    enum xa_rc (*remove)(struct xa_store *store, const struct xa_key *key,
                         bool *out_removed, struct xa_err *err);
    /* NULL: one by one. */
    enum xa_rc (*remove_many)(struct xa_store *store, const struct xa_key *keys,
                              size_t count, uint64_t *out_removed,
                              struct xa_err *err);
    /* Both NULL: a store of one machine. */
    enum xa_rc (*lead)(struct xa_store *store, bool *out_leads,
                       struct xa_err *err);
    void (*resign)(struct xa_store *store);
    enum xa_rc (*expire)(struct xa_store *store, int64_t now_us, uint32_t max,
                         struct xa_expired *out, struct xa_err *err);
    enum xa_rc (*list)(struct xa_store *store, const struct xa_query *query,
                       struct xa_page *page, uint32_t limit, xa_visit_fn *visit,
                       void *ctx, struct xa_err *err);
    enum xa_rc (*audit)(struct xa_store *store, enum xa_audit_mode mode,
                        int64_t now_us, xa_audit_progress_fn *progress,
                        void *ctx, struct xa_audit *out, struct xa_err *err);
    enum xa_rc (*check)(struct xa_store *store, struct xa_err *err);
    bool (*news)(struct xa_store *store, struct xa_news_item *out); /* NULL:
                                                           never anything */
    void (*close)(struct xa_store *store); /* frees the store itself too */
};

struct xa_store {
    const struct xa_store_ops *ops;
};

/* One per kind of store; as xa_store_open(). */
XA_MUST_CHECK
enum xa_rc xa_store_lmdb_open(const struct xa_config *config,
                              enum xa_store_mode mode, struct xa_store **out,
                              struct xa_err *err);
XA_MUST_CHECK
enum xa_rc xa_store_consul_open(const struct xa_config *config,
                                enum xa_store_mode mode, struct xa_store **out,
                                struct xa_err *err);

#endif
