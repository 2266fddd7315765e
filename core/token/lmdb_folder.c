/* lmdb_folder.c - the folder and the two files of an LMDB store. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/lmdb_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/support/lock.h"

#define DATA_FILE "data.mdb" /* LMDB gives the names */
#define LOCK_FILE "lock.mdb"
#define FILE_MODE 0660
#define HEADS_BYTES 8192  /* two pages of the smallest size: no data before */
#define FIRST_BYTES 65536 /* of a new data file: more than LMDB needs */
/* A reader takes a cache line; the head before them takes a few. */
#define LOCK_BYTES (XA_LMDB_READERS * 64 + 4096)

/* File systems whose files are not one shared memory for all hosts, or not
 * at all; the numbers are those of statfs(2). */
static const struct {
    unsigned type;
    const char *name;
} network[] = {
    {0x6969u, "NFS"},        {0x517bu, "SMB"},      {0xff534d42u, "CIFS"},
    {0xfe534d42u, "SMB2"},   {0x01021997u, "9P"},   {0x00c36400u, "Ceph"},
    {0x5346414fu, "AFS"},    {0x6b414653u, "AFS"},  {0x73757245u, "Coda"},
    {0x0bd00bd0u, "Lustre"}, {0x47504653u, "GPFS"}, {0x7461636fu, "OCFS2"},
};

static enum xa_rc
refuse_network(int fd, const char *folder, struct xa_err *err)
{
    struct statfs fs;

    if (fstatfs(fd, &fs) != 0)
        return xa_fail(err, XA_E_STORE, "%s: cannot ask the file system: %s",
                       folder, strerror(errno));
    for (size_t i = 0; i < XA_COUNT(network); i++)
        if ((unsigned)fs.f_type == network[i].type)
            return xa_fail(err, XA_E_CONFIG,
                           "store.lmdb.path: %s is on a network file system "
                           "(%s); this store needs a local one",
                           folder, network[i].name);
    return XA_OK;
}

static enum xa_rc
refuse_others(int fd, const char *folder, struct xa_err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return xa_fail(err, XA_E_STORE, "folder %s: %s", folder,
                       strerror(errno));
    if (st.st_mode & S_IWOTH)
        return xa_fail(err, XA_E_CONFIG,
                       "store.lmdb.path: others can write in %s (mode %04o)",
                       folder, st.st_mode & 07777u);
    return XA_OK;
}

enum xa_rc
xa_lmdb_folder_enter(const char *folder, int *out_fd, struct xa_err *err)
{
    XA_AUTO(xa_fd_close) int fd = -1;
    enum xa_rc rc;
    int failure;

    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOTDIR)
        return xa_fail(err, XA_E_CONFIG, "store.lmdb.path: %s is not a folder",
                       folder);
    if (fd < 0)
        return xa_fail(err, XA_E_STORE, "folder %s: %s", folder,
                       strerror(errno));
    rc = refuse_network(fd, folder, err);
    if (rc == XA_OK)
        rc = refuse_others(fd, folder, err);
    if (rc != XA_OK)
        return rc;
    failure = xa_lock_exclusive(fd, XA_LOCK_PATIENCE_MS);
    if (failure == EWOULDBLOCK)
        return xa_fail(err, XA_E_STORE, "%s: another process keeps it locked",
                       folder);
    if (failure != 0)
        return xa_fail(err, XA_E_STORE, "%s: cannot lock: %s", folder,
                       strerror(failure));
    *out_fd = fd;
    fd = -1; /* analyzer: read when it goes out of scope */
    return XA_OK;
}

/*
 * A file shorter than LMDB's first write: XA_OK if it holds nothing yet, for
 * it was cut off there.  What holds anything was a store once.
 */
