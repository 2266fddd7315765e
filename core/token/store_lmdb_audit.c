/* store_lmdb_audit.c - the embedded store: do its parts fit together? SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/token/store_lmdb.h"

#define PAGE 256 /* entries looked at in one transaction */

/* A name copied out of a database, so that this may be written meanwhile. */
struct name {
    unsigned char bytes[XA_LMDB_KEY_MAX];
    size_t len;
};

struct audit {
    struct xa_lmdb *lmdb;
    bool repair;
    struct xa_audit found;
    uint64_t done;

    enum xa_lmdb_db db; /* what is walked over now */
    struct name *names; /* owned; PAGE of them */
    size_t count;
    struct name last; /* behind which the next page begins */
    bool end;         /* nothing is behind it */
};

/* Look at one entry and count it; mend it if that is wanted. */
typedef enum xa_rc judge_fn(struct audit *audit, const struct xa_lmdb_txn *txn,
                            struct xa_slice name, struct xa_err *err);

static void
audit_done(struct audit *audit)
{
    free(audit->names);
    audit->names = NULL;
}

static struct xa_slice
slice_of(const struct name *name)
{
    return XA_SLICE(name->bytes, name->len);
}

static bool
same(struct xa_slice a, struct xa_slice b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static enum xa_rc
take_page(struct audit *audit, const struct xa_lmdb_txn *txn,
          struct xa_err *err)
{
    XA_AUTO(xa_lmdb_cursor_done)
    struct xa_lmdb_cursor cursor = XA_LMDB_NO_CURSOR;
    struct name *name;
    enum xa_rc rc;

    audit->count = 0;
    rc = xa_lmdb_seek(txn, audit->db, slice_of(&audit->last), &cursor, err);
    if (rc == XA_OK && !cursor.end && same(cursor.key, slice_of(&audit->last)))
        rc = xa_lmdb_next(&cursor, err);
    while (rc == XA_OK && !cursor.end && audit->count < PAGE) {
        name = &audit->names[audit->count++];
        name->len = cursor.key.len;
        memcpy(name->bytes, cursor.key.data, cursor.key.len);
        audit->last = *name;
        rc = xa_lmdb_next(&cursor, err);
    }
    audit->end = cursor.end;
    return rc;
}

/* --- judges --- */

static enum xa_rc
look_for(const struct xa_lmdb_txn *txn, enum xa_lmdb_db db,
         const struct xa_entry_name *name, uint64_t *missing,
         struct xa_err *err)
{
    struct xa_slice value;
    enum xa_rc rc;

    rc = xa_lmdb_get(txn, db, xa_slice_of_name(name), &value, err);
    if (rc != XA_E_NOTFOUND)
        return rc;
    ++*missing;
    return XA_OK;
}

static enum xa_rc
judge_token(struct audit *audit, const struct xa_lmdb_txn *txn,
            struct xa_slice name, struct xa_err *err)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    uint64_t before = audit->found.unscheduled + audit->found.unlisted;
    struct xa_entry_name entry;
    struct xa_key key;
    enum xa_rc rc = XA_E_STORE;

    if (xa_key_of_name(name, 0, &key))
        rc = xa_lmdb_get_token(txn, &key, &token, err);
    if (rc == XA_E_NOMEM)
        return rc;
    if (rc != XA_OK) {
        audit->found.unreadable++;
        return XA_OK;
    }
    audit->found.tokens++;
    xa_schedule_name(xa_token_expires_us(token), &key, &entry);
    rc =
        look_for(txn, XA_LMDB_SCHEDULE, &entry, &audit->found.unscheduled, err);
    if (rc != XA_OK)
        return rc;
    xa_subject_name(xa_token_auth_id(token), &key, &entry);
    rc = look_for(txn, XA_LMDB_SUBJECTS, &entry, &audit->found.unlisted, err);
    if (rc != XA_OK || !audit->repair ||
        audit->found.unscheduled + audit->found.unlisted == before)
        return rc;
    return xa_lmdb_put_index(txn, &key, token, err);
}

/*
 * Whether an entry of an index fits the token that it names.  It is given
 * the benefit of the doubt when the record is there but cannot be read.
 */
