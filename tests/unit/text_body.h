/* text_body.h - a text as the body of a request. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TESTS_TEXT_BODY_H
#define XA_TESTS_TEXT_BODY_H

#include <string.h>

/* The context of read_text_body(). */
struct text_body {
    const char *left; /* borrowed */
};

/* The `read` of struct xa_cgi: at most len bytes of what is left. */
static inline size_t
read_text_body(void *ctx, void *out, size_t len)
{
    struct text_body *body = ctx;
    size_t n = strlen(body->left);

    n = n < len ? n : len;
    memcpy(out, body->left, n);
    body->left += n;
    return n;
}

#endif
