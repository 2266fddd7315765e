/* same_loop.c - the least a responder can do, on our loop. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   same_loop [-b BYTES]
 *
 * answers everything with 204, or with 200 and so many bytes: what is left
 * when the service itself costs nothing.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/str.h"
#include "fcgi/io.h"

#define BYTES_MAX 1000000

static void
serve(void *ctx, struct xa_call *call)
{
    const struct xa_buf *answer = ctx;

    xa_call_write(call, answer->data, answer->len);
}

static void
make_answer(struct xa_buf *out, uint64_t bytes)
{
    if (bytes == 0) {
        xa_buf_puts(out, "Status: 204 No Content\r\n\r\n");
        return;
    }
    xa_buf_putf(out,
                "Status: 200 OK\r\nContent-Type: application/json\r\n"
                "Content-Length: %llu\r\n\r\n",
                (unsigned long long)bytes);
    for (uint64_t i = 0; i < bytes; i++)
        xa_buf_putc(out, 'x');
}

int
main(int argc, char **argv)
{
    XA_AUTO(xa_buf_free) struct xa_buf answer = XA_BUF(2 * BYTES_MAX);
    XA_AUTO(xa_io_free) struct xa_io *io = NULL;
    const struct xa_io_limits limits = {1000, 5000, 5000, 81920};
    const struct xa_io_handler handler = {
        .ctx = &answer, .serve = serve, .too_large = serve};
    struct xa_err err = XA_ERR_NONE;
    uint64_t bytes = 0;
    enum xa_rc rc;
    int opt;

    while ((opt = getopt(argc, argv, "b:")) != -1) {
        if (opt != 'b' || !xa_str_to_u64(optarg, BYTES_MAX, &bytes))
            return 64;
    }
    make_answer(&answer, bytes);
    rc = xa_io_new(STDIN_FILENO, &limits, &handler, &io, &err);
    if (rc == XA_OK)
        rc = xa_io_run(io, &err);
    if (rc != XA_OK)
        fprintf(stderr, "same_loop: %s\n", err.text);
    return xa_rc_exit_code(rc);
}
