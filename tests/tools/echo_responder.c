/* echo_responder.c - a small responder that tests drive. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   echo_responder [-c CONNECTIONS] [-r READ_MS] [-d DRAIN_MS] [-m BYTES]
 *
 * serves on file descriptor 0 with fcgi/io.h and answers each request with
 * its method, its role and the length of its body.  A parameter TEST_SLEEP_MS
 * makes it sleep, TEST_SIZE makes the body of the answer so many bytes,
 * TEST_UNREAD leaves the request's body unread, TEST_CLOSE closes.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/str.h"
#include "fcgi/io.h"

static uint64_t
number(const char *text, uint64_t max, uint64_t otherwise)
{
    uint64_t value;

    return text && xa_str_to_u64(text, max, &value) ? value : otherwise;
}

static void
write_text(struct xa_call *call, const char *text)
{
    xa_call_write(call, text, strlen(text));
}

static void
sleep_ms(uint64_t ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000),
                            .tv_nsec = (long)(ms % 1000) * 1000000L};

    if (ms == 0)
        return;
    xa_log(XA_INFO, "request.begun", "ms=%llu", (unsigned long long)ms);
    if (nanosleep(&left, NULL) != 0)
        xa_log(XA_ERROR, "sleep.interrupted", "after_ms=%llu",
               (unsigned long long)ms);
}

static size_t
body_len(struct xa_call *call)
{
    char piece[100];
    size_t total = 0;
    size_t n;

    do {
        n = xa_call_read(call, piece, sizeof piece);
        total += n;
    } while (n == sizeof piece);
    return total;
}

static void
write_filler(struct xa_call *call, uint64_t len)
{
    char filler[4096];

    memset(filler, 'x', sizeof filler);
    for (; len > sizeof filler; len -= sizeof filler)
        xa_call_write(call, filler, sizeof filler);
    xa_call_write(call, filler, (size_t)len);
}

static void
serve(void *ctx XA_UNUSED, struct xa_call *call)
{
    const char *method = xa_call_param(call, "REQUEST_METHOD");
    bool authorizer = xa_call_role(call) == XA_ROLE_AUTHORIZER;
    char head[256];
    size_t len = 0;

    sleep_ms(number(xa_call_param(call, "TEST_SLEEP_MS"), 60000, 0));
    if (!xa_call_param(call, "TEST_UNREAD"))
        len = body_len(call);
    snprintf(head, sizeof head,
             "Status: 200 OK\r\n\r\nmethod=%s role=%s body=%zu ",
             method ? method : "-", authorizer ? "authorizer" : "responder",
             len);
    write_text(call, head);
    write_filler(call, number(xa_call_param(call, "TEST_SIZE"), 100000000, 0));
    if (xa_call_param(call, "TEST_CLOSE"))
        xa_call_close_after(call);
    xa_log(XA_INFO, "request.done", "body=%zu", len);
}

static void
too_large(void *ctx XA_UNUSED, struct xa_call *call)
{
    write_text(call, "Status: 413 Content Too Large\r\n\r\ntoo large");
}

static void
hangup(void *ctx XA_UNUSED)
{
    xa_log(XA_INFO, "hangup.done", "ok=1");
}

int
main(int argc, char **argv)
{
    struct xa_io_limits limits = {1000, 5000, 5000, 65536};
    struct xa_io_handler handler = {
        .serve = serve, .too_large = too_large, .hangup = hangup};
    XA_AUTO(xa_io_free) struct xa_io *io = NULL;
    struct xa_err err = XA_ERR_NONE;
    enum xa_rc rc;
    int opt;

    while ((opt = getopt(argc, argv, "c:r:d:m:")) != -1) {
        uint32_t value = (uint32_t)number(optarg, UINT32_MAX, 0);

        if (opt == 'c')
            limits.max_connections = value;
        else if (opt == 'r')
            limits.read_timeout_ms = value;
        else if (opt == 'd')
            limits.drain_timeout_ms = value;
        else if (opt == 'm')
            limits.max_request = value;
        else
            return 64;
    }
    rc = xa_io_new(STDIN_FILENO, &limits, &handler, &io, &err);
    if (rc == XA_OK)
        rc = xa_io_run(io, &err);
    if (rc != XA_OK)
        xa_log(XA_CRITICAL, "responder.failed", "%s", err.text);
    return xa_rc_exit_code(rc);
}
