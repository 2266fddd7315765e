/* fuzz_basic.c - credentials out of an Authorization header. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: the header's value.  What was accepted, written again as RFC 7617 has
 * it, is what came: there is one spelling for each pair.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/str.h"
#include "fcgi/basic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Base64 (RFC 4648 section 4), as plainly as can be. */
static void
put_base64(struct xa_buf *out, const char *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < len; i += 3) {
        uint32_t bits = 0;

        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (i + k < len ? (uint8_t)bytes[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            xa_buf_putc(out,
                        i + k <= len ? digits[bits >> (18 - 6 * k) & 63] : '=');
    }
}

static void
check_same(const struct xa_credentials *found, const char *header)
{
    size_t max = strlen(header) + 1;
    XA_AUTO(xa_buf_free) struct xa_buf plain = XA_BUF(max);
    XA_AUTO(xa_buf_free) struct xa_buf again = XA_BUF(max);

    xa_buf_puts(&plain, found->login);
    xa_buf_putc(&plain, ':');
    xa_buf_puts(&plain, xa_secret_text(found->password));
    put_base64(&again, xa_buf_text(&plain), plain.len);
    if (strchr(found->login, ':') || strlen(header) < 6 ||
        strcmp(header + 6, xa_buf_text(&again)) != 0 ||
        xa_str_has_ascii_control(plain.data, plain.len) ||
        !xa_str_is_utf8(plain.data, plain.len))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    XA_AUTO(xa_credentials_done)
    struct xa_credentials found = XA_CREDENTIALS_EMPTY;
    XA_AUTO(xa_str_free) char *header = malloc(size + 1);
    struct xa_err err = XA_ERR_NONE;

    if (!header)
        abort();
    memcpy(header, data, size);
    header[size] = '\0';
    if (xa_basic_read(header, &found, &err) == XA_OK)
        check_same(&found, header);
    else if (err.code != XA_E_DENIED || found.login || found.password)
        abort();
    return 0;
}
