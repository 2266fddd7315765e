/* crypto.c - what we take from libsodium. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/crypto.h"

#include <string.h>

#include <nettle/base64.h>
#include <sodium.h>

_Static_assert(XA_ARGON2ID_TEXT >= crypto_pwhash_argon2id_STRBYTES,
               "room for a hash");

enum xa_rc
xa_crypto_init(struct xa_err *err)
{
    if (sodium_init() < 0)
        return xa_fail(err, XA_E_UNAVAILABLE, "libsodium does not start");
    return XA_OK;
}

/* libsodium 1.0.18 takes some bytes beyond ASCII for digits. */
static bool
is_ascii(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] > 0x7f)
            return false;
    return true;
}

ptrdiff_t
xa_base64_decode(const char *text, size_t len, void *out, size_t max)
{
    size_t n;

    /* no character is ignored, and without b64_end all must be taken */
    if (!is_ascii(text, len) ||
        sodium_base642bin(out, max, text, len, NULL, &n, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return -1;
    return (ptrdiff_t)n;
}

void
xa_base64_put(struct xa_buf *out, const void *bytes, size_t len)
{
    size_t text_len;
    char *to;

    if (len > out->max) { /* nor would its text fit */
        out->broken = out->broken != XA_OK ? out->broken : XA_E_INVALID;
        return;
    }
    text_len = BASE64_ENCODE_RAW_LENGTH(len);
    to = xa_buf_reserve(out, text_len);
    if (!to)
        return;
    base64_encode_raw(to, len, bytes);
    out->len += text_len;
}

bool
xa_argon2id_verify(const char *stored, const char *given, size_t len)
{
    return crypto_pwhash_argon2id_str_verify(stored, given, len) == 0;
}

enum xa_rc
xa_argon2id_hash(const char *password, size_t len, char out[XA_ARGON2ID_TEXT],
                 struct xa_err *err)
{
    char text[crypto_pwhash_argon2id_STRBYTES];

    if (crypto_pwhash_argon2id_str(
            text, password, len, crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE,
            crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE) != 0)
        return xa_fail_nomem(err);
    memcpy(out, text, sizeof text);
    return XA_OK;
}
