/* lmdb_env.c - open an LMDB environment, and the room in it. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/lmdb_env.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <lmdb.h>

#include "core/token/lmdb_inside.h"

#define FORMAT 1 /* of what the databases hold */
#define FORMAT_KEY XA_SLICE("format", 6)

/* Removing must always find room: it copies the pages that it changes. */
#define RESERVE_PAGES 64
#define RESERVE_PART 50    /* a fiftieth: 2 % */
#define PAGES_PER_WRITE 40 /* one create takes at most, with a long record */

#define MAPS_LINE_MAX 4352 /* bytes: a path, and what stands before it */

static const char *const db_names[XA_LMDB_DBS] = {
    [XA_LMDB_TOKENS] = "tokens",
    [XA_LMDB_SCHEDULE] = "schedule",
    [XA_LMDB_SUBJECTS] = "subjects",
    [XA_LMDB_META] = "meta",
};

static uint32_t
get_u32(const void *bytes)
{
    const unsigned char *b = bytes;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
           b[3];
}

/* --- the databases inside --- */

static int
open_dbs(struct xa_lmdb *lmdb, MDB_txn *txn, unsigned flags)
{
    int rc = 0;

    for (int i = 0; rc == 0 && i < XA_LMDB_DBS; i++)
        rc = mdb_dbi_open(txn, db_names[i], flags, &lmdb->dbs[i]);
    return rc;
}

static enum xa_rc
check_format(struct xa_lmdb *lmdb, const struct xa_lmdb_txn *txn,
             struct xa_err *err)
{
    const char *folder = lmdb->setup.folder;
    struct xa_slice value;
    enum xa_rc rc;
    uint32_t format;

    rc = xa_lmdb_get(txn, XA_LMDB_META, FORMAT_KEY, &value, err);
    if (rc == XA_E_NOTFOUND || (rc == XA_OK && value.len != sizeof format))
        return xa_fail(err, XA_E_CONFIG, "%s: not a store of xivo-auth",
                       folder);
    if (rc != XA_OK)
        return rc;
    format = get_u32(value.data);
    if (format > FORMAT)
        return xa_fail(err, XA_E_CONFIG,
                       "%s: a newer xivo-auth wrote it (format %u, known up to "
                       "%d); nothing was changed",
                       folder, format, FORMAT);
    return XA_OK;
}

/* What is at most one page of file deep: nothing was ever put in. */
static bool
is_empty(MDB_txn *txn)
{
    MDB_stat stat;
    MDB_dbi root;

    return mdb_dbi_open(txn, NULL, 0, &root) == 0 &&
           mdb_stat(txn, root, &stat) == 0 && stat.ms_entries == 0;
}

static enum xa_rc
make_dbs(struct xa_lmdb *lmdb, struct xa_err *err)
{
    XA_AUTO(xa_lmdb_end) struct xa_lmdb_txn txn = XA_LMDB_NO_TXN;
    const unsigned char format[4] = {0, 0, 0, FORMAT};
    enum xa_rc rc;
    int mdb;

    rc = xa_lmdb_begin_write(lmdb, &txn, err);
    if (rc != XA_OK)
        return rc;
    mdb = open_dbs(lmdb, txn.mdb, MDB_CREATE);
    if (mdb != 0)
        return xa_lmdb_fail(lmdb, mdb, "make a store", err);
    rc = xa_lmdb_put(&txn, XA_LMDB_META, FORMAT_KEY,
                     XA_SLICE(format, sizeof format), err);
    if (rc != XA_OK)
        return rc;
    return xa_lmdb_commit(&txn, err);
}

/* XA_E_NOTFOUND: LMDB's file is there, and empty. */
static enum xa_rc
find_dbs(struct xa_lmdb *lmdb, struct xa_err *err)
{
    XA_AUTO(xa_lmdb_end) struct xa_lmdb_txn txn = XA_LMDB_NO_TXN;
    enum xa_rc rc;
    int mdb;

    rc = xa_lmdb_begin_read(lmdb, &txn, err);
    if (rc != XA_OK)
        return rc;
    mdb = open_dbs(lmdb, txn.mdb, 0);
    if (mdb == MDB_NOTFOUND && is_empty(txn.mdb))
        return xa_fail(err, XA_E_NOTFOUND, "%s: no store yet",
                       lmdb->setup.folder);
    if (mdb == MDB_NOTFOUND)
        mdb = MDB_INCOMPATIBLE;
    if (mdb != 0)
        return xa_lmdb_fail(lmdb, mdb, "open", err);
    rc = check_format(lmdb, &txn, err);
    if (rc != XA_OK)
        return rc;
    return xa_lmdb_commit(&txn, err); /* keeps the handles */
}

