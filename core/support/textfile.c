/* textfile.c - change a file so that it is never seen half written. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/secret.h"
#include "core/support/lock.h"

#define NEW_MODE 0640

static enum xa_rc
fail_on(const char *path, const char *what, struct xa_err *err)
{
    return xa_fail(err, XA_E_CONFIG, "%s: cannot %s: %s", path, what,
                   strerror(errno));
}

/* A link stays a link: what changes is the file behind it. */
static enum xa_rc
find_place(const char *path, struct xa_textfile *file, struct xa_err *err)
{
    XA_AUTO(xa_str_free) char *copy = NULL;

    file->path = realpath(path, NULL);
    if (!file->path && errno != ENOENT)
        return fail_on(path, "find it", err);
    if (!file->path)
        file->path = strdup(path);
    copy = file->path ? strdup(file->path) : NULL;
    if (!copy)
        return xa_fail_nomem(err);
    file->folder = strdup(dirname(copy));
    return file->folder ? XA_OK : xa_fail_nomem(err);
}

static enum xa_rc
lock_folder(struct xa_textfile *file, struct xa_err *err)
{
    file->folder_fd = open(file->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file->folder_fd < 0)
        return fail_on(file->folder, "open the folder", err);
    errno = xa_lock_exclusive(file->folder_fd, XA_LOCK_PATIENCE_MS);
    return errno == 0 ? XA_OK : fail_on(file->folder, "lock the folder", err);
}

static enum xa_rc
read_all(int fd, const char *path, struct xa_buf *text, struct xa_err *err)
{
    char part[8192];
    ssize_t n;

    do {
        n = read(fd, part, sizeof part);
        if (n > 0)
            xa_buf_put(text, part, (size_t)n);
    } while (n > 0 || (n < 0 && errno == EINTR));
    xa_wipe(part, sizeof part);
    return n < 0 ? fail_on(path, "read it", err) : xa_buf_check(text, err);
}

enum xa_rc
xa_textfile_open(const char *path, struct xa_textfile *file,
                 struct xa_buf *text, struct xa_err *err)
{
    XA_AUTO(xa_fd_close) int fd = -1;
    enum xa_rc rc;

    rc = find_place(path, file, err);
    if (rc == XA_OK)
        rc = lock_folder(file, err);
    if (rc != XA_OK)
        return rc;
    fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return XA_OK;
    if (fd < 0)
        return fail_on(file->path, "open it", err);
    if (fstat(fd, &file->was) != 0)
        return fail_on(file->path, "look at it", err);
    if (!S_ISREG(file->was.st_mode))
        return xa_fail(err, XA_E_CONFIG, "%s: not a regular file", file->path);
    file->exists = true;
    return read_all(fd, file->path, text, err);
}

/* Before the file is seen: whose it is, and who may read it. */
static enum xa_rc
set_rights(const struct xa_textfile *file, int fd, struct xa_err *err)
{
    struct stat folder;

    if (file->exists) {
        if (fchown(fd, file->was.st_uid, file->was.st_gid) != 0)
            return fail_on(file->path, "keep its owner", err);
        if (fchmod(fd, file->was.st_mode & 07777) != 0)
            return fail_on(file->path, "keep its mode", err);
        return XA_OK;
    }
    if (geteuid() == 0 && (fstat(file->folder_fd, &folder) != 0 ||
                           fchown(fd, (uid_t)-1, folder.st_gid) != 0))
        return fail_on(file->path, "give it the group of its folder", err);
    if (fchmod(fd, NEW_MODE) != 0)
        return fail_on(file->path, "set its mode", err);
    return XA_OK;
}

static enum xa_rc
write_all(const struct xa_textfile *file, int fd, const char *text, size_t len,
          struct xa_err *err)
{
    ssize_t n;

    while (len > 0) {
        n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_on(file->path, "write it", err);
        text += n;
        len -= (size_t)n;
    }
    return fsync(fd) == 0 ? XA_OK : fail_on(file->path, "write it", err);
}

enum xa_rc
xa_textfile_replace(struct xa_textfile *file, const char *text, size_t len,
                    struct xa_err *err)
{
    XA_AUTO(xa_str_free) char *temporary = NULL;
    XA_AUTO(xa_fd_close) int fd = -1;
    enum xa_rc rc;

    if (asprintf(&temporary, "%s.XXXXXX", file->path) < 0) {
        temporary = NULL;
        return xa_fail_nomem(err);
    }
    fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
    if (fd < 0)
        return fail_on(file->folder, "make a file in it", err);
    rc = set_rights(file, fd, err);
    if (rc == XA_OK)
        rc = write_all(file, fd, text, len, err);
    if (rc == XA_OK && rename(temporary, file->path) != 0)
        rc = fail_on(file->path, "put the new one in its place", err);
    if (rc != XA_OK) {
        unlink(temporary);
        return rc;
    }
    if (fsync(file->folder_fd) != 0)
        return fail_on(file->folder, "write the folder", err);
    return XA_OK;
}

void
xa_textfile_done(struct xa_textfile *file)
{
    xa_str_free(&file->path);
    xa_str_free(&file->folder);
    xa_fd_close(&file->folder_fd);
}
