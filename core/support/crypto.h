/* crypto.h - what we take from libsodium, and base64. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SUPPORT_CRYPTO_H
#define XA_SUPPORT_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/err.h"

/* Once per process, before any other call.  XA_E_UNAVAILABLE. */
XA_MUST_CHECK
enum xa_rc xa_crypto_init(struct xa_err *err);

/*
 * Strict base64 (RFC 4648 section 4): the standard alphabet, padding as it
 * must be, no white space, no stray bits.  Returns the length, or -1.
 *
 *   out, max  gets the bytes; no NUL is added
 */
ptrdiff_t xa_base64_decode(const char *text, size_t len, void *out, size_t max);

/* Append len bytes in the same form.  Not for passwords: nettle's tables, which
 * take a tenth of libsodium's time, leave traces in the processor's cache.  A
 * token that is its own key goes that way to Consul, and no other one. */
void xa_base64_put(struct xa_buf *out, const void *bytes, size_t len);

/* Argon2id in its text form `$argon2id$...`: 1 match, 0 no match. */
bool xa_argon2id_verify(const char *stored, const char *given, size_t len);

/*
 * A new argon2id hash at libsodium's interactive cost.  XA_E_NOMEM.
 *
 *   out  gets the text; XA_ARGON2ID_TEXT bytes
 */
#define XA_ARGON2ID_TEXT 128
XA_MUST_CHECK
enum xa_rc xa_argon2id_hash(const char *password, size_t len,
                            char out[XA_ARGON2ID_TEXT], struct xa_err *err);

#endif