/* --- opening --- */

static size_t
reserve_of(size_t pages)
{
    size_t part = pages / RESERVE_PART;

    return part > RESERVE_PAGES ? part : RESERVE_PAGES;
}

/* Whether the map is smaller than removing wants it, which may be larger than
 * max_size: that limits issuing, never removing. */
static bool
is_narrow(const struct xa_lmdb *lmdb, size_t *out_bytes)
{
    MDB_envinfo info;
    size_t used;

    mdb_env_info(lmdb->env, &info);
    used = info.me_last_pgno + 1;
    *out_bytes = (used + reserve_of(used)) * lmdb->page_size;
    return *out_bytes > info.me_mapsize;
}

/*
 * A file that was cut short is as long again as the map that LMDB reads, with
 * holes: a page in a hole is told as damage, where a page behind the end of
 * the file would end the process with SIGBUS.  fallocate() never shortens, so
 * another process may write meanwhile.
 */
static int
mend_length(struct xa_lmdb *lmdb)
{
    MDB_envinfo info;
    struct stat st;
    off_t need;
    int fd;

    mdb_env_info(lmdb->env, &info);
    need = (off_t)((info.me_last_pgno + 1) * lmdb->page_size);
    if (mdb_env_get_fd(lmdb->env, &fd) != 0 || fstat(fd, &st) != 0 ||
        st.st_size >= need)
        return 0;
    if (fallocate(fd, 0, need - 1, 1) == 0 || errno == EOPNOTSUPP)
        return 0;
    return errno;
}

static int
take_page_size(struct xa_lmdb *lmdb)
{
    MDB_stat stat;
    int mdb = mdb_env_stat(lmdb->env, &stat);

    if (mdb == 0)
        lmdb->page_size = stat.ms_psize;
    return mdb;
}

/* Room for removing, and some more for what others took of it. */
static void
set_map_max(struct xa_lmdb *lmdb)
{
    MDB_envinfo info;
    size_t pages;

    mdb_env_info(lmdb->env, &info);
    pages = info.me_mapsize / lmdb->page_size;
    lmdb->map_max = (pages + 2 * reserve_of(pages)) * lmdb->page_size;
}

static enum xa_rc
open_env(struct xa_lmdb *lmdb, struct xa_err *err)
{
    const struct xa_lmdb_setup *setup = &lmdb->setup;
    unsigned flags = MDB_NOTLS | MDB_NORDAHEAD | (setup->sync ? 0 : MDB_NOSYNC);
    size_t map_size = (size_t)setup->max_size / 65536 * 65536; /* any page */
    size_t bytes;
    int mdb;

    mdb = mdb_env_create(&lmdb->env);
    if (mdb == 0)
        mdb = mdb_env_set_maxdbs(lmdb->env, XA_LMDB_DBS);
    if (mdb == 0)
        mdb = mdb_env_set_maxreaders(lmdb->env, XA_LMDB_READERS);
    if (mdb == 0)
        mdb = mdb_env_set_mapsize(lmdb->env, map_size);
    if (mdb == 0)
        mdb = mdb_env_open(lmdb->env, setup->folder, flags, 0660);
    if (mdb == 0)
        mdb = take_page_size(lmdb);
    if (mdb == 0 && is_narrow(lmdb, &bytes))
        mdb = mdb_env_set_mapsize(lmdb->env, bytes);
    if (mdb == 0)
        set_map_max(lmdb);
    if (mdb == 0)
        mdb = mend_length(lmdb);
    if (mdb == ENOMEM) /* of address space, not of ours */
        return xa_fail(err, XA_E_STORE,
                       "%s: no address space for store.lmdb.max_size (%zu)",
                       setup->folder, map_size);
    return mdb == 0 ? XA_OK : xa_lmdb_fail(lmdb, mdb, "open", err);
}

static void
close_env(struct xa_lmdb *lmdb)
{
    if (lmdb->reader)
        mdb_txn_abort(lmdb->reader);
    if (lmdb->env)
        mdb_env_close(lmdb->env);
    lmdb->reader = NULL;
    lmdb->env = NULL;
    lmdb->counted = false;
}

