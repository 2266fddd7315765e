/* handlers_fixture.c - requests to every route, over fakes. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tests/unit/handlers_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/support/crypto.h"
#include "tests/fakes/memory_store.h"
#include "tests/unit/text_body.h"

int
handlers_init(void **state XA_UNUSED)
{
    setenv("TZ", "XXX-1", 1); /* an hour ahead of UTC */
    tzset();
    xa_log_capture(NULL, NULL, XA_CRITICAL);
    return xa_crypto_init(NULL) == XA_OK ? 0 : -1;
}

int
handlers_set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct xa_config *config;

    assert_non_null(f);
    config = &f->config;
    config->default_token_lifetime_s = 7200;
    config->max_token_lifetime_s = 86400;
    config->rest_api.max_body_size = 16384;
    config->store.token_keys = (char *)(uintptr_t) "sha256";
    config->uuid = (char *)(uintptr_t) "the-xivo-uuid";
    f->now_us = NOW_US;
    f->app.config = config;
    f->app.store = memory_store_new();
    f->wire = (struct xa_buf)XA_BUF(XA_REPLY_MAX * 2);
    xa_reply_init(&f->reply);
    assert_int_equal(xa_registry_new(config, &f->app.registry, NULL), XA_OK);
    assert_int_equal(
        xa_token_manager_new(f->app.store, config, &f->app.manager, NULL),
        XA_OK);
    *state = f;
    return 0;
}

int
handlers_tear_down(void **state)
{
    struct fixture *f = *state;

    xa_reply_done(&f->reply);
    xa_buf_free(&f->wire);
    xa_token_manager_free(&f->app.manager);
    xa_registry_free(&f->app.registry);
    xa_store_close(&f->app.store);
    free(f);
    return 0;
}

static size_t
put_param(char text[][512], const char **vector, size_t n, const char *name,
          const char *value)
{
    if (!value)
        return n;
    snprintf(text[n], 512, "%s=%s", name, value);
    vector[n] = text[n];
    return n + 1;
}

const char *
send_request(struct fixture *f, const struct ask *ask)
{
    XA_AUTO(xa_request_done) struct xa_request req = XA_REQUEST_EMPTY;
    struct text_body body = {ask->body ? ask->body : ""};
    const char *vector[5 + EXTRA_MAX] = {NULL};
    char text[4][512];
    char length[32];
    struct xa_cgi cgi = {vector, read_text_body, &body};
    size_t n = 0;

    snprintf(length, sizeof length, "%zu", strlen(body.left));
    n = put_param(text, vector, n, "REQUEST_METHOD", ask->method);
    n = put_param(text, vector, n, "PATH_INFO", ask->path);
    n = put_param(text, vector, n, "QUERY_STRING", ask->query);
    n = put_param(text, vector, n, "CONTENT_LENGTH", ask->body ? length : NULL);
    for (size_t i = 0; i < EXTRA_MAX && ask->extra[i]; i++)
        vector[n++] = ask->extra[i];

    xa_request_init(&req, &cgi, f->now_us);
    xa_reply_clear(&f->reply, f->now_us);
    if (ask->authorizer)
        xa_app_authorize(&f->app, &req, &f->reply);
    else
        xa_app_answer(&f->app, &req, &f->reply);
    xa_reply_render(&f->reply, req.method == XA_HEAD, &f->wire);
    assert_int_equal(xa_buf_check(&f->wire, NULL), XA_OK);
    return xa_buf_text(&f->wire);
}

const char *
body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");

    assert_non_null(end);
    return end + 4;
}

void
expect_reason(struct fixture *f, const struct ask *ask, unsigned status,
              const char *reason)
{
    const char *answer = send_request(f, ask);
    char expected[512];
    char line[64];

    snprintf(line, sizeof line, "Status: %u ", status);
    if (strncmp(answer, line, strlen(line)) != 0)
        fail_msg("expected %u %s, got %s", status, reason, answer);
    snprintf(expected, sizeof expected,
             "{\"reason\": [\"%s\"], \"timestamp\": [1480933018.557553], "
             "\"status_code\": %u}",
             reason, status);
    assert_string_equal(body_of(answer), expected);
    assert_non_null(strstr(answer, "Cache-Control: no-store\r\n"));
    assert_non_null(strstr(answer, "X-Content-Type-Options: nosniff\r\n"));
}

void
make_token(struct fixture *f, char id[XA_UUID_TEXT])
{
    struct ask ask = {
        "POST", "/0.1/token", NULL, "{\"backend\": \"mock\"}", {FOO_BAR}};
    const char *at;

    send_request(f, &ask);
    assert_int_equal(f->reply.status, 200);
    at = strstr(xa_buf_text(&f->reply.body), "\"token\": \"");
    assert_non_null(at);
    snprintf(id, XA_UUID_TEXT, "%s", at + strlen("\"token\": \""));
}
