/* password.h - password hashes: verify, make, and the work of a decoy. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Accepted, with the costs that a login may take (figures of one core; a
 * line above them in a file could keep a process busy for minutes):
 *
 *   yescrypt  $y$             as crypt_gensalt(3) writes it, up to its cost 11:
 *                             2.5 s and 1 GiB
 *   bcrypt    $2a$ $2b$ $2y$  cost 4 to 14: 0.8 s
 *   sha512    $6$             rounds=1000 to 5000000: 1.4 s
 *   sha256    $5$             likewise
 *   argon2id  $argon2id$      m up to 262144 (256 MiB), t up to 10, p up to
 *                             16: 1.5 s
 *
 * Refused: everything else (DES, MD5, an empty field, `*`, `!`), and a hash
 * that is not whole.
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
 * XA_OK: it matches.  XA_E_DENIED: it does not, is empty, or is longer than
 * the method reads (crypt(3) 511, bcrypt 72 bytes); all of that after the
 * work.  Over XA_PASSWORD_MAX no work is done, whoever the user is.
 * XA_E_INVALID: stored is not accepted (no work was done).  XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_password_verify(const char *stored, const char *given,
                              struct xa_err *err);

/* Methods for new hashes: yescrypt at the default cost of crypt(3), bcrypt of
 * cost 12, sha512 of 200000 rounds, argon2id as libsodium's interactive. */
enum xa_hash_method { XA_HASH_YESCRYPT, XA_HASH_BCRYPT, XA_HASH_SHA512,
                      XA_HASH_ARGON2ID };

/*
 * A new hash with a salt from the kernel.
 *
 * XA_E_INVALID: password empty, too long for the method (bcrypt: 72 bytes).
 * XA_E_UNAVAILABLE: this libcrypt does not have the method.  XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_password_hash(enum xa_hash_method method, const char *password,
                            char out[XA_HASH_TEXT], struct xa_err *err);

#endif
