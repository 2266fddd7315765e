/* buf.c - a growing buffer with a ceiling. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/secret.h"
#include "core/base/str.h"

#define FIRST_CAP 256 /* bytes of the first allocation */

/* By doubling, so that many small puts cost little, and never beyond the
 * ceiling.  realloc() would leave the old copy behind, unwiped. */
static int
grow(struct xa_buf *buf, size_t need)
{
    size_t cap = buf->cap > 0 ? buf->cap : FIRST_CAP;
    char *data;

    /* always twofold, so that many small puts cost no more than a big one */
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap - 1 > buf->max)
        cap = buf->max + 1; /* need is no more than that */
    data = malloc(cap);
    if (!data)
        return -1;
    if (buf->data) {
        memcpy(data, buf->data, buf->len);
        xa_wipe(buf->data, buf->len);
        free(buf->data);
    }
    buf->data = data;
    buf->cap = cap;
    return 0;
}

void *
xa_buf_reserve(struct xa_buf *buf, size_t len)
{
    if (buf->broken != XA_OK)
        return NULL;
    if (len > buf->max - buf->len) {
        buf->broken = XA_E_INVALID;
        return NULL;
    }
    if (buf->cap < buf->len + len + 1 && grow(buf, buf->len + len + 1) != 0) {
        buf->broken = XA_E_NOMEM;
        return NULL;
    }
    buf->data[buf->len + len] = '\0';
    return buf->data + buf->len;
}

void
xa_buf_put(struct xa_buf *buf, const void *bytes, size_t len)
{
    void *place = xa_buf_reserve(buf, len);

    if (!place || len == 0)
        return;
    memcpy(place, bytes, len);
    buf->len += len;
}

void
xa_buf_puts(struct xa_buf *buf, const char *text)
{
    xa_buf_put(buf, text, strlen(text));
}

void
xa_buf_putc(struct xa_buf *buf, char byte)
{
    xa_buf_put(buf, &byte, 1);
}

void
xa_buf_put_u64(struct xa_buf *buf, uint64_t number)
{
    char digits[XA_U64_TEXT];
    const char *end = xa_str_put_u64(digits, number);

    xa_buf_put(buf, digits, (size_t)(end - digits));
}

void
xa_buf_putf(struct xa_buf *buf, const char *fmt, ...)
{
    va_list ap;
    char *place;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) {
        buf->broken = XA_E_INVALID;
        return;
    }
    place = xa_buf_reserve(buf, (size_t)n);
    if (!place)
        return;
    va_start(ap, fmt);
    vsnprintf(place, (size_t)n + 1, fmt, ap);
    va_end(ap);
    buf->len += (size_t)n;
}

void
xa_buf_clear(struct xa_buf *buf)
{
    if (buf->data) {
        xa_wipe(buf->data, buf->len);
        buf->data[0] = '\0';
    }
    buf->len = 0;
    buf->broken = XA_OK;
}

enum xa_rc
xa_buf_check(const struct xa_buf *buf, struct xa_err *err)
{
    if (buf->broken == XA_OK)
        return XA_OK;
    if (buf->broken == XA_E_NOMEM)
        return xa_fail_nomem(err);
    return xa_fail(err, buf->broken, "text over %zu bytes", buf->max);
}

const char *
xa_buf_text(const struct xa_buf *buf)
{
    return buf->data ? buf->data : "";
}

void
xa_buf_free(struct xa_buf *buf)
{
    xa_buf_clear(buf);
    free(buf->data);
    buf->data = NULL;
    buf->cap = 0;
}