static enum xa_rc
require_blank(int folder_fd, const char *folder, struct xa_err *err)
{
    XA_AUTO(xa_fd_close) int fd = -1;
    char head[HEADS_BYTES];
    ssize_t len;

    fd = openat(folder_fd, DATA_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    len = fd < 0 ? -1 : pread(fd, head, sizeof head, 0);
    if (len < 0)
        return xa_fail(err, XA_E_STORE, "cannot read %s/%s: %s", folder,
                       DATA_FILE, strerror(errno));
    for (ssize_t i = 0; i < len; i++)
        if (head[i] != '\0')
            return xa_fail(err, XA_E_CONFIG,
                           "%s/%s is damaged: cut off after %zd bytes; put a "
                           "copy in its place, or take it away",
                           folder, DATA_FILE, len);
    return XA_OK;
}

enum xa_rc
xa_lmdb_folder_probe(int fd, const char *folder, struct xa_err *err)
{
    struct statvfs space;
    struct stat st;
    enum xa_rc rc;

    if (fstatat(fd, DATA_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        if (st.st_size >= HEADS_BYTES || !S_ISREG(st.st_mode))
            return XA_OK; /* opening it tells more */
        rc = require_blank(fd, folder, err);
        if (rc != XA_OK)
            return rc;
    }
    if (faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) != 0)
        return xa_fail(err, XA_E_STORE, "folder %s is not writable: %s", folder,
                       strerror(errno));
    if (fstatvfs(fd, &space) == 0 &&
        space.f_bavail * space.f_frsize < FIRST_BYTES + LOCK_BYTES)
        return xa_fail(err, XA_E_STORE, "%s: %s", folder, strerror(ENOSPC));
    return xa_fail(err, XA_E_NOTFOUND, "%s: no store yet", folder);
}

/* What a new file gets: open to the group, and never root's own in somebody
 * else's folder, who could not open it then. */
static int
hand_over(int folder_fd, int fd)
{
    struct stat st;

    if (fchmod(fd, FILE_MODE) != 0 || fstat(folder_fd, &st) != 0)
        return -1;
    if (geteuid() == 0)
        return fchown(fd, st.st_uid, st.st_gid);
    /* The group of the folder, if it is one of ours. */
    return fchown(fd, (uid_t)-1, st.st_gid) != 0 && errno != EPERM ? -1 : 0;
}

/* Open a file of the store, and make it if it is missing. */
static enum xa_rc
open_file(int folder_fd, const char *folder, const char *name, int *out_fd,
          struct xa_err *err)
{
    const int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC;
    XA_AUTO(xa_fd_close) int fd = -1;

    fd = openat(folder_fd, name, flags | O_CREAT | O_EXCL, FILE_MODE);
    if (fd >= 0 && hand_over(folder_fd, fd) != 0)
        return xa_fail(err, XA_E_STORE, "%s/%s: cannot set owner and mode: %s",
                       folder, name, strerror(errno));
    if (fd < 0 && errno == EEXIST)
        fd = openat(folder_fd, name, flags);
    if (fd < 0)
        return xa_fail(err, XA_E_STORE, "cannot open %s/%s: %s", folder, name,
                       errno == ELOOP ? "it is a symbolic link"
                                      : strerror(errno));
    *out_fd = fd;
    fd = -1; /* analyzer: read when it goes out of scope */
    return XA_OK;
}

/* Reserve disk space.  A file system that cannot do it is no failure: it
 * makes no promise to break. */
static enum xa_rc
reserve(int fd, int mode, off_t len, const char *folder, const char *name,
        struct xa_err *err)
{
    int rc;

    do
        rc = fallocate(fd, mode, 0, len);
    while (rc != 0 && errno == EINTR);
    if (rc != 0 && errno != EOPNOTSUPP && errno != ENOSYS)
        return xa_fail(err, XA_E_STORE,
                       "cannot reserve %lld bytes for %s/%s: %s",
                       (long long)len, folder, name, strerror(errno));
    return XA_OK;
}

static enum xa_rc
prepare_data_file(int folder_fd, const char *folder, struct xa_err *err)
{
    XA_AUTO(xa_fd_close) int fd = -1;
    struct stat st;
    enum xa_rc rc;

    rc = open_file(folder_fd, folder, DATA_FILE, &fd, err);
    if (rc != XA_OK)
        return rc;
    if (fstat(fd, &st) != 0)
        return xa_fail(err, XA_E_STORE, "%s/%s: %s", folder, DATA_FILE,
                       strerror(errno));
    if (st.st_size >= HEADS_BYTES)
        return XA_OK;
    rc = require_blank(folder_fd, folder, err);
    if (rc != XA_OK)
        return rc;
    /* LMDB would refuse it for ever. */
    if (st.st_size > 0 && ftruncate(fd, 0) != 0)
        return xa_fail(err, XA_E_STORE, "%s/%s: %s", folder, DATA_FILE,
                       strerror(errno));
    return reserve(fd, FALLOC_FL_KEEP_SIZE, FIRST_BYTES, folder, DATA_FILE,
                   err);
}

/* LMDB takes the number of readers from the size, so it stays as it is while
 * somebody has the file mapped. */
static bool
is_in_use(int fd)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

    return fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

static enum xa_rc
prepare_lock_file(int folder_fd, const char *folder, struct xa_err *err)
{
    XA_AUTO(xa_fd_close) int fd = -1;
    struct stat st;
    enum xa_rc rc;
    off_t len;

    rc = open_file(folder_fd, folder, LOCK_FILE, &fd, err);
    if (rc != XA_OK)
        return rc;
    if (fstat(fd, &st) != 0)
        return xa_fail(err, XA_E_STORE, "%s/%s: %s", folder, LOCK_FILE,
                       strerror(errno));
    len = st.st_size >= LOCK_BYTES || is_in_use(fd) ? st.st_size : LOCK_BYTES;
    if (len == 0 || st.st_blocks * 512 >= len)
        return XA_OK;
    return reserve(fd, 0, len, folder, LOCK_FILE, err);
}

enum xa_rc
xa_lmdb_folder_prepare(int fd, const char *folder, struct xa_err *err)
{
    enum xa_rc rc;

    rc = prepare_data_file(fd, folder, err);
    if (rc != XA_OK)
        return rc;
    rc = prepare_lock_file(fd, folder, err);
    if (rc != XA_OK)
        return rc;
    if (fsync(fd) != 0) /* the names, which LMDB does not make durable */
        return xa_fail(err, XA_E_STORE, "%s: %s", folder, strerror(errno));
    return XA_OK;
}

static bool
look_at(const char *folder, const char *name, struct stat *out)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);

    return n > 0 && (size_t)n < sizeof path && stat(path, out) == 0;
}

bool
xa_lmdb_folder_files(const char *folder, struct xa_lmdb_files *out)
{
    struct stat data;
    struct stat lock;

    if (!look_at(folder, DATA_FILE, &data) ||
        !look_at(folder, LOCK_FILE, &lock))
        return false;
    *out = (struct xa_lmdb_files){data.st_dev, data.st_ino, lock.st_ino};
    return true;
}
