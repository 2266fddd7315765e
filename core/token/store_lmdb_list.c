/* store_lmdb_list.c - the embedded store: listing in pages. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "core/token/store_lmdb.h"

#define SCAN_MAX 4096 /* entries looked at in one view of the store */
#define RELAX 256     /* so often the pages that were read are let go */

/* A listing under way, over `tokens` or over one subject. */
struct walk {
    const struct xa_query *query;
    struct xa_page page; /* copied back when it is known to be good */
    uint32_t limit;
    xa_visit_fn *visit;
    void *ctx;
    enum xa_lmdb_db db;
    size_t head;                /* bytes before the key in a name */
    struct xa_entry_name first; /* every name in question begins so */
    uint32_t seen;
    uint32_t visited;
    bool stopped;
};

/* Find out where to walk; false: no key can be wanted. */
static bool
start(struct walk *walk)
{
    const char *wanted = walk->query->key_prefix;
    struct xa_key prefix = {.text = ""};

    if (wanted && strlen(wanted) > XA_KEY_MAX)
        return false;
    if (wanted)
        strcpy(prefix.text, wanted);
    if (walk->query->auth_id) {
        walk->db = XA_LMDB_SUBJECTS;
        walk->head = XA_SUBJECT_LEN;
        xa_subject_name(walk->query->auth_id, &prefix, &walk->first);
        return true;
    }
    walk->db = XA_LMDB_TOKENS;
    walk->head = 0;
    walk->first.len = strlen(prefix.text);
    memcpy(walk->first.bytes, prefix.text, walk->first.len);
    return true;
}

/* Where to go on: behind the last key, if that is further than the start. */
static void
resume(const struct walk *walk, struct xa_entry_name *out)
{
    size_t len = strlen(walk->page.after);

    *out = walk->first;
    if (len == 0)
        return;
    memcpy(out->bytes + walk->head, walk->page.after, len);
    out->len = walk->head + len;
}

static bool
begins_so(const struct walk *walk, struct xa_slice name)
{
    return name.len >= walk->first.len &&
           memcmp(name.data, walk->first.bytes, walk->first.len) == 0;
}

static bool
is_wanted(const struct xa_query *query, const struct xa_token *token)
{
    if (query->auth_id && strcmp(query->auth_id, xa_token_auth_id(token)) != 0)
        return false; /* another one with the same hash */
    return query->expires_before_us == 0 ||
           xa_token_expires_us(token) < query->expires_before_us;
}

/* Look at one entry.  What cannot be read is passed over. */
static enum xa_rc
step(struct walk *walk, const struct xa_lmdb_txn *txn, struct xa_slice name,
     struct xa_err *err)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    struct xa_key key;
    enum xa_rc rc;

    if (!xa_key_of_name(name, walk->head, &key) ||
        strcmp(key.text, walk->page.after) == 0)
        return XA_OK;
    rc = xa_lmdb_get_token(txn, &key, &token, err);
    if (rc == XA_E_NOMEM)
        return rc;
    walk->seen++;
    memcpy(walk->page.after, key.text, sizeof key.text);
    if (rc != XA_OK || !is_wanted(walk->query, token))
        return XA_OK;
    walk->visited++;
    walk->stopped = !walk->visit(walk->ctx, &key, token);
    return XA_OK;
}

static enum xa_rc
walk_page(struct xa_lmdb *lmdb, struct walk *walk, struct xa_err *err)
{
    XA_AUTO(xa_lmdb_end) struct xa_lmdb_txn txn = XA_LMDB_NO_TXN;
    XA_AUTO(xa_lmdb_cursor_done)
    struct xa_lmdb_cursor cursor = XA_LMDB_NO_CURSOR;
    struct xa_entry_name from;
    enum xa_rc rc;

    if (!start(walk)) {
        walk->page.done = true;
        return XA_OK;
    }
    resume(walk, &from);
    rc = xa_lmdb_begin_read(lmdb, &txn, err);
    if (rc != XA_OK)
        return rc;
    rc = xa_lmdb_seek(&txn, walk->db, xa_slice_of_name(&from), &cursor, err);
    while (rc == XA_OK) {
        if (cursor.end || !begins_so(walk, cursor.key)) {
            walk->page.done = true;
            return XA_OK;
        }
        if (walk->stopped || walk->visited == walk->limit ||
            walk->seen == SCAN_MAX)
            return XA_OK;
        rc = step(walk, &txn, cursor.key, err);
        if (walk->seen % RELAX == 0)
            xa_lmdb_relax(lmdb);
        if (rc == XA_OK)
            rc = xa_lmdb_next(&cursor, err);
    }
    return rc;
}

enum xa_rc
xa_store_lmdb_list(struct xa_store *store, const struct xa_query *query,
                   struct xa_page *page, uint32_t limit, xa_visit_fn *visit,
                   void *ctx, struct xa_err *err)
{
    struct xa_lmdb *lmdb = ((struct xa_store_lmdb *)store)->lmdb;
    struct walk walk = {
        .query = query,
        .page = *page,
        .limit = limit,
        .visit = visit,
        .ctx = ctx,
    };
    enum xa_rc rc;

    if (!lmdb) {
        page->done = true; /* nothing is in a store that is not there */
        return XA_OK;
    }
    rc = walk_page(lmdb, &walk, err);
    if (rc != XA_OK)
        return rc;
    *page = walk.page;
    return XA_OK;
}
