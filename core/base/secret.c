/* secret.c - text that must not outlive its use. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/base/secret.h"

#include <stdlib.h>
#include <string.h>

struct xa_secret {
    size_t len;
    char bytes[]; /* len + 1, the last is NUL */
};

enum xa_rc
xa_secret_new(const void *bytes, size_t len, struct xa_secret **out,
              struct xa_err *err)
{
    struct xa_secret *secret;

    secret = malloc(sizeof *secret + len + 1);
    if (!secret)
        return xa_fail_nomem(err);
    secret->len = len;
    if (len > 0)
        memcpy(secret->bytes, bytes, len);
    secret->bytes[len] = '\0';
    *out = secret;
    return XA_OK;
}

const char *
xa_secret_text(const struct xa_secret *secret)
{
    return secret->bytes;
}

size_t
xa_secret_len(const struct xa_secret *secret)
{
    return secret->len;
}

void
xa_secret_free(struct xa_secret **secret)
{
    if (*secret) {
        xa_wipe((*secret)->bytes, (*secret)->len);
        free(*secret);
    }
    *secret = NULL;
}

void
xa_wipe(void *p, size_t len)
{
    if (len > 0)
        explicit_bzero(p, len);
}

bool
xa_secret_equal(const void *a, size_t a_len, const void *b, size_t b_len)
{
    /* volatile: the loop must not be turned into a memcmp that ends early */
    const volatile unsigned char *left = a;
    const volatile unsigned char *right = b;
    unsigned char differs = 0;

    if (a_len != b_len)
        return false;
    for (size_t i = 0; i < a_len; i++)
        differs |= (unsigned char)(left[i] ^ right[i]);
    return differs == 0;
}
