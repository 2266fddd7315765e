/* consul_get_loop.c - the least a responder before Consul can do. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   consul_get_loop PORT
 *
 * For /0.1/token/NAME one GET of the key bare/NAME, whose value is answered
 * as it comes; on the loop of the service.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "core/base/buf.h"
#include "core/base/str.h"
#include "fcgi/io.h"

#define ANSWER_MAX 65536
#define FOLDER "/0.1/token/"
#define NAME_LEN 36 /* of a UUID */

struct loop {
    CURL *curl;
    uint64_t port;
    struct xa_buf body;
};

static size_t
keep(char *data, size_t size, size_t count, void *ctx)
{
    xa_buf_put(ctx, data, size * count);
    return size * count;
}

static long
get(struct loop *loop, const char *name)
{
    char url[128];
    long status = 0;

    snprintf(url, sizeof url,
             "http://127.0.0.1:%" PRIu64 "/v1/kv/bare/%.*s?raw", loop->port,
             NAME_LEN, name);
    xa_buf_clear(&loop->body);
    curl_easy_setopt(loop->curl, CURLOPT_URL, url);
    if (curl_easy_perform(loop->curl) == CURLE_OK)
        curl_easy_getinfo(loop->curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static void
serve(void *ctx, struct xa_call *call)
{
    XA_AUTO(xa_buf_free) struct xa_buf answer = XA_BUF(2 * ANSWER_MAX);
    struct loop *loop = ctx;
    const char *uri = xa_call_param(call, "REQUEST_URI");
    long status = 500;

    if (uri && strncmp(uri, FOLDER, strlen(FOLDER)) == 0)
        status = get(loop, uri + strlen(FOLDER));
    xa_buf_putf(&answer,
                "Status: %ld -\r\nContent-Type: application/json\r\n"
                "Content-Length: %zu\r\n\r\n",
                status > 0 ? status : 500, loop->body.len);
    xa_buf_put(&answer, loop->body.data, loop->body.len);
    xa_call_write(call, answer.data, answer.len);
}

static enum xa_rc
run(struct loop *loop, struct xa_err *err)
{
    XA_AUTO(xa_io_free) struct xa_io *io = NULL;
    const struct xa_io_limits limits = {1000, 5000, 5000, 81920};
    const struct xa_io_handler handler = {
        .ctx = loop, .serve = serve, .too_large = serve};
    enum xa_rc rc;

    curl_easy_setopt(loop->curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(loop->curl, CURLOPT_WRITEDATA, &loop->body);
    curl_easy_setopt(loop->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(loop->curl, CURLOPT_NOSIGNAL, 1L);
    rc = xa_io_new(STDIN_FILENO, &limits, &handler, &io, err);
    if (rc != XA_OK)
        return rc;
    return xa_io_run(io, err);
}

int
main(int argc, char **argv)
{
    struct loop loop = {.body = XA_BUF(ANSWER_MAX)};
    struct xa_err err = XA_ERR_NONE;
    enum xa_rc rc;

    if (argc != 2 || !xa_str_to_u64(argv[1], 65535, &loop.port)) {
        fprintf(stderr, "usage: consul_get_loop PORT\n");
        return 64;
    }
    loop.curl = curl_easy_init();
    if (!loop.curl)
        return 70;
    rc = run(&loop, &err);
    if (rc != XA_OK)
        fprintf(stderr, "consul_get_loop: %s\n", err.text);
    curl_easy_cleanup(loop.curl);
    xa_buf_free(&loop.body);
    return xa_rc_exit_code(rc);
}
