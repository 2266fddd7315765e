/* lmdb_txn.c - transactions of LMDB and the entries in them. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <sys/statvfs.h>

#include <lmdb.h>

#include "core/token/lmdb_inside.h"

static const struct {
    int mdb;
    enum xa_rc rc;
    const char *text;
} causes[] = {
    {MDB_MAP_FULL, XA_E_STORE, "store is full (store.lmdb.max_size)"},
    {MDB_READERS_FULL, XA_E_STORE, "too many processes have it open"},
    {MDB_PANIC, XA_E_STORE, "a write failed half-way; it must be reopened"},
    {MDB_CORRUPTED, XA_E_STORE, "data.mdb is damaged"},
    {MDB_PAGE_NOTFOUND, XA_E_STORE, "data.mdb is damaged: a page is missing"},
    {MDB_INVALID, XA_E_CONFIG, "data.mdb or lock.mdb is no file of LMDB"},
    {MDB_VERSION_MISMATCH, XA_E_CONFIG,
     "data.mdb or lock.mdb belongs to another version of LMDB"},
    {MDB_INCOMPATIBLE, XA_E_CONFIG, "data.mdb is not a store of xivo-auth"},
    {MDB_MAP_RESIZED, XA_E_STORE, "its map grew while it was read"},
    {ENOMEM, XA_E_NOMEM, "out of memory"},
};

/* LMDB calls a write that was cut short by a full disk an I/O error. */
static int
name_full_disk(const char *folder, int mdb)
{
    struct statvfs space;

    if (mdb == EIO && statvfs(folder, &space) == 0 && space.f_bavail < 16)
        return ENOSPC;
    return mdb;
}

enum xa_rc
xa_lmdb_fail(struct xa_lmdb *lmdb, int mdb, const char *doing,
             struct xa_err *err)
{
    const char *folder = lmdb->setup.folder;

    lmdb->full = mdb == MDB_MAP_FULL;
    mdb = name_full_disk(folder, mdb);
    for (size_t i = 0; i < XA_COUNT(causes); i++)
        if (causes[i].mdb == mdb)
            return xa_fail(err, causes[i].rc, "%s: cannot %s: %s", folder,
                           doing, causes[i].text);
    return xa_fail(err, XA_E_STORE, "%s: cannot %s: %s", folder, doing,
                   mdb_strerror(mdb));
}

static int
try_begin(struct xa_lmdb *lmdb, unsigned flags, MDB_txn **out)
{
    if (flags != MDB_RDONLY || !lmdb->reader || lmdb->reading > 0)
        return mdb_txn_begin(lmdb->env, NULL, flags, out);
    *out = lmdb->reader;
    return mdb_txn_renew(lmdb->reader);
}

/* Begin, and where that fails for a reason that we can mend, mend it. */
static enum xa_rc
begin(struct xa_lmdb *lmdb, unsigned flags, struct xa_lmdb_txn *out,
      struct xa_err *err)
{
    MDB_txn *txn = NULL;
    enum xa_rc rc = XA_OK;
    int mdb;

    if (!lmdb->env)
        rc = xa_lmdb_reopen(lmdb, err);
    if (rc != XA_OK)
        return rc;
    mdb = try_begin(lmdb, flags, &txn);
    if (mdb == MDB_READERS_FULL) {
        xa_lmdb_clear_readers(lmdb);
        mdb = try_begin(lmdb, flags, &txn);
    } else if (mdb == MDB_MAP_RESIZED && lmdb->reading == 0) {
        mdb = xa_lmdb_set_map_size(lmdb, 0); /* another one wrote beyond it */
        if (mdb == 0)
            mdb = try_begin(lmdb, flags, &txn);
    } else if (mdb == MDB_PANIC && lmdb->reading == 0) {
        rc = xa_lmdb_reopen(lmdb, err);
        if (rc != XA_OK)
            return rc;
        mdb = try_begin(lmdb, flags, &txn);
    }
    if (mdb != 0)
        return xa_lmdb_fail(lmdb, mdb, flags == MDB_RDONLY ? "read" : "write",
                            err);
    *out = (struct xa_lmdb_txn){
        .lmdb = lmdb, .mdb = txn, .writes = flags != MDB_RDONLY};
    return XA_OK;
}

enum xa_rc
xa_lmdb_begin_read(struct xa_lmdb *lmdb, struct xa_lmdb_txn *out,
                   struct xa_err *err)
{
    enum xa_rc rc = begin(lmdb, MDB_RDONLY, out, err);

    if (rc == XA_OK)
        lmdb->reading++;
    return rc;
}

/* Stops wait; what the mask was goes to before. */
static void
hold_stops(sigset_t *before)
{
    sigset_t stops;

    sigemptyset(&stops);
    sigaddset(&stops, SIGTSTP);
    sigaddset(&stops, SIGTTIN);
    sigaddset(&stops, SIGTTOU);
    sigprocmask(SIG_BLOCK, &stops, before);
}

enum xa_rc
xa_lmdb_begin_write(struct xa_lmdb *lmdb, struct xa_lmdb_txn *out,
                    struct xa_err *err)
{
    sigset_t before;
    enum xa_rc rc;

