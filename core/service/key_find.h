/* key_find.h - the token whose key begins with these digits. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SERVICE_KEY_FIND_H
#define XA_SERVICE_KEY_FIND_H

#include "core/token/store.h"

#define XA_KEY_DIGITS_MIN 8 /* of a key that is not given whole */
#define XA_KEY_DIGITS_MAX (XA_SHA256_TEXT - 1)

/*
 * Find the one valid token whose key, as logs and listings show it, begins
 * with `digits`.  In a store with plain keys all tokens are looked at; in
 * another one none is when the key is given whole, so it need not be there.
 *
 *   digits  hexadecimal, of either case
 *   now_us  a token that has expired by then does not count
 *   out     the key as the store uses it
 *
 * XA_E_NOTFOUND: none, or no such digits.  XA_E_INVALID: more than one.
 * Failures of the store.
 */
XA_MUST_CHECK
enum xa_rc xa_key_find(struct xa_store *store, enum xa_key_form form,
                       const char *digits, int64_t now_us, struct xa_key *out,
                       struct xa_err *err);

#endif
