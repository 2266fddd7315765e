/* store_lmdb.c - the embedded store: one folder, all processes. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/store_lmdb.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/support/uuid.h"

#define FOLLOW_MS 1000 /* as often a read looks for other files */

/* --- names of entries --- */

struct xa_slice
xa_slice_of_key(const struct xa_key *key)
{
    return XA_SLICE(key->text, strnlen(key->text, XA_KEY_MAX));
}

struct xa_slice
xa_slice_of_name(const struct xa_entry_name *name)
{
    return XA_SLICE(name->bytes, name->len);
}

static void
append_key(struct xa_entry_name *name, size_t head, const struct xa_key *key)
{
    struct xa_slice text = xa_slice_of_key(key);

    memcpy(name->bytes + head, text.data, text.len);
    name->len = head + text.len;
}

void
xa_schedule_name(int64_t expires_us, const struct xa_key *key,
                 struct xa_entry_name *out)
{
    uint64_t when = (uint64_t)expires_us;

    for (size_t i = XA_WHEN_LEN; i-- > 0; when >>= 8)
        out->bytes[i] = (unsigned char)when;
    append_key(out, XA_WHEN_LEN, key);
}

uint64_t
xa_when_of_name(struct xa_slice name)
{
    const unsigned char *bytes = name.data;
    uint64_t when = 0;

    for (size_t i = 0; i < XA_WHEN_LEN; i++)
        when = when << 8 | bytes[i];
    return when;
}

/* A hash, because auth_id may be longer than a key can be. */
void
xa_subject_name(const char *auth_id, const struct xa_key *key,
                struct xa_entry_name *out)
{
    unsigned char hash[XA_SHA256_LEN];

    xa_sha256(auth_id, strlen(auth_id), hash);
    memcpy(out->bytes, hash, XA_SUBJECT_LEN);
    append_key(out, XA_SUBJECT_LEN, key);
}

/* SHA-256 or a token itself, in the one spelling of each. */
static bool
is_key(const struct xa_key *key)
{
    char uuid[XA_UUID_TEXT];

    return xa_str_is_hex(key->text, XA_KEY_MAX) ||
           (xa_uuid_parse(key->text, strlen(key->text), uuid) &&
            strcmp(uuid, key->text) == 0);
}

bool
xa_key_of_name(struct xa_slice name, size_t head, struct xa_key *out)
{
    struct xa_key key = {.text = ""};

    if (name.len < head || name.len - head > XA_KEY_MAX)
        return false;
    memcpy(key.text, (const char *)name.data + head, name.len - head);
    if (!is_key(&key))
        return false;
    *out = key;
    return true;
}

/* --- steps --- */

enum xa_rc
xa_lmdb_get_token(const struct xa_lmdb_txn *txn, const struct xa_key *key,
                  struct xa_token **out, struct xa_err *err)
{
    struct xa_slice record;
    enum xa_rc rc;

    rc = xa_lmdb_get(txn, XA_LMDB_TOKENS, xa_slice_of_key(key), &record, err);
    if (rc != XA_OK)
        return rc;
    return xa_token_decode(record.data, record.len, out, err);
}

enum xa_rc
xa_lmdb_put_index(const struct xa_lmdb_txn *txn, const struct xa_key *key,
                  const struct xa_token *token, struct xa_err *err)
{
    const struct xa_slice nothing = {.data = "", .len = 0};
    struct xa_entry_name name;
    enum xa_rc rc;

    xa_schedule_name(xa_token_expires_us(token), key, &name);
    rc = xa_lmdb_put(txn, XA_LMDB_SCHEDULE, xa_slice_of_name(&name), nothing,
                     err);
    if (rc != XA_OK)
        return rc;
    xa_subject_name(xa_token_auth_id(token), key, &name);
    return xa_lmdb_put(txn, XA_LMDB_SUBJECTS, xa_slice_of_name(&name), nothing,
                       err);
}

enum xa_rc
xa_lmdb_delete_index(const struct xa_lmdb_txn *txn, const struct xa_key *key,
                     const struct xa_token *token, struct xa_err *err)
{
    struct xa_entry_name name;
    enum xa_rc rc;

    xa_schedule_name(xa_token_expires_us(token), key, &name);
    rc = xa_lmdb_delete(txn, XA_LMDB_SCHEDULE, xa_slice_of_name(&name), err);
    if (rc != XA_OK)
        return rc;
    xa_subject_name(xa_token_auth_id(token), key, &name);
    return xa_lmdb_delete(txn, XA_LMDB_SUBJECTS, xa_slice_of_name(&name), err);
}

