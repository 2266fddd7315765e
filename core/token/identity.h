/* identity.h - who somebody is, as a backend says it. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TOKEN_IDENTITY_H
#define XA_TOKEN_IDENTITY_H

#include "core/base/err.h"
#include "core/base/str.h"

#define XA_ID_MAX 256         /* bytes of auth_id, user uuid, xivo uuid */
#define XA_ACL_MAX 1024       /* bytes of one ACL */
#define XA_ACLS_MAX 1024      /* ACLs of one identity */
#define XA_ACLS_BYTES 32768   /* bytes of all of them together */

/* Caller's storage; every string is owned. */
struct xa_identity {
    char *auth_id;        /* NULL until set */
    char *xivo_user_uuid; /* may be NULL */
    char *xivo_uuid;      /* may be NULL */
    struct xa_strlist acls;
    size_t acls_bytes;
};

#define XA_IDENTITY_EMPTY {0}

/*
 * Set one of the three ids; a second call replaces the first.
 *
 *   text  copied; 1 to XA_ID_MAX bytes of UTF-8 without control characters
 *
 * XA_E_INVALID: text breaks that rule.  XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_identity_set_auth_id(struct xa_identity *who, const char *text,
                                   struct xa_err *err);
XA_MUST_CHECK
enum xa_rc xa_identity_set_user_uuid(struct xa_identity *who, const char *text,
                                     struct xa_err *err);
XA_MUST_CHECK
enum xa_rc xa_identity_set_xivo_uuid(struct xa_identity *who, const char *text,
                                     struct xa_err *err);

/* Add an ACL: 1 to XA_ACL_MAX bytes of UTF-8 without control characters,
 * within the two other limits.  XA_E_INVALID, XA_E_NOMEM. */
XA_MUST_CHECK
enum xa_rc xa_identity_add_acl(struct xa_identity *who, const char *text,
                               struct xa_err *err);

/* Free what it holds and leave it empty. */
void xa_identity_done(struct xa_identity *who);

#endif