/* LMDB gives the old map up before it asks for a new one. */
int
xa_lmdb_set_map_size(struct xa_lmdb *lmdb, size_t bytes)
{
    int mdb;

    if (lmdb->reader)
        mdb_txn_abort(lmdb->reader);
    lmdb->reader = NULL;
    mdb = mdb_env_set_mapsize(lmdb->env, bytes);
    if (mdb != 0)
        close_env(lmdb);
    return mdb;
}

/* The whole way in, with everybody else kept out of the folder. */
static enum xa_rc
open_all(struct xa_lmdb *lmdb, struct xa_err *err)
{
    const struct xa_lmdb_setup *setup = &lmdb->setup;
    XA_AUTO(xa_fd_close) int folder_fd = -1;
    enum xa_rc rc;

    rc = xa_lmdb_folder_enter(setup->folder, &folder_fd, err);
    if (rc == XA_OK && !setup->create)
        rc = xa_lmdb_folder_probe(folder_fd, setup->folder, err);
    if (rc == XA_OK)
        rc = xa_lmdb_folder_prepare(folder_fd, setup->folder, err);
    if (rc == XA_OK)
        rc = open_env(lmdb, err);
    if (rc != XA_OK)
        return rc;
    if (!xa_lmdb_folder_files(setup->folder, &lmdb->files))
        return xa_fail(err, XA_E_STORE, "%s: its files are gone",
                       setup->folder);
    xa_lmdb_clear_readers(lmdb);
    rc = find_dbs(lmdb, err);
    if (rc == XA_E_NOTFOUND && setup->create)
        rc = make_dbs(lmdb, err);
    return rc;
}

enum xa_rc
xa_lmdb_open(const struct xa_lmdb_setup *setup, struct xa_lmdb **out,
             struct xa_err *err)
{
    XA_AUTO(xa_lmdb_close) struct xa_lmdb *lmdb = NULL;
    enum xa_rc rc;

    if (setup->max_size > SIZE_MAX / 2)
        return xa_fail(err, XA_E_CONFIG,
                       "store.lmdb.max_size: this machine maps at most %zu",
                       SIZE_MAX / 2);
    lmdb = calloc(1, sizeof *lmdb);
    if (!lmdb)
        return xa_fail_nomem(err);
    lmdb->setup = *setup;
    rc = open_all(lmdb, err);
    if (rc != XA_OK)
        return rc;
    /* A folder that is empty later was unmounted or emptied: a new store there
     * would call every token unknown, and a revoked one done with. */
    lmdb->setup.create = false;
    *out = XA_TAKE(lmdb);
    return XA_OK;
}

void
xa_lmdb_close(struct xa_lmdb **lmdb)
{
    if (*lmdb)
        close_env(*lmdb);
    free(*lmdb);
    *lmdb = NULL;
}

enum xa_rc
xa_lmdb_reopen(struct xa_lmdb *lmdb, struct xa_err *err)
{
    enum xa_rc rc;

    close_env(lmdb);
    rc = open_all(lmdb, err);
    if (rc == XA_E_NOTFOUND)
        rc = xa_fail(err, XA_E_STORE, "%s: the store was taken away; a new start makes another",
                     lmdb->setup.folder);
    if (rc != XA_OK)
        close_env(lmdb);
    return rc;
}

enum xa_rc
xa_lmdb_follow(struct xa_lmdb *lmdb, struct xa_err *err)
{
    struct xa_lmdb_files now;

    if (lmdb->env && xa_lmdb_folder_files(lmdb->setup.folder, &now) &&
        now.dev == lmdb->files.dev && now.data == lmdb->files.data &&
        now.lock == lmdb->files.lock)
        return XA_OK;
    if (lmdb->reading > 0)
        return xa_fail(err, XA_E_STORE, "%s: its files were replaced",
                       lmdb->setup.folder);
    return xa_lmdb_reopen(lmdb, err);
}

enum xa_rc
xa_lmdb_check(struct xa_lmdb *lmdb, struct xa_err *err)
{
    XA_AUTO(xa_lmdb_end) struct xa_lmdb_txn txn = XA_LMDB_NO_TXN;
    enum xa_rc rc;

    rc = xa_lmdb_begin_read(lmdb, &txn, err);
    return rc == XA_OK ? check_format(lmdb, &txn, err) : rc;
}

