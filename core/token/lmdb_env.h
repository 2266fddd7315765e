/* lmdb_env.h - one LMDB environment: open, transactions, entries. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one place that knows LMDB; core/token/store_lmdb*.c stand on it.
 *
 * An environment is opened once per process, after the last fork(): LMDB
 * keeps its locks per process, and a second opening would lose them.
 */
#ifndef XA_TOKEN_LMDB_ENV_H
#define XA_TOKEN_LMDB_ENV_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

#define XA_LMDB_KEY_MAX 511 /* bytes of a key; LMDB's own limit */

/* The databases inside; lmdb_env.c has their names. */
enum xa_lmdb_db {
    XA_LMDB_TOKENS,   /* token key -> record */
    XA_LMDB_SCHEDULE, /* expiry in us, 8 bytes big-endian, token key -> "" */
    XA_LMDB_SUBJECTS, /* 16 bytes of SHA-256 of auth_id, token key -> "" */
    XA_LMDB_META,     /* "format" -> 4 bytes big-endian */
    XA_LMDB_DBS
};

struct xa_lmdb; /* opaque */

/* How to open; folder is borrowed until xa_lmdb_close(). */
struct xa_lmdb_setup {
    const char *folder;
    uint64_t max_size; /* bytes; the limit of issuing, and of the map unless
                          removing needs a little more */
    bool sync;         /* whether a commit reaches the disk */
    bool create;       /* make files and databases that are missing */
};

/*
 * XA_E_NOTFOUND: nothing there, and not to be made, but it could be.
 * XA_E_CONFIG: a newer format, not our store, no folder, a network file
 * system.  XA_E_STORE: folder missing, not allowed, disk full, damaged.
 */
XA_MUST_CHECK
enum xa_rc xa_lmdb_open(const struct xa_lmdb_setup *setup, struct xa_lmdb **out,
                        struct xa_err *err);
void xa_lmdb_close(struct xa_lmdb **lmdb);

/*
 * Give back the places of readers that died.  Until then the pages that they
 * could see are not used again.
 */
void xa_lmdb_clear_readers(struct xa_lmdb *lmdb);

/*
 * Whether the files at the path are still those that are open; if they were
 * taken away or replaced, what stands there now is opened instead.  Not
 * inside a transaction.
 */
XA_MUST_CHECK
enum xa_rc xa_lmdb_follow(struct xa_lmdb *lmdb, struct xa_err *err);

/* Read the format anew, all the way.  XA_E_CONFIG: it is a newer one now. */
XA_MUST_CHECK
enum xa_rc xa_lmdb_check(struct xa_lmdb *lmdb, struct xa_err *err);

/*
 * XA_E_STORE unless 64 pages and 2 % of the map are free, so that removing,
 * which needs a few pages too, always finds room.
 */
XA_MUST_CHECK
enum xa_rc xa_lmdb_require_room(struct xa_lmdb *lmdb, struct xa_err *err);

/*
 * After a removal of so many tokens failed: whether it is worth to try again,
 * with as many as *count says then.  If the store was full it is fewer, and
 * for a single one there is some room beyond max_size.  Not inside a
 * transaction.
 */
bool xa_lmdb_find_room(struct xa_lmdb *lmdb, size_t *count);

/*
 * Let go of the pages of the file that were looked at, which count as memory
 * of this process while they are mapped; they are read again when needed.
 * For whoever goes through all of the store.
 */
void xa_lmdb_relax(struct xa_lmdb *lmdb);

/* --- transactions --- */

/* Born XA_AUTO(xa_lmdb_end) with XA_LMDB_NO_TXN. */
struct xa_lmdb_txn {
    struct xa_lmdb *lmdb;
    struct MDB_txn *mdb; /* NULL: none */
    bool writes;
    sigset_t before; /* of one that writes: the signal mask without it */
};
#define XA_LMDB_NO_TXN {.mdb = NULL}

/* A view of one instant; takes no lock. */
XA_MUST_CHECK
enum xa_rc xa_lmdb_begin_read(struct xa_lmdb *lmdb, struct xa_lmdb_txn *out,
                              struct xa_err *err);

/* One writer at a time, over all processes.  Until it ends no key of a terminal
 * stops this process (SIGTSTP, SIGTTIN, SIGTTOU), or everybody would wait. */
XA_MUST_CHECK
enum xa_rc xa_lmdb_begin_write(struct xa_lmdb *lmdb, struct xa_lmdb_txn *out,
                               struct xa_err *err);

/* XA_OK: durable, if sync.  Otherwise nothing of it happened. */
XA_MUST_CHECK
enum xa_rc xa_lmdb_commit(struct xa_lmdb_txn *txn, struct xa_err *err);

/* End a read; undo a write that was not committed; nothing for none. */
void xa_lmdb_end(struct xa_lmdb_txn *txn);

/* --- entries --- */

/* Bytes that belong to somebody else. */
struct xa_slice {
    const void *data;
    size_t len;
};
#define XA_SLICE(bytes, length)                                                \
    ((struct xa_slice){.data = (bytes), .len = (length)})

/* XA_E_NOTFOUND: no such key.  The value is lent until the transaction ends
 * or writes. */
XA_MUST_CHECK
enum xa_rc xa_lmdb_get(const struct xa_lmdb_txn *txn, enum xa_lmdb_db db,
                       struct xa_slice key, struct xa_slice *out,
                       struct xa_err *err);

/* Write an entry; an old one with this key is replaced. */
XA_MUST_CHECK
enum xa_rc xa_lmdb_put(const struct xa_lmdb_txn *txn, enum xa_lmdb_db db,
                       struct xa_slice key, struct xa_slice value,
                       struct xa_err *err);

/* Remove an entry; XA_OK also when there is none. */
XA_MUST_CHECK
enum xa_rc xa_lmdb_delete(const struct xa_lmdb_txn *txn, enum xa_lmdb_db db,
                          struct xa_slice key, struct xa_err *err);

/* A walk in the order of keys, born XA_AUTO(xa_lmdb_cursor_done).  The
 * database that it walks over is not written meanwhile. */
struct xa_lmdb_cursor {
    struct xa_lmdb *lmdb;
    struct MDB_cursor *mdb;
    bool end;            /* nothing is left; key and value are void */
    struct xa_slice key; /* where it stands; lent like a value */
    struct xa_slice value;
};
#define XA_LMDB_NO_CURSOR {.mdb = NULL}

/* Stand on the first entry whose key is not below `from`. */
XA_MUST_CHECK
enum xa_rc xa_lmdb_seek(const struct xa_lmdb_txn *txn, enum xa_lmdb_db db,
                        struct xa_slice from, struct xa_lmdb_cursor *out,
                        struct xa_err *err);
XA_MUST_CHECK
enum xa_rc xa_lmdb_next(struct xa_lmdb_cursor *cursor, struct xa_err *err);
void xa_lmdb_cursor_done(struct xa_lmdb_cursor *cursor);

#endif
