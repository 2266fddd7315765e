/* fuzz_password.c - a stored password hash. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: the hash.  Whether it is accepted is decided without any work, and
 * said why not; one that is accepted and cheap is worked on.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/support/crypto.h"
#include "core/support/password.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cheap enough to be run some hundred times a second. */
static bool
is_cheap(const char *hash)
{
    return strncmp(hash, "$6$rounds=1000$", 15) == 0 ||
           strncmp(hash, "$5$rounds=1000$", 15) == 0 ||
           strncmp(hash, "$2b$04$", 7) == 0 ||
           strncmp(hash, "$y$j75$", 7) == 0 ||
           strncmp(hash, "$argon2id$v=19$m=8,t=1,p=1$", 27) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *hash = malloc(size + 1);
    struct xa_err err = XA_ERR_NONE;

    if (!hash || xa_crypto_init(NULL) != XA_OK)
        abort();
    memcpy(hash, data, size);
    hash[size] = '\0';
    if (!xa_password_is_hash(hash, &err)) {
        if (err.code != XA_E_INVALID || !err.text[0] ||
            xa_password_verify(hash, "x", NULL) != XA_E_INVALID)
            abort();
    } else if (is_cheap(hash)) {
        enum xa_rc rc = xa_password_verify(hash, "secret", &err);

        if (rc != XA_OK && rc != XA_E_DENIED && rc != XA_E_INVALID)
            abort();
    }
    free(hash);
    return 0;
}
