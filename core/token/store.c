/* store.c - one door to every kind of store. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/store.h"

#include <string.h>

#include "core/token/store_ops.h"

static const struct {
    const char *type;
    enum xa_rc (*open)(const struct xa_config *config, enum xa_store_mode mode,
                       struct xa_store **out, struct xa_err *err);
} kinds[] = {
    {"lmdb", xa_store_lmdb_open},
    {"consul", xa_store_consul_open},
};

enum xa_rc
xa_store_open(const struct xa_config *config, enum xa_store_mode mode,
              struct xa_store **out, struct xa_err *err)
{
    for (size_t i = 0; i < XA_COUNT(kinds); i++)
        if (strcmp(kinds[i].type, config->store.type) == 0)
            return kinds[i].open(config, mode, out, err);
    return xa_fail(err, XA_E_CONFIG,
                   "store.type: no store \"%s\" in this build",
                   config->store.type);
}

void
xa_store_close(struct xa_store **store)
{
    if (*store)
        (*store)->ops->close(*store);
    *store = NULL;
}

const char *
xa_store_type(const struct xa_store *store)
{
    return store->ops->type;
}

enum xa_rc
xa_store_create(struct xa_store *store, struct xa_key *key,
                struct xa_token *token, struct xa_err *err)
{
    return store->ops->create(store, key, token, err);
}

enum xa_rc
xa_store_get(struct xa_store *store, const struct xa_key *key,
             struct xa_token **out, struct xa_err *err)
{
    return store->ops->get(store, key, out, err);
}

enum xa_rc
xa_store_remove(struct xa_store *store, const struct xa_key *key,
                bool *out_removed, struct xa_err *err)
{
    return store->ops->remove(store, key, out_removed, err);
}

enum xa_rc
xa_store_remove_many(struct xa_store *store, const struct xa_key *keys,
                     size_t count, uint64_t *out_removed, struct xa_err *err)
{
    enum xa_rc rc = XA_OK;

    *out_removed = 0;
    if (store->ops->remove_many)
        return store->ops->remove_many(store, keys, count, out_removed, err);
    for (size_t i = 0; rc == XA_OK && i < count; i++) {
        bool removed = false;

        rc = xa_store_remove(store, &keys[i], &removed, err);
        *out_removed += removed;
    }
    return rc;
}

bool
xa_store_is_shared(const struct xa_store *store)
{
    return store->ops->lead != NULL;
}

enum xa_rc
xa_store_lead(struct xa_store *store, bool *out_leads, struct xa_err *err)
{
    if (store->ops->lead)
        return store->ops->lead(store, out_leads, err);
    *out_leads = true;
    return XA_OK;
}

void
xa_store_resign(struct xa_store *store)
{
    if (store->ops->resign)
        store->ops->resign(store);
}

enum xa_rc
xa_store_expire(struct xa_store *store, int64_t now_us, uint32_t max,
                struct xa_expired *out, struct xa_err *err)
{
    return store->ops->expire(store, now_us, max, out, err);
}

enum xa_rc
xa_store_list(struct xa_store *store, const struct xa_query *query,
              struct xa_page *page, uint32_t limit, xa_visit_fn *visit,
              void *ctx, struct xa_err *err)
{
    return store->ops->list(store, query, page, limit, visit, ctx, err);
}

enum xa_rc
xa_store_audit(struct xa_store *store, enum xa_audit_mode mode, int64_t now_us,
               xa_audit_progress_fn *progress, void *ctx, struct xa_audit *out,
               struct xa_err *err)
{
    return store->ops->audit(store, mode, now_us, progress, ctx, out, err);
}

enum xa_rc
xa_store_check(struct xa_store *store, struct xa_err *err)
{
    return store->ops->check(store, err);
}

bool
xa_store_news(struct xa_store *store, struct xa_news_item *out)
{
    return store->ops->news && store->ops->news(store, out);
}
