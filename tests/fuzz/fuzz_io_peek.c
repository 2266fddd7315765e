/* fuzz_io_peek.c - what passes the peek, libfcgi can read. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgi/io_call.h"
#include "fcgi/io_peek.h"
#include "fcgi/io_record.h"

#define REQUEST_MAX 4096 /* fits into a socket */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Look at every parameter and at the body. */
static void
serve(void *ctx, struct xa_call *call)
{
    const char *const *p = xa_call_params(call);
    char piece[64];
    size_t total = 0;

    for (; *p; p++)
        for (const char *c = *p; *c; c++)
            total += (unsigned char)*c;
    while (xa_call_read(call, piece, sizeof piece) == sizeof piece)
        total++;
    xa_call_write(call, "Status: 204 No Content\r\n\r\n", 26);
    *(size_t *)ctx = total;
}

static void
hand_to_libfcgi(const uint8_t *data, const struct xa_peek *peek)
{
    static struct xa_call *call;
    size_t total = 0;
    const struct xa_io_handler handler = {.ctx = &total, .serve = serve};
    enum xa_role role =
        peek->authorizer ? XA_ROLE_AUTHORIZER : XA_ROLE_RESPONDER;
    int pair[2];
    bool must_close = false;
    char left;

    if (!call && xa_call_new(&call, NULL) != XA_OK)
        abort();
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        abort();
    /* so that reading too far is an end, which is an error, and no wait */
    if (write(pair[0], data, peek->len) != (ssize_t)peek->len ||
        shutdown(pair[0], SHUT_WR) != 0)
        abort();
    if (xa_call_serve(call, pair[1], role, &handler, &must_close) !=
        XA_CALL_ANSWERED)
        abort();
    if (recv(pair[1], &left, 1, MSG_DONTWAIT) > 0)
        abort();
    close(pair[0]);
    close(pair[1]);
}

static void
answer_management(const uint8_t *data, size_t len)
{
    XA_AUTO(xa_buf_free) struct xa_buf out = XA_BUF(REQUEST_MAX);

    xa_record_put_managed(&out, data, len, 1000);
    if (xa_buf_check(&out, NULL) != XA_OK || out.len < XA_RECORD_HEADER)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xa_peek peek;
    struct xa_peek again;
    enum xa_peek_found found = xa_peek(data, size, REQUEST_MAX, &peek);

    if ((found == XA_PEEK_BAD) != (peek.why != NULL) ||
        peek.len > REQUEST_MAX)
        abort();
    if (found == XA_PEEK_MORE && peek.len <= size)
        abort();
    if (found == XA_PEEK_MANAGEMENT)
        answer_management(data, peek.len);
    if (found == XA_PEEK_WHOLE) {
        if (peek.len > size ||
            xa_peek(data, peek.len - 1, REQUEST_MAX, &again) != XA_PEEK_MORE)
            abort();
        hand_to_libfcgi(data, &peek);
    }
    return 0;
}
