/* sha256.c - SHA-256, as fast as the processor can. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/sha256.h"

#include <nettle/sha2.h>

#include "core/base/secret.h"
#include "core/base/str.h"

_Static_assert(XA_SHA256_LEN == SHA256_DIGEST_SIZE, "length of SHA-256");

void
xa_sha256(const void *bytes, size_t len, unsigned char out[XA_SHA256_LEN])
{
    struct sha256_ctx state;

    sha256_init(&state);
    sha256_update(&state, len, bytes);
    sha256_digest(&state, XA_SHA256_LEN, out);
    xa_wipe(&state, sizeof state); /* a token's text lies there still */
}

void
xa_sha256_hex(const void *bytes, size_t len, char out[XA_SHA256_TEXT])
{
    unsigned char digest[XA_SHA256_LEN];

    xa_sha256(bytes, len, digest);
    xa_str_hex(digest, sizeof digest, out);
}