    lmdb->full = false;
    hold_stops(&before);
    rc = begin(lmdb, 0, out, err);
    if (rc == XA_OK)
        out->before = before;
    else
        sigprocmask(SIG_SETMASK, &before, NULL);
    return rc;
}

enum xa_rc
xa_lmdb_commit(struct xa_lmdb_txn *txn, struct xa_err *err)
{
    struct xa_lmdb *lmdb = txn->lmdb;
    int mdb;

    if (!txn->writes) {
        if (txn->mdb == lmdb->reader)
            lmdb->reader = NULL;
        lmdb->reading--;
    }
    mdb = mdb_txn_commit(XA_TAKE(txn->mdb)); /* frees it in any case */
    if (txn->writes)
        sigprocmask(SIG_SETMASK, &txn->before, NULL);
    return mdb == 0 ? XA_OK : xa_lmdb_fail(lmdb, mdb, "commit", err);
}

void
xa_lmdb_end(struct xa_lmdb_txn *txn)
{
    struct xa_lmdb *lmdb = txn->lmdb;
    MDB_txn *mdb = XA_TAKE(txn->mdb);

    if (!mdb)
        return;
    if (txn->writes) {
        mdb_txn_abort(mdb);
        sigprocmask(SIG_SETMASK, &txn->before, NULL);
        return;
    }
    lmdb->reading--;
    if (!lmdb->reader)
        lmdb->reader = mdb;
    if (mdb == lmdb->reader)
        mdb_txn_reset(mdb);
    else
        mdb_txn_abort(mdb);
}

static MDB_val
to_val(struct xa_slice slice)
{
    /* LMDB writes to neither, though its type does not say so. */
    return (MDB_val){.mv_size = slice.len, .mv_data = (void *)slice.data};
}

static struct xa_slice
to_slice(const MDB_val *val)
{
    return (struct xa_slice){.data = val->mv_data, .len = val->mv_size};
}

enum xa_rc
xa_lmdb_get(const struct xa_lmdb_txn *txn, enum xa_lmdb_db db,
            struct xa_slice key, struct xa_slice *out, struct xa_err *err)
{
    struct xa_lmdb *lmdb = txn->lmdb;
    MDB_val name = to_val(key);
    MDB_val value;
    int mdb;

    mdb = mdb_get(txn->mdb, lmdb->dbs[db], &name, &value);
    if (mdb == MDB_NOTFOUND)
        return xa_fail(err, XA_E_NOTFOUND, "no such entry");
    if (mdb != 0)
        return xa_lmdb_fail(lmdb, mdb, "read", err);
    *out = to_slice(&value);
    return XA_OK;
}

enum xa_rc
xa_lmdb_put(const struct xa_lmdb_txn *txn, enum xa_lmdb_db db,
            struct xa_slice key, struct xa_slice value, struct xa_err *err)
{
    struct xa_lmdb *lmdb = txn->lmdb;
    MDB_val name = to_val(key);
    MDB_val data = to_val(value);
    int mdb = mdb_put(txn->mdb, lmdb->dbs[db], &name, &data, 0);

    return mdb == 0 ? XA_OK : xa_lmdb_fail(lmdb, mdb, "write", err);
}

enum xa_rc
xa_lmdb_delete(const struct xa_lmdb_txn *txn, enum xa_lmdb_db db,
               struct xa_slice key, struct xa_err *err)
{
    struct xa_lmdb *lmdb = txn->lmdb;
    MDB_val name = to_val(key);
    int mdb = mdb_del(txn->mdb, lmdb->dbs[db], &name, NULL);

    if (mdb == 0 || mdb == MDB_NOTFOUND)
        return XA_OK;
    return xa_lmdb_fail(lmdb, mdb, "remove", err);
}

static enum xa_rc
move(struct xa_lmdb_cursor *cursor, MDB_val key, MDB_cursor_op op,
     struct xa_err *err)
{
    MDB_val value = {0};
    int mdb = mdb_cursor_get(cursor->mdb, &key, &value, op);

    cursor->end = mdb == MDB_NOTFOUND;
    if (mdb != 0 && !cursor->end)
        return xa_lmdb_fail(cursor->lmdb, mdb, "read", err);
    cursor->key = to_slice(&key);
    cursor->value = to_slice(&value);
    return XA_OK;
}

enum xa_rc
xa_lmdb_seek(const struct xa_lmdb_txn *txn, enum xa_lmdb_db db,
             struct xa_slice from, struct xa_lmdb_cursor *out,
             struct xa_err *err)
{
    struct xa_lmdb *lmdb = txn->lmdb;
    int mdb;

    mdb = mdb_cursor_open(txn->mdb, lmdb->dbs[db], &out->mdb);
    if (mdb != 0)
        return xa_lmdb_fail(lmdb, mdb, "read", err);
    out->lmdb = lmdb;
    /* An empty key is none to LMDB. */
    return move(out, to_val(from), from.len > 0 ? MDB_SET_RANGE : MDB_FIRST,
                err);
}

enum xa_rc
xa_lmdb_next(struct xa_lmdb_cursor *cursor, struct xa_err *err)
{
    return move(cursor, (MDB_val){0}, MDB_NEXT, err);
}

void
xa_lmdb_cursor_done(struct xa_lmdb_cursor *cursor)
{
    if (cursor->mdb)
        mdb_cursor_close(cursor->mdb);
    cursor->mdb = NULL;
}
