/* buf.h - a growing buffer with a ceiling. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Invariants: len <= max; data is NULL or ends with a NUL at data[len].
 * A put that does not fit, or for which there is no memory, marks the buffer
 * as broken and changes nothing; later puts do nothing.  So a text is built
 * without a check at each step, and whoever uses it asks xa_buf_check() once.
 * Content is wiped before memory goes back, because bodies hold tokens.
 */
#ifndef XA_BASE_BUF_H
#define XA_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

struct xa_buf {
    char *data;        /* owned */
    size_t len;        /* bytes in use, the NUL not counted */
    size_t cap;        /* bytes allocated, the NUL counted */
    size_t max;        /* ceiling of len */
    enum xa_rc broken; /* XA_OK, or why a put failed */
};

/* An empty buffer that may grow to `ceiling` bytes. */
#define XA_BUF(ceiling) {.max = (ceiling)}

/* Append bytes; text up to its NUL; one byte; formatted text. */
void xa_buf_put(struct xa_buf *buf, const void *bytes, size_t len);
void xa_buf_puts(struct xa_buf *buf, const char *text);
void xa_buf_putc(struct xa_buf *buf, char byte);
void xa_buf_put_u64(struct xa_buf *buf, uint64_t number); /* in decimal */
XA_PRINTF(2, 3) void xa_buf_putf(struct xa_buf *buf, const char *fmt, ...);

/*
 * Make room for len more bytes and lend the place; the caller writes there
 * and adds to buf->len what it wrote.  NULL when the buffer is or becomes
 * broken.
 */
void *xa_buf_reserve(struct xa_buf *buf, size_t len);

/* Empty it, keeping the memory, and forget that it was broken. */
void xa_buf_clear(struct xa_buf *buf);

/*
 * XA_OK if every put fitted.  XA_E_INVALID: the ceiling was hit.
 * XA_E_NOMEM: memory ran out.
 */
XA_MUST_CHECK
enum xa_rc xa_buf_check(const struct xa_buf *buf, struct xa_err *err);

/* The content as a C string, "" when there is none; lent. */
const char *xa_buf_text(const struct xa_buf *buf);

/* Wipe and free the content; the buffer itself is the caller's storage. */
void xa_buf_free(struct xa_buf *buf);

#endif
