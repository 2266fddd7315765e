/* store_lmdb_expire.c - the embedded store: remove what is due. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/token/store_lmdb.h"

#define BATCH_MAX 1024 /* schedules looked at in one transaction */

/* The first part of the schedule, as a reader saw it. */
struct due {
    struct {
        uint64_t when;
        struct xa_key key;
    } * entries; /* owned */
    uint32_t count;
    uint32_t skipped;
    char example[XA_SHA256_TEXT]; /* as in struct xa_expired */
    bool more;
};

static void
free_due(struct due *due)
{
    free(due->entries);
    due->entries = NULL;
}

/*
 * Whether a schedule can be followed: it names a token, and if there is one
 * its record can be read.  What cannot stays where it is, so it must not
 * take the place of what can.
 */
static enum xa_rc
is_usable(const struct xa_lmdb_txn *txn, struct xa_slice name,
          struct xa_key *key, bool *out, struct xa_err *err)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    struct xa_slice record;
    enum xa_rc rc;

    *out = false;
    key->text[0] = '\0';
    if (!xa_key_of_name(name, XA_WHEN_LEN, key))
        return XA_OK;
    rc = xa_lmdb_get(txn, XA_LMDB_TOKENS, xa_slice_of_key(key), &record, err);
    if (rc != XA_OK && rc != XA_E_NOTFOUND)
        return rc;
    if (rc == XA_OK)
        rc = xa_token_decode(record.data, record.len, &token, err);
    if (rc == XA_E_NOMEM)
        return rc;
    *out = rc == XA_OK || rc == XA_E_NOTFOUND;
    return XA_OK;
}

/* A name that is too short to hold a time is never due for being later. */
static bool
is_later(struct xa_slice name, int64_t now_us)
{
    return now_us < 0 || (name.len >= XA_WHEN_LEN &&
                          xa_when_of_name(name) > (uint64_t)now_us);
}

static enum xa_rc
collect(struct xa_lmdb *lmdb, int64_t now_us, uint32_t max, struct due *due,
        struct xa_err *err)
{
    XA_AUTO(xa_lmdb_end) struct xa_lmdb_txn txn = XA_LMDB_NO_TXN;
    XA_AUTO(xa_lmdb_cursor_done)
    struct xa_lmdb_cursor cursor = XA_LMDB_NO_CURSOR;
    enum xa_rc rc;

    rc = xa_lmdb_begin_read(lmdb, &txn, err);
    if (rc != XA_OK)
        return rc;
    rc = xa_lmdb_seek(&txn, XA_LMDB_SCHEDULE, XA_SLICE("", 0), &cursor, err);
    for (; rc == XA_OK && !cursor.end && !is_later(cursor.key, now_us);
         rc = xa_lmdb_next(&cursor, err)) {
        struct xa_key key;
        bool usable;

        rc = is_usable(&txn, cursor.key, &key, &usable, err);
        if (rc != XA_OK)
            return rc;
        if (!usable) {
            due->skipped++;
            if (key.text[0])
                xa_key_shown(&key, due->example);
            continue;
        }
        if (due->count == max) {
            due->more = true;
            break;
        }
        due->entries[due->count].when = xa_when_of_name(cursor.key);
        due->entries[due->count++].key = key;
    }
    return rc;
}

/*
 * The record is the truth, its schedule only says when to look: a token that
 * lives longer gets a new schedule, and a schedule without a token goes.
 */
static enum xa_rc
expire_one(const struct xa_lmdb_txn *txn, const struct xa_key *key,
           uint64_t when, int64_t now_us, struct xa_expired *done,
           struct xa_err *err)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    struct xa_entry_name name;
    enum xa_rc rc;

    xa_schedule_name((int64_t)when, key, &name);
    rc = xa_lmdb_get_token(txn, key, &token, err);
    if (rc == XA_E_NOTFOUND)
        return xa_lmdb_delete(txn, XA_LMDB_SCHEDULE, xa_slice_of_name(&name),
                              err);
    if (rc != XA_OK)
        return rc;
    rc = xa_lmdb_delete(txn, XA_LMDB_SCHEDULE, xa_slice_of_name(&name), err);
    if (rc != XA_OK)
        return rc;
    if (!xa_token_is_expired(token, now_us))
        return xa_lmdb_put_index(txn, key, token, err);
    rc = xa_lmdb_delete_index(txn, key, token, err);
    if (rc == XA_OK)
        rc = xa_lmdb_delete(txn, XA_LMDB_TOKENS, xa_slice_of_key(key), err);
    if (rc != XA_OK)
        return rc;
    if (done->removed++ == 0 || xa_token_expires_us(token) < done->oldest_us)
        done->oldest_us = xa_token_expires_us(token);
    return XA_OK;
}

static enum xa_rc
expire_some(struct xa_lmdb *lmdb, const struct due *due, size_t count,
            int64_t now_us, struct xa_expired *done, struct xa_err *err)
{
    XA_AUTO(xa_lmdb_end) struct xa_lmdb_txn txn = XA_LMDB_NO_TXN;
    enum xa_rc rc;

    rc = xa_lmdb_begin_write(lmdb, &txn, err);
    for (size_t i = 0; rc == XA_OK && i < count; i++)
        rc = expire_one(&txn, &due->entries[i].key, due->entries[i].when,
                        now_us, done, err);
    if (rc == XA_OK)
        rc = xa_lmdb_commit(&txn, err);
    return rc;
}

enum xa_rc
xa_store_lmdb_expire(struct xa_store *store, int64_t now_us, uint32_t max,
                     struct xa_expired *out, struct xa_err *err)
{
    struct xa_lmdb *lmdb = ((struct xa_store_lmdb *)store)->lmdb;
    XA_AUTO(free_due) struct due due = {0};
    struct xa_expired done;
    size_t count;
    enum xa_rc rc;

    if (!lmdb)
        return xa_fail(err, XA_E_STORE, "there is no store yet");
    max = max < BATCH_MAX ? max : BATCH_MAX;
    due.entries = calloc(max > 0 ? max : 1, sizeof due.entries[0]);
    if (!due.entries)
        return xa_fail_nomem(err);
    rc = xa_lmdb_follow(lmdb, err);
    if (rc != XA_OK)
        return rc;
    xa_lmdb_clear_readers(lmdb);
    rc = collect(lmdb, now_us, max, &due, err);
    if (rc != XA_OK)
        return rc;

    count = due.count;
    do {
        done = (struct xa_expired){.skipped = due.skipped};
        memcpy(done.example, due.example, sizeof done.example);
        rc = count > 0 ? expire_some(lmdb, &due, count, now_us, &done, err)
                       : XA_OK;
    } while (rc != XA_OK && xa_lmdb_find_room(lmdb, &count));
    if (rc != XA_OK)
        return rc;
    done.more = due.more || count < due.count;
    *out = done;
    return XA_OK;
}
