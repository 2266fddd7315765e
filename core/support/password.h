/* password.h - password hashes: verify, make, and the work of a decoy. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Accepted: crypt(3) yescrypt `$y$`, bcrypt `$2a$ $2b$ $2y$`, sha512 `$6$`,
 * sha256 `$5$`, and argon2id `$argon2id$`.  Refused: everything else (DES,
 * MD5, an empty field, `*`, `!`), and costs above what a login may take.
 */
#ifndef XA_SUPPORT_PASSWORD_H
#define XA_SUPPORT_PASSWORD_H

#include <stdbool.h>

#include "core/base/err.h"
#include "core/base/secret.h"

#define XA_PASSWORD_MAX 512 /* bytes; crypt(3) takes at most 511 */
#define XA_HASH_TEXT 384    /* bytes of a stored hash, with the NUL */

/* Whether `stored` is a hash that xa_password_verify() would work on; if it
 * is not, err says why, without showing it. */
bool xa_password_is_hash(const char *stored, struct xa_err *err);

/*
 * Compare in constant time.
 *
 *   stored  NULL: do the work for a user who does not exist, at the cost of
 *           the default method; the answer is then never XA_OK
 *   given   any bytes up to its NUL
 *
 * XA_OK: it matches.  XA_E_DENIED: it does not, or is longer than
 * XA_PASSWORD_MAX.  XA_E_INVALID: stored is not accepted (no work was done).
 * XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_password_verify(const char *stored, const char *given,
                              struct xa_err *err);

/* Methods for new hashes. */
enum xa_hash_method { XA_HASH_YESCRYPT, XA_HASH_BCRYPT, XA_HASH_SHA512,
                      XA_HASH_ARGON2ID };

/*
 * A new hash with a salt from the kernel.
 *
 * XA_E_INVALID: password empty, too long for the method (bcrypt: 72 bytes).
 * XA_E_UNAVAILABLE: this libcrypt does not have the method.
 */
XA_MUST_CHECK
enum xa_rc xa_password_hash(enum xa_hash_method method, const char *password,
                            char out[XA_HASH_TEXT], struct xa_err *err);

#endif