/*
 * Remove the token with this key and what belongs to it.  Of a record that
 * cannot be read only the record goes; what may be left of it harms nobody
 * and is found by an audit.
 */
static enum xa_rc
drop(const struct xa_lmdb_txn *txn, const struct xa_key *key, bool *out_removed,
     struct xa_err *err)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    struct xa_slice record;
    enum xa_rc rc;

    *out_removed = false;
    rc = xa_lmdb_get(txn, XA_LMDB_TOKENS, xa_slice_of_key(key), &record, err);
    if (rc == XA_E_NOTFOUND)
        return XA_OK;
    if (rc != XA_OK)
        return rc;
    rc = xa_token_decode(record.data, record.len, &token, err);
    if (rc == XA_E_NOMEM)
        return rc;
    rc = xa_lmdb_delete(txn, XA_LMDB_TOKENS, xa_slice_of_key(key), err);
    if (rc == XA_OK && token)
        rc = xa_lmdb_delete_index(txn, key, token, err);
    *out_removed = rc == XA_OK;
    return rc;
}

/* --- the calls of store.h --- */

/* The environment, or the complaint that there is none yet. */
static enum xa_rc
enter(struct xa_store *store, struct xa_lmdb **out, struct xa_err *err)
{
    *out = ((struct xa_store_lmdb *)store)->lmdb;
    if (!*out)
        return xa_fail(err, XA_E_STORE, "there is no store yet");
    return XA_OK;
}

static enum xa_rc
write_token(struct xa_lmdb *lmdb, const struct xa_key *key,
            const struct xa_token *token, const struct xa_buf *record,
            struct xa_err *err)
{
    XA_AUTO(xa_lmdb_end) struct xa_lmdb_txn txn = XA_LMDB_NO_TXN;
    enum xa_rc rc;
    bool replaced;

    rc = xa_lmdb_begin_write(lmdb, &txn, err);
    if (rc == XA_OK)
        rc = drop(&txn, key, &replaced, err);
    if (rc == XA_OK)
        rc = xa_lmdb_put(&txn, XA_LMDB_TOKENS, xa_slice_of_key(key),
                         XA_SLICE(record->data, record->len), err);
    if (rc == XA_OK)
        rc = xa_lmdb_put_index(&txn, key, token, err);
    if (rc == XA_OK)
        rc = xa_lmdb_commit(&txn, err);
    return rc;
}

static enum xa_rc
create(struct xa_store *store, struct xa_key *key, struct xa_token *token,
       struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf record = XA_BUF(XA_RECORD_MAX);
    bool with_id = strlen(key->text) == XA_UUID_LEN; /* a plain key */
    struct xa_lmdb *lmdb;
    enum xa_rc rc;

    assert(is_key(key));
    xa_token_encode(token, with_id, &record);
    rc = xa_buf_check(&record, err);
    if (rc == XA_OK)
        rc = enter(store, &lmdb, err);
    if (rc == XA_OK)
        rc = xa_lmdb_follow(lmdb, err);
    if (rc == XA_OK)
        rc = xa_lmdb_require_room(lmdb, err);
    if (rc == XA_OK)
        rc = write_token(lmdb, key, token, &record, err);
    return rc;
}

/* A process that only reads has to notice other files, too; but looking for
 * them at each check would cost as much as the rest of it. */
static enum xa_rc
follow_at_times(struct xa_store_lmdb *store, struct xa_err *err)
{
    int64_t now_ms = xa_clock_mono_ms();

    if (now_ms - store->followed_ms < FOLLOW_MS)
        return XA_OK;
    store->followed_ms = now_ms;
    return xa_lmdb_follow(store->lmdb, err);
}

/* Each check comes through here: renew, read, decode, reset, and no more. */
static enum xa_rc
get(struct xa_store *store, const struct xa_key *key, struct xa_token **out,
    struct xa_err *err)
{
    XA_AUTO(xa_lmdb_end) struct xa_lmdb_txn txn = XA_LMDB_NO_TXN;
    struct xa_lmdb *lmdb;
    enum xa_rc rc;

