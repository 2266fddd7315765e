/* users_edit.h - change one user in the text of a users file. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Everything else in the file stays as it is, comments and order included.
 * The text of the one entry is edited, and the result is read again: unless
 * exactly that user changed, and exactly so, the edit is refused.  What is
 * written as `{...}` around or inside the user is written anew in lines,
 * unless a comment, an anchor or an alias in it would be lost.
 */
#ifndef XA_SUPPORT_USERS_EDIT_H
#define XA_SUPPORT_USERS_EDIT_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/str.h"
#include "core/support/yaml.h"

#define XA_USERS_NODES_MAX 4000000 /* of a users file */

/* What to change. */
struct xa_user_change {
    const char *login;
    const char *hash;             /* of the password */
    const char *uuid;             /* NULL: as it is */
    const char *uuid_if_new;      /* NULL: none; only without uuid */
    const struct xa_strlist *acls; /* NULL: as they are */
};

/*
 *   name     stands for the file in complaints
 *   text     of the file, "" for a new one
 *   out      an empty buffer with a ceiling; gets the new text
 *   out_new  whether the user was added
 *
 * XA_E_CONFIG: the text is no users file, or is written in a style that
 * cannot be edited without loss; err names file and line.  XA_E_NOMEM.
 * XA_E_INVALID: the result is larger than the ceiling of out.
 */
XA_MUST_CHECK
enum xa_rc xa_users_edit(const char *name, const char *text, size_t len,
                         const struct xa_user_change *change,
                         struct xa_buf *out, bool *out_new,
                         struct xa_err *err);

#endif
