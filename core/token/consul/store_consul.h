/* store_consul.h - the inside of the Consul store; for store_consul*.c only. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TOKEN_CONSUL_STORE_CONSUL_H
#define XA_TOKEN_CONSUL_STORE_CONSUL_H

#include "core/token/consul/client.h"
#include "core/token/consul/lock.h"
#include "core/token/store_ops.h"

struct xa_sweep; /* opaque: how far removal has come; sweep.h */

struct xa_store_consul {
    struct xa_store base; /* first, so that the two are one address */
    const struct xa_config *config;
    struct xa_consul *consul;
    struct xa_consul_lock *lock; /* NULL until this process wants to lead */
    struct xa_sweep *sweep;      /* likewise */
    unsigned token_depth;        /* of listings of tokens/, see walk.h */
    bool accepts_stale;          /* the latest token came from a stale read */
};

/*
 * A failure of Consul's client as store.h has it: what Consul does not allow,
 * or does not take, is a server that refuses.  Returns the code.
 */
XA_MUST_CHECK
enum xa_rc xa_store_consul_fail(enum xa_rc rc, struct xa_err *err);

/* A fixed key below the schedule is read: Consul shows who may not list an
 * empty list, but refuses them a single key. */
XA_MUST_CHECK
enum xa_rc xa_store_consul_check(struct xa_store *store, struct xa_err *err);

/* --- calls of store.h that have a file of their own --- */

enum xa_rc xa_store_consul_lead(struct xa_store *store, bool *out_leads,
                                struct xa_err *err);
void xa_store_consul_resign(struct xa_store *store);
enum xa_rc xa_store_consul_expire(struct xa_store *store, int64_t now_us,
                                  uint32_t max, struct xa_expired *out,
                                  struct xa_err *err);
enum xa_rc xa_store_consul_list(struct xa_store *store,
                                const struct xa_query *query,
                                struct xa_page *page, uint32_t limit,
                                xa_visit_fn *visit, void *ctx,
                                struct xa_err *err);
enum xa_rc xa_store_consul_audit(struct xa_store *store,
                                 enum xa_audit_mode mode, int64_t now_us,
                                 xa_audit_progress_fn *progress, void *ctx,
                                 struct xa_audit *out, struct xa_err *err);

/* Frees what lead() and expire() made. */
void xa_sweep_free(struct xa_sweep **sweep);

#endif