    rc = enter(store, &lmdb, err);
    if (rc == XA_OK)
        rc = follow_at_times((struct xa_store_lmdb *)store, err);
    if (rc == XA_OK)
        rc = xa_lmdb_begin_read(lmdb, &txn, err);
    if (rc == XA_OK)
        rc = xa_lmdb_get_token(&txn, key, out, err);
    return rc;
}

/* All of them or none. */
static enum xa_rc
remove_some(struct xa_lmdb *lmdb, const struct xa_key *keys, size_t count,
            uint64_t *out_removed, struct xa_err *err)
{
    XA_AUTO(xa_lmdb_end) struct xa_lmdb_txn txn = XA_LMDB_NO_TXN;
    enum xa_rc rc;

    *out_removed = 0;
    rc = xa_lmdb_begin_write(lmdb, &txn, err);
    for (size_t i = 0; rc == XA_OK && i < count; i++) {
        bool was_there = false;

        rc = drop(&txn, &keys[i], &was_there, err);
        *out_removed += was_there;
    }
    if (rc == XA_OK && *out_removed > 0)
        rc = xa_lmdb_commit(&txn, err);
    return rc;
}

/* One wait for the disk, however many they are, unless the store is full. */
static enum xa_rc
remove_many(struct xa_store *store, const struct xa_key *keys, size_t count,
            uint64_t *out_removed, struct xa_err *err)
{
    struct xa_lmdb *lmdb;
    uint64_t removed;
    size_t some;
    enum xa_rc rc;

    *out_removed = 0;
    rc = enter(store, &lmdb, err);
    if (rc == XA_OK)
        rc = xa_lmdb_follow(lmdb, err);
    for (size_t i = 0; rc == XA_OK && i < count; i += some) {
        some = count - i;
        do
            rc = remove_some(lmdb, keys + i, some, &removed, err);
        while (rc != XA_OK && xa_lmdb_find_room(lmdb, &some));
        if (rc == XA_OK)
            *out_removed += removed;
    }
    return rc;
}

static enum xa_rc
remove_token(struct xa_store *store, const struct xa_key *key,
             bool *out_removed, struct xa_err *err)
{
    uint64_t removed;
    enum xa_rc rc = remove_many(store, key, 1, &removed, err);

    if (rc == XA_OK && out_removed)
        *out_removed = removed > 0;
    return rc;
}

static enum xa_rc
check(struct xa_store *store, struct xa_err *err)
{
    struct xa_lmdb *lmdb = ((struct xa_store_lmdb *)store)->lmdb;
    enum xa_rc rc;

    if (!lmdb)
        return XA_OK; /* it could be made: that was looked at */
    rc = xa_lmdb_follow(lmdb, err);
    if (rc != XA_OK)
        return rc;
    return xa_lmdb_check(lmdb, err);
}

static void
close_store(struct xa_store *store)
{
    struct xa_store_lmdb *self = (struct xa_store_lmdb *)store;

    xa_lmdb_close(&self->lmdb);
    free(self);
}

static const struct xa_store_ops ops = {
    .type = "lmdb",
    .create = create,
    .get = get,
    .remove = remove_token,
    .remove_many = remove_many,
    .expire = xa_store_lmdb_expire,
    .list = xa_store_lmdb_list,
    .audit = xa_store_lmdb_audit,
    .check = check,
    .close = close_store,
};

enum xa_rc
xa_store_lmdb_open(const struct xa_config *config, enum xa_store_mode mode,
                   struct xa_store **out, struct xa_err *err)
{
    const struct xa_lmdb_setup setup = {
        .folder = config->store.lmdb.path,
        .max_size = config->store.lmdb.max_size,
        .sync = config->store.lmdb.sync,
        .create = mode == XA_STORE_USE,
    };
    struct xa_store_lmdb *self;
    enum xa_rc rc;

    self = calloc(1, sizeof *self);
    if (!self)
        return xa_fail_nomem(err);
    self->base.ops = &ops;
    rc = xa_lmdb_open(&setup, &self->lmdb, err);
    if (rc != XA_OK && !(rc == XA_E_NOTFOUND && mode == XA_STORE_PROBE)) {
        free(self);
        return rc;
    }
    *out = &self->base;
    return XA_OK;
}