void
xa_lmdb_clear_readers(struct xa_lmdb *lmdb)
{
    int dead;

    mdb_reader_check(lmdb->env, &dead);
}

/* --- room --- */

/* LMDB keeps lists of free pages in database 0; each begins with its length,
 * and only a reader may look. */
static enum xa_rc
count_free(struct xa_lmdb *lmdb, struct xa_err *err)
{
    XA_AUTO(xa_lmdb_end) struct xa_lmdb_txn txn = XA_LMDB_NO_TXN;
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val list;
    size_t total = 0;
    enum xa_rc rc;
    int mdb;

    rc = xa_lmdb_begin_read(lmdb, &txn, err);
    if (rc != XA_OK)
        return rc;
    mdb = mdb_cursor_open(txn.mdb, 0, &cursor);
    if (mdb != 0)
        return xa_lmdb_fail(lmdb, mdb, "count free pages", err);
    while ((mdb = mdb_cursor_get(cursor, &key, &list, MDB_NEXT)) == 0) {
        size_t pages;

        memcpy(&pages, list.mv_data, sizeof pages);
        total += pages;
    }
    mdb_cursor_close(cursor);
    if (mdb != MDB_NOTFOUND)
        return xa_lmdb_fail(lmdb, mdb, "count free pages", err);
    lmdb->counted_txn = mdb_txn_id(txn.mdb);
    lmdb->counted_free = total;
    lmdb->counted = true;
    return XA_OK;
}

enum xa_rc
xa_lmdb_require_room(struct xa_lmdb *lmdb, struct xa_err *err)
{
    size_t limit = (size_t)lmdb->setup.max_size / lmdb->page_size;
    size_t reserve = reserve_of(limit);
    MDB_envinfo info;
    size_t used;
    size_t spent;
    enum xa_rc rc;

    mdb_env_info(lmdb->env, &info);
    used = info.me_last_pgno + 1;
    if (used + reserve <= limit)
        return XA_OK;
    if (lmdb->counted) {
        spent = (info.me_last_txnid - lmdb->counted_txn) * PAGES_PER_WRITE;
        if (used + reserve + spent <= limit + lmdb->counted_free)
            return XA_OK; /* even if each commit since then took the most */
    }
    if (!lmdb->counted || info.me_last_txnid != lmdb->counted_txn) {
        rc = count_free(lmdb, err);
        if (rc != XA_OK)
            return rc;
    }
    if (used + reserve <= limit + lmdb->counted_free)
        return XA_OK;
    return xa_lmdb_fail(lmdb, MDB_MAP_FULL, "write", err);
}

/*
 * A change copies pages, and what it frees can be used by the next but one at
 * the earliest, so that one which took nearly all would leave the next nothing.
 */
bool
xa_lmdb_find_room(struct xa_lmdb *lmdb, size_t *count)
{
    size_t bytes;

    if (!lmdb->full || lmdb->reading > 0)
        return false;
    if (*count > 1) {
        *count /= 2;
        return true;
    }
    return is_narrow(lmdb, &bytes) && bytes <= lmdb->map_max &&
           xa_lmdb_set_map_size(lmdb, bytes) == 0;
}

/*
 * Where the file is mapped; LMDB does not tell.  A mapping that is shared and
 * only read loses nothing when its pages go, so even a wrong one would do.
 */
static void *
find_map(ino_t inode, size_t size)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[MAPS_LINE_MAX];
    void *found = NULL;

    while (maps && !found && fgets(line, sizeof line, maps)) {
        unsigned long long begin;
        unsigned long long end;
        unsigned long long number;

        if (sscanf(line, "%llx-%llx r--s 00000000 %*s %llu", &begin, &end,
                   &number) == 3 &&
            number == inode && end - begin == size)
            found = (void *)(uintptr_t)begin;
    }
    if (maps)
        fclose(maps);
    return found;
}

void
xa_lmdb_relax(struct xa_lmdb *lmdb)
{
    MDB_envinfo info;
    struct stat st;
    void *map;
    int fd;

    mdb_env_info(lmdb->env, &info);
    if (mdb_env_get_fd(lmdb->env, &fd) != 0 || fstat(fd, &st) != 0)
        return;
    map = find_map(st.st_ino, info.me_mapsize);
    if (map)
        madvise(map, info.me_mapsize, MADV_DONTNEED);
}
