/* serve.c - between the loop and the application. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/serve.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/service/store_news.h"
#include "fcgi/access_log.h"
#include "fcgi/io.h"

/* Room for any answer: a body, its headers, and those of every answer. */
#define WIRE_MAX (XA_REPLY_MAX + XA_REPLY_HEADERS_MAX + 4096)

/* A 403 repeats the scope, of whose bytes JSON makes six at most; if it did not
 * fit, it would become a 500. */
_Static_assert(XA_REPLY_MAX >= 6 * XA_IO_REQUEST_MAX + 1024,
               "the longest scope must fit into an answer");

/* Bytes of a request beside its body: parameters, and FastCGI's records. */
#define PARAMS_MAX (64u * 1024)

struct server {
    struct xa_app app;
    struct xa_reply reply; /* of the request in hand */
    struct xa_buf wire;    /* its bytes */
};

static size_t
read_body(void *ctx, void *out, size_t len)
{
    return xa_call_read(ctx, out, len);
}

static void
write_reply(struct server *server, struct xa_call *call, bool head)
{
    /* What goes out when there is no memory for anything else. */
    static const char last_words[] = "Status: 500 Internal Server Error\r\n"
                                     "Cache-Control: no-store\r\n"
                                     "X-Content-Type-Options: nosniff\r\n"
                                     "Retry-After: 2\r\n"
                                     "Content-Length: 0\r\n\r\n";

    xa_reply_render(&server->reply, head, &server->wire);
    if (xa_buf_check(&server->wire, NULL) == XA_OK)
        xa_call_write(call, server->wire.data, server->wire.len);
    else
        xa_call_write(call, last_words, sizeof last_words - 1);
}

static void
answer(struct server *server, struct xa_call *call, struct xa_request *req)
{
    bool is_responder = xa_call_role(call) == XA_ROLE_RESPONDER;

    if (!is_responder || server->app.authorizer_only)
        xa_call_close_after(call);
    if (!is_responder) {
        req->params.query = NULL; /* of another program: not for our log */
        xa_app_authorize(&server->app, req, &server->reply);
    } else if (!server->app.authorizer_only) {
        xa_app_answer(&server->app, req, &server->reply);
    } else {
        xa_reply_refuse(&server->reply, XA_NOT_A_RESPONDER, NULL);
    }
    xa_store_log_news(server->app.store);
}

static void
serve(void *ctx, struct xa_call *call)
{
    XA_AUTO(xa_request_done) struct xa_request req = XA_REQUEST_EMPTY;
    struct xa_cgi cgi = {xa_call_params(call), read_body, call};
    struct server *server = ctx;
    int64_t begun_us = xa_clock_boot_us();
    int64_t now_us = xa_clock_now_us();

    xa_request_init(&req, &cgi, now_us);
    xa_reply_clear(&server->reply, now_us);
    answer(server, call, &req);
    write_reply(server, call, req.method == XA_HEAD);
    xa_access_log(&req, &server->reply, xa_clock_boot_us() - begun_us);
    xa_reply_clear(&server->reply, 0); /* wipes: a token may stand in it */
    xa_buf_clear(&server->wire);
}

static void
refuse_large(void *ctx, struct xa_call *call)
{
    static const char *const unread[] = {NULL};
    struct server *server = ctx;

    xa_reply_clear(&server->reply, xa_clock_now_us());
    xa_reply_refuse(&server->reply, XA_TOO_LARGE, NULL);
    xa_cors_put(server->app.cors, unread, false, &server->reply.headers);
    write_reply(server, call, false);
    xa_log(XA_INFO, "request.too_large", "status=%u", server->reply.status);
}

static void
reopen_log(void *ctx XA_UNUSED)
{
    struct xa_err err = XA_ERR_NONE;
    char why[XA_LOG_VALUE_MAX];

    if (xa_log_reopen(&err) != XA_OK)
        xa_log(XA_ERROR, "log.failed", "cause=%s", xa_log_quote(err.text, why));
    else
        xa_log(XA_INFO, "log.opened", "cause=SIGHUP");
}

static void
server_done(struct server *server)
{
    xa_reply_done(&server->reply);
    xa_buf_free(&server->wire);
}

static enum xa_rc
run(struct xa_io *io, const struct xa_app *app, struct xa_err *err)
{
    enum xa_rc rc;

    xa_log(XA_INFO, "service.started", "version=%s store=%s", PACKAGE_VERSION,
           xa_store_type(app->store));
    xa_log_hold(true);
    rc = xa_io_run(io, err);
    xa_log_hold(false);
    xa_log(XA_INFO, "service.stopped", "result=%s", xa_rc_name(rc));
    return rc;
}

enum xa_rc
xa_serve(int listen_fd, const struct xa_app *app, struct xa_err *err)
{
    XA_AUTO(server_done)
    struct server server = {.app = *app, .wire = XA_BUF(WIRE_MAX)};
    XA_AUTO(xa_io_free) struct xa_io *io = NULL;
    struct xa_io_limits limits = {
        .max_connections = app->config->rest_api.max_connections,
        .read_timeout_ms = app->config->rest_api.read_timeout_ms,
        .drain_timeout_ms = app->config->rest_api.drain_timeout_ms,
        .max_request = app->config->rest_api.max_body_size + PARAMS_MAX,
    };
    struct xa_io_handler handler = {
        .ctx = &server,
        .serve = serve,
        .too_large = refuse_large,
        .hangup = reopen_log,
    };
    enum xa_rc rc;

    xa_reply_init(&server.reply);
    rc = xa_io_new(listen_fd, &limits, &handler, &io, err);
    if (rc != XA_OK)
        return rc;
    return run(io, app, err);
}
