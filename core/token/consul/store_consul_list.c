/* store_consul_list.c - the Consul store: listing in pages. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "core/token/consul/fetch.h"
#include "core/token/consul/names.h"
#include "core/token/consul/record.h"
#include "core/token/consul/store_consul.h"
#include "core/token/consul/walk.h"

#define SCAN_MAX 4096 /* keys looked at in one page */

/* A page under way, over `tokens` or over one subject. */
struct listing {
    struct xa_store_consul *store;
    const struct xa_query *query;
    struct xa_page page; /* copied back when it is known to be good */
    uint32_t limit;
    xa_visit_fn *visit;
    void *ctx;
    struct xa_fetch fetch; /* records that are to be read next */
    struct xa_key keys[XA_FETCH_MAX];
    uint32_t seen;
    uint32_t visited;
    bool stopped;
    enum xa_rc rc;
    struct xa_err *err;
};

static void
listing_done(struct listing *listing)
{
    xa_fetch_done(&listing->fetch);
}

static const char *
prefix_of(const struct listing *listing)
{
    return listing->store->config->consul.prefix;
}

static bool
is_full(const struct listing *listing)
{
    return listing->stopped || listing->visited == listing->limit ||
           listing->seen >= SCAN_MAX;
}

static bool
is_wanted(const struct xa_query *query, const struct xa_token *token)
{
    if (query->auth_id && strcmp(query->auth_id, xa_token_auth_id(token)) != 0)
        return false; /* another one with the same hash, or once their own */
    return query->expires_before_us == 0 ||
           xa_token_expires_us(token) < query->expires_before_us;
}

/* A record came, or there is none any more.  What cannot be read is passed
 * over. */
static enum xa_rc
take_record(void *ctx, size_t i, const struct xa_txn_item *item,
            struct xa_err *err)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    struct listing *listing = ctx;
    const struct xa_key *key = &listing->keys[i];
    enum xa_rc rc;

    if (listing->stopped)
        return XA_OK; /* the next page begins with it */
    listing->page.after[0] = '\0';
    strncat(listing->page.after, key->text, sizeof key->text - 1);
    listing->seen++;
    if (!item || !item->value)
        return XA_OK;
    rc = xa_consul_decode(item->value, item->len, key, &token, NULL);
    if (rc == XA_E_NOMEM)
        return xa_fail_nomem(err);
    if (rc != XA_OK || !is_wanted(listing->query, token))
        return XA_OK;
    listing->visited++;
    listing->stopped = !listing->visit(listing->ctx, key, token);
    return XA_OK;
}

/* Read the records of the names in hand. */
static bool
flush(struct listing *listing)
{
    const struct xa_config *config = listing->store->config;

    if (listing->fetch.count > 0)
        listing->rc = xa_fetch_run(&listing->fetch, listing->store->consul,
                                   config->expiry.txn_operations, take_record,
                                   listing, listing->err);
    xa_fetch_clear(&listing->fetch);
    return listing->rc == XA_OK && !is_full(listing);
}

/* A name of the walk; records are read in bulk, but no more of them than the
 * page can take. */
static bool
take_name(void *ctx, const char *name)
{
    struct listing *listing = ctx;
    struct xa_fetch *fetch = &listing->fetch;
    XA_AUTO(xa_buf_free) struct xa_buf token = XA_BUF(XA_CONSUL_NAME_MAX);
    char subject[XA_SUBJECT_TEXT];
    struct xa_key *key = &listing->keys[fetch->count];
    const char *prefix = prefix_of(listing);

    if (listing->query->auth_id
            ? !xa_consul_read_subject(name, prefix, subject, key)
            : !xa_consul_read_token(name, prefix, key))
        return true;
    xa_consul_put_token(&token, prefix, key);
    listing->rc = xa_buf_check(&token, listing->err);
    if (listing->rc != XA_OK)
        return false;
    xa_fetch_add(fetch, token.data);
    if (fetch->count < XA_FETCH_MAX &&
        fetch->count < listing->limit - listing->visited)
        return true;
    return flush(listing);
}

/* Consul shows who may not look an empty folder. */
static enum xa_rc
doubt_emptiness(struct listing *listing)
{
    if (listing->seen > 0 || listing->page.after[0])
        return XA_OK;
    return xa_store_consul_check(&listing->store->base, listing->err);
}

/* Which names the page goes through. */
struct range {
    struct xa_buf root;
    struct xa_buf begin;
    struct xa_buf after;
};

static void
range_done(struct range *range)
{
    xa_buf_free(&range->root);
    xa_buf_free(&range->begin);
    xa_buf_free(&range->after);
}

static enum xa_rc
put_range(const struct listing *listing, struct range *out)
{
    const struct xa_query *query = listing->query;
    char subject[XA_SUBJECT_TEXT];
    enum xa_rc rc;

    xa_buf_putf(&out->root, "%s%s", prefix_of(listing),
                query->auth_id ? "subjects/" : "tokens/");
    if (query->auth_id) {
        xa_consul_subject(query->auth_id, subject);
        xa_buf_putf(&out->begin, "%s/", subject);
        xa_buf_putf(&out->after, "%s/", subject);
    }
    xa_buf_puts(&out->begin, query->key_prefix ? query->key_prefix : "");
    xa_buf_puts(&out->after, listing->page.after);
    rc = xa_buf_check(&out->root, listing->err);
    if (rc == XA_OK)
        rc = xa_buf_check(&out->begin, listing->err);
    if (rc == XA_OK)
        rc = xa_buf_check(&out->after, listing->err);
    return rc;
}

/* Go through the names; what is in hand at the end is read, too. */
static enum xa_rc
walk(struct listing *listing)
{
    XA_AUTO(range_done)
    struct range range = {
        .root = XA_BUF(XA_CONSUL_NAME_MAX),
        .begin = XA_BUF(XA_CONSUL_NAME_MAX),
        .after = XA_BUF(XA_CONSUL_NAME_MAX),
    };
    struct xa_walk plan = {.consul = listing->store->consul};
    bool ended = false;
    enum xa_rc rc = put_range(listing, &range);

    if (rc != XA_OK)
        return rc;
    plan.root = range.root.data;
    plan.begin = xa_buf_text(&range.begin);
    plan.after = xa_buf_text(&range.after);
    if (!listing->query->auth_id)
        plan.depth = &listing->store->token_depth;
    rc = xa_walk_names(&plan, take_name, listing, &ended, listing->err);
    if (rc == XA_OK && ended)
        flush(listing);
    listing->page.done = ended && !listing->stopped;
    return rc == XA_OK ? listing->rc : rc;
}

enum xa_rc
xa_store_consul_list(struct xa_store *store, const struct xa_query *query,
                     struct xa_page *page, uint32_t limit, xa_visit_fn *visit,
                     void *ctx, struct xa_err *err)
{
    XA_AUTO(listing_done)
    struct listing listing = {
        .store = (struct xa_store_consul *)store,
        .query = query,
        .page = *page,
        .limit = limit,
        .visit = visit,
        .ctx = ctx,
        .fetch = XA_FETCH_EMPTY,
        .err = err,
    };
    enum xa_rc rc = XA_OK;

    if (query->key_prefix && strlen(query->key_prefix) >= XA_SHA256_TEXT)
        listing.page.done = true; /* longer than any key */
    else if (limit > 0)
        rc = walk(&listing);
    if (rc == XA_OK && listing.page.done)
        rc = doubt_emptiness(&listing);
    if (rc != XA_OK)
        return xa_store_consul_fail(rc, err);
    *page = listing.page;
    return XA_OK;
}
