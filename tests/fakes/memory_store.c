/* memory_store.c - a store in memory that fails when told to. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tests/fakes/memory_store.h"

#include <stdlib.h>
#include <string.h>

#include "core/token/store_ops.h"

struct entry {
    struct xa_key key;
    int64_t expires_us;
    char auth_id[XA_ID_MAX + 1];
    struct xa_buf record;
};

struct memory_store {
    struct xa_store base;
    struct entry entries[MEMORY_STORE_MAX];
    unsigned count;
    unsigned calls;
    enum xa_rc failure;
};

static enum xa_rc
enter(struct xa_store *store, struct memory_store **out, struct xa_err *err)
{
    struct memory_store *memory = (struct memory_store *)store;

    memory->calls++;
    *out = memory;
    if (memory->failure != XA_OK)
        return xa_fail(err, memory->failure, "told to fail");
    return XA_OK;
}

static struct entry *
find(struct memory_store *memory, const struct xa_key *key)
{
    for (unsigned i = 0; i < memory->count; i++)
        if (strcmp(memory->entries[i].key.text, key->text) == 0)
            return &memory->entries[i];
    return NULL;
}

static void
drop(struct memory_store *memory, struct entry *entry)
{
    xa_buf_free(&entry->record);
    *entry = memory->entries[--memory->count];
}

static enum xa_rc
create(struct xa_store *store, struct xa_key *key, struct xa_token *token,
       struct xa_err *err)
{
    struct memory_store *memory;
    struct entry *entry;
    enum xa_rc rc = enter(store, &memory, err);

    if (rc != XA_OK)
        return rc;
    entry = find(memory, key);
    if (entry)
        drop(memory, entry);
    if (memory->count == MEMORY_STORE_MAX)
        return xa_fail(err, XA_E_STORE, "store is full");
    entry = &memory->entries[memory->count++];
    memset(entry, 0, sizeof *entry);
    entry->key = *key;
    entry->expires_us = xa_token_expires_us(token);
    strncpy(entry->auth_id, xa_token_auth_id(token), XA_ID_MAX);
    entry->record.max = XA_RECORD_MAX;
    xa_token_encode(token, strlen(key->text) == XA_UUID_LEN, &entry->record);
    return xa_buf_check(&entry->record, err);
}

static enum xa_rc
get(struct xa_store *store, const struct xa_key *key, struct xa_token **out,
    struct xa_err *err)
{
    struct memory_store *memory;
    struct entry *entry;
    enum xa_rc rc = enter(store, &memory, err);

    if (rc != XA_OK)
        return rc;
    entry = find(memory, key);
    if (!entry)
        return xa_fail(err, XA_E_NOTFOUND, "no such token");
    return xa_token_decode(entry->record.data, entry->record.len, out, err);
}

static enum xa_rc
remove_token(struct xa_store *store, const struct xa_key *key,
             bool *out_removed, struct xa_err *err)
{
    struct memory_store *memory;
    struct entry *entry;
    enum xa_rc rc = enter(store, &memory, err);

    if (rc != XA_OK)
        return rc;
    entry = find(memory, key);
    if (out_removed)
        *out_removed = entry != NULL;
    if (entry)
        drop(memory, entry);
    return XA_OK;
}

static enum xa_rc
expire(struct xa_store *store, int64_t now_us, uint32_t max,
       struct xa_expired *out, struct xa_err *err)
{
    struct memory_store *memory;
    struct xa_expired done = {0};
    enum xa_rc rc = enter(store, &memory, err);

    if (rc != XA_OK)
        return rc;
    for (unsigned i = memory->count; i-- > 0;) {
        struct entry *entry = &memory->entries[i];

        if (entry->expires_us > now_us)
            continue;
        if (done.removed == max) {
            done.more = true;
            break;
        }
        if (done.oldest_us == 0 || entry->expires_us < done.oldest_us)
            done.oldest_us = entry->expires_us;
        done.removed++;
        drop(memory, entry);
    }
    *out = done;
    return XA_OK;
}

/* In the order of keys, like every store: the next key after `after`. */
static struct entry *
next(struct memory_store *memory, const struct xa_query *query,
     const char *after)
{
    struct entry *best = NULL;
    const char *prefix = query->key_prefix ? query->key_prefix : "";

    for (unsigned i = 0; i < memory->count; i++) {
        struct entry *entry = &memory->entries[i];

        if (strcmp(entry->key.text, after) > 0 &&
            strncmp(entry->key.text, prefix, strlen(prefix)) == 0 &&
            (!query->auth_id || strcmp(entry->auth_id, query->auth_id) == 0) &&
            (query->expires_before_us == 0 ||
             entry->expires_us < query->expires_before_us) &&
            (!best || strcmp(entry->key.text, best->key.text) < 0))
            best = entry;
    }
    return best;
}

static enum xa_rc
list(struct xa_store *store, const struct xa_query *query, struct xa_page *page,
     uint32_t limit, xa_visit_fn *visit, void *ctx, struct xa_err *err)
{
    struct memory_store *memory;
    enum xa_rc rc = enter(store, &memory, err);

    while (rc == XA_OK && limit-- > 0) {
        XA_AUTO(xa_token_free) struct xa_token *token = NULL;
        struct entry *entry = next(memory, query, page->after);

        if (!entry) {
            page->done = true;
            return XA_OK;
        }
        strcpy(page->after, entry->key.text);
        rc =
            xa_token_decode(entry->record.data, entry->record.len, &token, err);
        if (rc == XA_OK && !visit(ctx, &entry->key, token))
            break;
    }
    return rc;
}

/* There is no index that could be wrong. */
static enum xa_rc
audit(struct xa_store *store, enum xa_audit_mode mode XA_UNUSED,
      int64_t now_us XA_UNUSED, xa_audit_progress_fn *progress XA_UNUSED,
      void *ctx XA_UNUSED, struct xa_audit *out, struct xa_err *err)
{
    struct memory_store *memory;
    enum xa_rc rc = enter(store, &memory, err);

    if (rc == XA_OK)
        *out = (struct xa_audit){.tokens = memory->count};
    return rc;
}

static enum xa_rc
check(struct xa_store *store, struct xa_err *err)
{
    struct memory_store *memory;

    return enter(store, &memory, err);
}

static void
close_store(struct xa_store *store)
{
    struct memory_store *memory = (struct memory_store *)store;

    while (memory->count > 0)
        drop(memory, &memory->entries[0]);
    free(memory);
}

struct xa_store *
memory_store_new(void)
{
    static const struct xa_store_ops ops = {
        .type = "memory",
        .create = create,
        .get = get,
        .remove = remove_token,
        .expire = expire,
        .list = list,
        .audit = audit,
        .check = check,
        .close = close_store,
    };
    struct memory_store *memory = calloc(1, sizeof *memory);

    if (!memory)
        abort();
    memory->base.ops = &ops;
    return &memory->base;
}

void
memory_store_fail(struct xa_store *store, enum xa_rc code)
{
    ((struct memory_store *)store)->failure = code;
}

unsigned
memory_store_calls(const struct xa_store *store)
{
    return ((const struct memory_store *)store)->calls;
}

unsigned
memory_store_count(const struct xa_store *store)
{
    return ((const struct memory_store *)store)->count;
}
