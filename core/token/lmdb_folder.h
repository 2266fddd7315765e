/* lmdb_folder.h - the folder and the two files of an LMDB store. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TOKEN_LMDB_FOLDER_H
#define XA_TOKEN_LMDB_FOLDER_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/base/err.h"

#define XA_LMDB_READERS 1024 /* processes that may have a store open */

/*
 * Enter the folder of a store and keep others out until *out_fd is closed,
 * so that files are made and looked at by one process at a time.
 *
 * XA_E_STORE: missing, not allowed.  XA_E_CONFIG: no folder, or one in which
 * others can write, for they could make themselves tokens, or on a network
 * file system, where the shared memory of LMDB does not work.
 */
XA_MUST_CHECK
enum xa_rc xa_lmdb_folder_enter(const char *folder, int *out_fd,
                                struct xa_err *err);

/* XA_OK: a store is there.  XA_E_NOTFOUND: none, but one could be made.
 * XA_E_STORE: neither. */
XA_MUST_CHECK
enum xa_rc xa_lmdb_folder_probe(int fd, const char *folder, struct xa_err *err);

/*
 * Make the files that are missing, open to owner and group, and reserve the
 * disk space that LMDB touches through its map, because a full disk would
 * end the process there with SIGBUS.  Made by root, they get the owner of
 * the folder.
 */
XA_MUST_CHECK
enum xa_rc xa_lmdb_folder_prepare(int fd, const char *folder,
                                  struct xa_err *err);

/* Which files stand there now. */
struct xa_lmdb_files {
    dev_t dev;
    ino_t data;
    ino_t lock;
};

/* False: one of them is missing. */
bool xa_lmdb_folder_files(const char *folder, struct xa_lmdb_files *out);

#endif
