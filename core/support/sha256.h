/* sha256.h - SHA-256, as fast as the processor can. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * By nettle, which uses the processor's own instructions where it has some:
 * each check of a token takes a hash, and libsodium's takes three times as
 * long.
 */
#ifndef XA_SUPPORT_SHA256_H
#define XA_SUPPORT_SHA256_H

#include <stddef.h>

#define XA_SHA256_LEN 32
#define XA_SHA256_TEXT (2 * XA_SHA256_LEN + 1) /* hexadecimal, with the NUL */

/* SHA-256 (FIPS 180-4) of len bytes, as bytes or as lower-case hexadecimal. */
void xa_sha256(const void *bytes, size_t len, unsigned char out[XA_SHA256_LEN]);
void xa_sha256_hex(const void *bytes, size_t len, char out[XA_SHA256_TEXT]);

#endif