static enum xa_rc
fits(const struct audit *audit, const struct xa_lmdb_txn *txn,
     struct xa_slice name, bool *out, struct xa_err *err)
{
    bool is_schedule = audit->db == XA_LMDB_SCHEDULE;
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    struct xa_entry_name right;
    struct xa_key key;
    enum xa_rc rc;

    *out = false;
    if (!xa_key_of_name(name, is_schedule ? XA_WHEN_LEN : XA_SUBJECT_LEN, &key))
        return XA_OK;
    rc = xa_lmdb_get_token(txn, &key, &token, err);
    if (rc == XA_E_NOMEM)
        return rc;
    *out = rc != XA_E_NOTFOUND;
    if (rc != XA_OK)
        return XA_OK;
    if (is_schedule)
        xa_schedule_name(xa_token_expires_us(token), &key, &right);
    else
        xa_subject_name(xa_token_auth_id(token), &key, &right);
    *out = same(name, xa_slice_of_name(&right));
    return XA_OK;
}

static enum xa_rc
judge_entry(struct audit *audit, const struct xa_lmdb_txn *txn,
            struct xa_slice name, struct xa_err *err)
{
    bool good;
    enum xa_rc rc = fits(audit, txn, name, &good, err);

    if (rc != XA_OK || good)
        return rc;
    if (audit->db == XA_LMDB_SCHEDULE)
        audit->found.stray_schedules++;
    else
        audit->found.stray_subjects++;
    return audit->repair ? xa_lmdb_delete(txn, audit->db, name, err) : XA_OK;
}

/* --- the walk --- */

/* One page in one transaction, so that what is compared is of one instant. */
static enum xa_rc
walk_page(struct audit *audit, judge_fn *judge, struct xa_err *err)
{
    XA_AUTO(xa_lmdb_end) struct xa_lmdb_txn txn = XA_LMDB_NO_TXN;
    struct xa_audit before = audit->found;
    enum xa_rc rc;

    rc = audit->repair ? xa_lmdb_begin_write(audit->lmdb, &txn, err)
                       : xa_lmdb_begin_read(audit->lmdb, &txn, err);
    if (rc == XA_OK)
        rc = take_page(audit, &txn, err);
    for (size_t i = 0; rc == XA_OK && i < audit->count; i++)
        rc = judge(audit, &txn, slice_of(&audit->names[i]), err);
    before.tokens = audit->found.tokens;
    if (rc == XA_OK && audit->repair &&
        memcmp(&before, &audit->found, sizeof before) != 0)
        rc = xa_lmdb_commit(&txn, err);
    return rc;
}

enum xa_rc
xa_store_lmdb_audit(struct xa_store *store, enum xa_audit_mode mode,
                    int64_t now_us XA_UNUSED, xa_audit_progress_fn *progress,
                    void *ctx, struct xa_audit *out, struct xa_err *err)
{
    static judge_fn *const judges[] = {
        [XA_LMDB_TOKENS] = judge_token,
        [XA_LMDB_SCHEDULE] = judge_entry,
        [XA_LMDB_SUBJECTS] = judge_entry,
    };
    XA_AUTO(audit_done)
    struct audit audit = {
        .lmdb = ((struct xa_store_lmdb *)store)->lmdb,
        .repair = mode != XA_AUDIT_LOOK,
    };
    size_t dbs = mode == XA_AUDIT_ADOPT ? XA_LMDB_TOKENS + 1 : XA_COUNT(judges);
    enum xa_rc rc = XA_OK;
    bool go_on = audit.lmdb != NULL; /* nothing is in what is not there */

    audit.names = calloc(PAGE, sizeof audit.names[0]);
    if (!audit.names)
        return xa_fail_nomem(err);
    for (size_t db = 0; go_on && db < dbs; db++) {
        audit.db = (enum xa_lmdb_db)db;
        audit.last.len = 0;
        audit.end = false;
        while (go_on && !audit.end) {
            rc = walk_page(&audit, judges[db], err);
            if (rc != XA_OK)
                return rc;
            audit.done += audit.count;
            go_on = !progress || progress(ctx, audit.done);
        }
    }
    *out = audit.found;
    return XA_OK;
}
