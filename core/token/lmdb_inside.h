/* lmdb_inside.h - what an environment is; for lmdb_*.c only. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TOKEN_LMDB_INSIDE_H
#define XA_TOKEN_LMDB_INSIDE_H

#include "core/token/lmdb_env.h"
#include "core/token/lmdb_folder.h"

struct xa_lmdb {
    struct xa_lmdb_setup setup;
    struct MDB_env *env;    /* NULL: it has to be opened anew */
    struct MDB_txn *reader; /* kept from read to read; NULL until the first */
    unsigned reading;       /* reads under way; only the first is `reader` */
    unsigned dbs[XA_LMDB_DBS];
    struct xa_lmdb_files files; /* that are open */
    bool full; /* the last write failed, and for that reason */
    size_t page_size;
    size_t map_max; /* bytes; removing widens the map to no more */
    bool counted;
    size_t counted_txn;  /* the commit after which counted_free held */
    size_t counted_free; /* pages that were used and are free again */
};

/* Note a failure of LMDB, `doing` being a verb, and give our code for it. */
enum xa_rc xa_lmdb_fail(struct xa_lmdb *lmdb, int mdb, const char *doing,
                        struct xa_err *err);

/* Map the file anew, with so many bytes; 0: as many as the file says.  Not
 * while anybody reads.  A code of LMDB; if it is none of success, there is no
 * environment, and the next transaction tries again. */
int xa_lmdb_set_map_size(struct xa_lmdb *lmdb, size_t bytes);

/* Close it and open what stands at the path now.  If that fails there is no
 * environment, and the next transaction tries again. */
XA_MUST_CHECK
enum xa_rc xa_lmdb_reopen(struct xa_lmdb *lmdb, struct xa_err *err);

#endif
