/* basic.h - credentials out of an Authorization header. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_FCGI_BASIC_H
#define XA_FCGI_BASIC_H

#include "core/base/err.h"
#include "core/base/secret.h"

/* Caller's storage. */
struct xa_credentials {
    char *login;                /* owned */
    struct xa_secret *password; /* owned */
};

#define XA_CREDENTIALS_EMPTY {NULL, NULL}

/*
 * Read Basic credentials (RFC 7617): the scheme in any case, one space,
 * strict base64 of login, colon, password.  Both are UTF-8 without control
 * characters, at most as long as a backend takes; either may be empty.
 *
 *   header  value of the header; may be NULL
 *   out     empty; filled on XA_OK only, release with xa_credentials_done()
 *
 * XA_E_DENIED: anything else; err says what, without showing it.
 * XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_basic_read(const char *header, struct xa_credentials *out,
                         struct xa_err *err);

/* Wipe and free what they hold. */
void xa_credentials_done(struct xa_credentials *credentials);

/*
 * What stands behind a scheme and one space, lent; NULL if the header is
 * NULL or has another scheme.
 */
const char *xa_auth_value(const char *header, const char *scheme);

#endif
