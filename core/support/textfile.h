/* textfile.h - change a file so that it is never seen half written. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lock, read, change, replace, unlock.  The lock is on the folder, because
 * the file itself is another one after each change.
 */
#ifndef XA_SUPPORT_TEXTFILE_H
#define XA_SUPPORT_TEXTFILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/err.h"

/* Caller's storage; begin with XA_TEXTFILE_NONE. */
struct xa_textfile {
    char *path;      /* owned; of the file itself, links followed */
    char *folder;    /* owned */
    int folder_fd;   /* holds the lock; -1: none */
    bool exists;
    struct stat was; /* if it exists */
};

#define XA_TEXTFILE_NONE {.folder_fd = -1}

/*
 * Wait until nobody else changes a file in that folder by this module, and
 * read the file.
 *
 *   text  an empty buffer with a ceiling; stays empty if there is no file
 *
 * XA_E_CONFIG: no such folder, not allowed, no regular file.
 * XA_E_INVALID: larger than the ceiling.  XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_textfile_open(const char *path, struct xa_textfile *file,
                            struct xa_buf *text, struct xa_err *err);

/*
 * Put a new file in its place that is on the disk when this returns.  It
 * keeps owner, group and mode.  One that did not exist gets mode 0640, and
 * the group of the folder when root makes it.
 *
 * XA_E_CONFIG: not allowed, no room, or its owner could not be kept.
 */
XA_MUST_CHECK
enum xa_rc xa_textfile_replace(struct xa_textfile *file, const char *text,
                               size_t len, struct xa_err *err);

/* Give the lock back. */
void xa_textfile_done(struct xa_textfile *file);

#endif
