/* secret.h - text that must not outlive its use. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Passwords, tokens and keys live in a struct xa_secret: wiped when freed,
 * compared in constant time, and kept out of every log, error text and argv.
 */
#ifndef XA_BASE_SECRET_H
#define XA_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

struct xa_secret; /* opaque: bytes, a length, and a NUL behind them */

/*
 * Copy len bytes into a new secret; the caller wipes its own copy.
 *
 *   bytes  borrowed; may be NULL when len is 0
 *   out    set on XA_OK only; release with xa_secret_free()
 *
 * XA_E_NOMEM: memory ran out.
 */
XA_MUST_CHECK
enum xa_rc xa_secret_new(const void *bytes, size_t len, struct xa_secret **out,
                         struct xa_err *err);

/* The bytes, with a NUL behind them; lent until the secret is freed. */
const char *xa_secret_text(const struct xa_secret *secret);
size_t xa_secret_len(const struct xa_secret *secret);

/* Wipe and free. */
void xa_secret_free(struct xa_secret **secret);

/* Overwrite memory so that no compiler leaves it out.  p may be NULL if len
 * is 0. */
void xa_wipe(void *p, size_t len);

/*
 * Whether two byte strings are equal.  Time depends on their lengths only,
 * never on their content.
 */
bool xa_secret_equal(const void *a, size_t a_len, const void *b, size_t b_len);

#endif
