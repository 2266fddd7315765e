/* test_handlers.c - every route, over a store in memory and fake backends. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/support/crypto.h"
#include "fcgi/app.h"
#include "tests/fakes/memory_store.h"
#include "tests/fakes/registry.h"
#include "tests/unit/unit.h"

#define NOW_US INT64_C(1480933018557553)
#define FOO_BAR "HTTP_AUTHORIZATION=Basic Zm9vOmJhcg=="
#define FOO_BAZ "HTTP_AUTHORIZATION=Basic Zm9vOmJheg=="
#define UNKNOWN "1823c1ee-6c6a-4cdc-9869-964a7f08a744"
#define EXTRA_MAX 6

struct fixture {
    struct xa_config config;
    struct xa_app app;
    struct xa_reply reply;
    struct xa_buf wire;
    int64_t now_us;
};

/* One request; what is not set is not sent. */
struct ask {
    const char *method;
    const char *path;
    const char *query;
    const char *body; /* its length becomes CONTENT_LENGTH */
    const char *extra[EXTRA_MAX];
};

struct source {
    const char *left;
};

static size_t
read_source(void *ctx, void *out, size_t len)
{
    struct source *source = ctx;
    size_t n = strlen(source->left);

    n = n < len ? n : len;
    memcpy(out, source->left, n);
    source->left += n;
    return n;
}

static int
set_up(void **state)
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

static int
tear_down(void **state)
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

/* The whole CGI answer; lent until the next one. */
static const char *
send_request(struct fixture *f, const struct ask *ask)
{
    XA_AUTO(xa_request_done) struct xa_request req = XA_REQUEST_EMPTY;
    struct source source = {ask->body ? ask->body : ""};
    const char *vector[5 + EXTRA_MAX] = {NULL};
    char text[4][512];
    char length[32];
    struct xa_cgi cgi = {vector, read_source, &source};
    size_t n = 0;

    snprintf(length, sizeof length, "%zu", strlen(source.left));
    n = put_param(text, vector, n, "REQUEST_METHOD", ask->method);
    n = put_param(text, vector, n, "PATH_INFO", ask->path);
    n = put_param(text, vector, n, "QUERY_STRING", ask->query);
    n = put_param(text, vector, n, "CONTENT_LENGTH", ask->body ? length : NULL);
    for (size_t i = 0; i < EXTRA_MAX && ask->extra[i]; i++)
        vector[n++] = ask->extra[i];

    xa_request_init(&req, &cgi, f->now_us);
    xa_reply_clear(&f->reply, f->now_us);
    xa_app_answer(&f->app, &req, &f->reply);
    xa_reply_render(&f->reply, req.method == XA_HEAD, &f->wire);
    assert_int_equal(xa_buf_check(&f->wire, NULL), XA_OK);
    return xa_buf_text(&f->wire);
}

static const char *
body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");

    assert_non_null(end);
    return end + 4;
}

static void
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

/* A token of foo, who may foo and bar. */
static void
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

static const char *
token_path(const char *id, char out[128])
{
    snprintf(out, 128, "/0.1/token/%s", id);
    return out;
}

/* --- create --- */

static void
test_token_create__gives_the_whole_token(void **state)
{
    struct fixture *f = *state;
    struct ask ask = {"POST",
                      "/0.1/token",
                      NULL,
                      "{\"backend\": \"mock\", \"expiration\": 60}",
                      {FOO_BAR, "CONTENT_TYPE=application/json"}};
    const char *answer = send_request(f, &ask);
    char expected[1024];
    const char *id = strstr(answer, "\"token\": \"");

    assert_non_null(id);
    snprintf(expected, sizeof expected,
             "{\"data\": {\"token\": \"%.36s\", "
             "\"auth_id\": \"a-mocked-uuid\", \"xivo_user_uuid\": null, "
             "\"xivo_uuid\": \"the-xivo-uuid\", "
             "\"issued_at\": \"2016-12-05T11:16:58.557553\", "
             "\"expires_at\": \"2016-12-05T11:17:58.557553\", "
             "\"utc_issued_at\": \"2016-12-05T10:16:58.557553\", "
             "\"utc_expires_at\": \"2016-12-05T10:17:58.557553\", "
             "\"acls\": [\"foo\", \"bar\"]}}",
             id + strlen("\"token\": \""));
    assert_string_equal(body_of(answer), expected);
    assert_memory_equal(answer, "Status: 200 OK\r\n", 16);
    assert_int_equal(memory_store_count(f->app.store), 1);
}

static void
test_token_create__reads_expiration_strictly(void **state)
{
    static const struct {
        const char *body;
        const char *expires; /* NULL: refused */
    } cases[] = {
        {"{\"backend\": \"mock\"}", "12:16:58"},
        {"{\"backend\": \"mock\", \"expiration\": null}", "12:16:58"},
        {"{\"backend\": \"mock\", \"expiration\": 1}", "10:16:59"},
        {"{\"backend\": \"mock\", \"expiration\": 86400}", "06T10:16:58"},
        {"{\"backend\": \"mock\", \"expiration\": 0}", NULL},
        {"{\"backend\": \"mock\", \"expiration\": -0}", NULL},
        {"{\"backend\": \"mock\", \"expiration\": -1}", NULL},
        {"{\"backend\": \"mock\", \"expiration\": 86401}", NULL},
        {"{\"backend\": \"mock\", \"expiration\": 3600.0}", NULL},
        {"{\"backend\": \"mock\", \"expiration\": 1e3}", NULL},
        {"{\"backend\": \"mock\", \"expiration\": true}", NULL},
        {"{\"backend\": \"mock\", \"expiration\": \"60\"}", NULL},
        {"{\"backend\": \"mock\", \"expiration\": [60]}", NULL},
        {"{\"backend\": \"mock\", \"expiration\": 4294967297}", NULL},
        {"{\"backend\": \"mock\", \"expiration\": 18446744073709551617}", NULL},
        {"{\"backend\": \"mock\", \"expiration\": -18446744073709551615}",
         NULL},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct ask ask = {"POST", "/0.1/token", NULL, cases[i].body, {FOO_BAR}};
        const char *at;

        if (!cases[i].expires) {
            expect_reason(f, &ask, 400, "Invalid expiration");
            continue;
        }
        at = strstr(send_request(f, &ask), "\"utc_expires_at\"");
        if (!at || !strstr(at, cases[i].expires))
            fail_msg("case %zu: %s", i, xa_buf_text(&f->wire));
    }
}

static void
test_token_create__validates_before_it_asks_anybody(void **state)
{
    static const struct {
        struct ask ask;
        unsigned status;
        const char *reason;
    } cases[] = {
        {{.extra = {"CONTENT_TYPE=text/plain", FOO_BAR}},
         415,
         "Content-Type must be application/json"},
        {{.extra = {"CONTENT_TYPE=text/plain", "CONTENT_LENGTH=x"}},
         415,
         "Content-Type must be application/json"},
        {{.extra = {"CONTENT_LENGTH=x", FOO_BAR}},
         400,
         "Incomplete request body"},
        {{.extra = {"CONTENT_LENGTH=5", FOO_BAR}},
         400,
         "Incomplete request body"},
        {{.extra = {"CONTENT_LENGTH=16385"}}, 413, "Request body too large"},
        {{.body = ""}, 400, "Request body is not valid JSON"},
        {{.extra = {FOO_BAR}}, 400, "Request body is not valid JSON"},
        {{.body = "{"}, 400, "Request body is not valid JSON"},
        {{.body = "{\"backend\": 'mock'}"},
         400,
         "Request body is not valid JSON"},
        {{.body = "{} x"}, 400, "Request body is not valid JSON"},
        {{.body = "{\"a\": \"\xff\"}"}, 400, "Request body is not valid JSON"},
        {{.body = "[]"}, 400, "Request body must be a JSON object"},
        {{.body = "null"}, 400, "Request body must be a JSON object"},
        {{.body = "\"x\""}, 400, "Request body must be a JSON object"},
        {{.body = "{\"a\": [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}"},
         400,
         "Request body is nested too deeply"},
        {{.body = "{}"}, 400, "Missing backend"},
        {{.body = "{\"Backend\": \"mock\"}"}, 400, "Missing backend"},
        {{.body = "{\"backend\": null}"}, 400, "Invalid backend"},
        {{.body = "{\"backend\": 1}"}, 400, "Invalid backend"},
        {{.body = "{\"backend\": [\"mock\"]}"}, 400, "Invalid backend"},
        {{.body = "{\"backend\": \"mock\\u0000\"}"}, 400, "Invalid backend"},
        {{.body = "{\"backend\": \"mock\", \"expiration\": 0}"},
         400,
         "Invalid expiration"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct ask ask = cases[i].ask;

        ask.method = "POST";
        ask.path = "/0.1/token";
        expect_reason(f, &ask, cases[i].status, cases[i].reason);
    }
    assert_int_equal(fake_registry_calls(f->app.registry), 0);
    assert_int_equal(memory_store_calls(f->app.store), 0);
}

static void
test_token_create__takes_what_is_deep_but_not_too_deep(void **state)
{
    struct fixture *f = *state;
    struct ask ask = {
        "POST",
        "/0.1/token",
        NULL,
        "{\"backend\": \"mock\", \"a\": [[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}",
        {FOO_BAR}};

    send_request(f, &ask);
    assert_int_equal(f->reply.status, 200);
}

static void
test_token_create__counts_a_double_key_as_json_c_reads_it(void **state)
{
    struct fixture *f = *state;
    struct ask ask = {"POST",
                      "/0.1/token",
                      NULL,
                      "{\"backend\": 1, \"backend\": \"mock\"}",
                      {FOO_BAR}};

    send_request(f, &ask);
    assert_int_equal(f->reply.status, 200);
}

static void
test_token_create__refuses_with_the_same_words(void **state)
{
    static const struct {
        const char *body;
        const char *extra[2];
    } cases[] = {
        {"{\"backend\": \"mock\"}", {NULL}},
        {"{\"backend\": \"mock\"}", {FOO_BAZ}},
        {"{\"backend\": \"nobody\"}", {FOO_BAR}},
        {"{\"backend\": \"\"}", {FOO_BAR}},
        {"{\"backend\": \"broken\"}", {FOO_BAR}},
        {"{\"backend\": \"mock\"}", {FOO_BAR, FOO_BAR}},
        {"{\"backend\": \"mock\"}", {FOO_BAR ", Basic Zm9vOmJhcg=="}},
        {"{\"backend\": \"mock\"}", {"HTTP_AUTHORIZATION=Bearer x"}},
        {"{\"backend\": \"mock\"}", {"REMOTE_USER=foo"}},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct ask ask = {"POST",
                          "/0.1/token",
                          NULL,
                          cases[i].body,
                          {cases[i].extra[0], cases[i].extra[1]}};

        expect_reason(f, &ask, 401, "Authentication Failed");
        assert_non_null(strstr(xa_buf_text(&f->wire),
                               "WWW-Authenticate: Basic realm=\"xivo-auth\", "
                               "charset=\"UTF-8\"\r\n"));
    }
    assert_int_equal(memory_store_calls(f->app.store), 0);
}

static void
test_token_create__tells_whose_server_is_away(void **state)
{
    struct fixture *f = *state;
    struct ask ask = {
        "POST", "/0.1/token", NULL, "{\"backend\": \"directory\"}", {FOO_BAR}};

    expect_reason(f, &ask, 503, "Authentication backend unavailable");
    assert_non_null(strstr(xa_buf_text(&f->wire), "Retry-After: "));
    ask.body = "{\"backend\": \"mock\"}";
    memory_store_fail(f->app.store, XA_E_STORE);
    expect_reason(f, &ask, 500, "Token store failed");
    assert_non_null(strstr(xa_buf_text(&f->wire), "Retry-After: "));
}

/* --- show and check --- */

static void
test_token_show__gives_what_create_gave(void **state)
{
    struct fixture *f = *state;
    char path[128];
    char id[XA_UUID_TEXT];
    char created[1024];
    struct ask ask = {.method = "GET"};

    make_token(f, id);
    snprintf(created, sizeof created, "%s", xa_buf_text(&f->reply.body));
    ask.path = token_path(id, path);
    assert_string_equal(body_of(send_request(f, &ask)), created);
    assert_int_equal(f->reply.status, 200);
    ask.query = "scope=foo";
    assert_string_equal(body_of(send_request(f, &ask)), created);
}

static void
test_token_show__takes_either_case(void **state)
{
    struct fixture *f = *state;
    char path[128];
    char id[XA_UUID_TEXT];
    struct ask ask = {.method = "GET"};

    make_token(f, id);
    for (char *p = id; *p; p++)
        if (*p >= 'a' && *p <= 'f')
            *p = (char)(*p - 'a' + 'A');
    ask.path = token_path(id, path);
    send_request(f, &ask);
    assert_int_equal(f->reply.status, 200);
}

static void
test_token_check__is_204_without_a_body(void **state)
{
    struct fixture *f = *state;
    char path[128];
    char id[XA_UUID_TEXT];
    struct ask ask = {.method = "HEAD"};

    make_token(f, id);
    ask.path = token_path(id, path);
    assert_string_equal(send_request(f, &ask),
                        "Status: 204 No Content\r\n"
                        "Cache-Control: no-store\r\n"
                        "X-Content-Type-Options: nosniff\r\n\r\n");
    ask.query = "scope=bar";
    send_request(f, &ask);
    assert_int_equal(f->reply.status, 204);
}

static void
test_token_check__has_the_status_of_show(void **state)
{
    static const struct {
        const char *path; /* NULL: a token that is valid */
        const char *query;
        unsigned status;
        const char *reason;
    } cases[] = {
        {NULL, "scope=baz", 403, "Unauthorized for baz"},
        {NULL, "scope=", 403, "Unauthorized for "},
        {NULL, "scope=%22+%5c%0a", 403, "Unauthorized for \\\" \\\\\\n"},
        {NULL, "scope=a&scope=b", 400, "Duplicate scope"},
        {NULL, "scope=%ff", 400, "Invalid encoding in request"},
        {"/0.1/token/" UNKNOWN, NULL, 404, "No such token"},
        {"/0.1/token/" UNKNOWN "0", NULL, 404, "No such token"},
        {"/0.1/token/x", "scope=foo", 404, "No such token"},
        {"/0.1/token/\xff", NULL, 400, "Invalid encoding in request"},
        {"/0.1/token/", NULL, 404, "Not found"},
        {"/0.1/token/..", NULL, 404, "Not found"},
    };
    struct fixture *f = *state;
    char path[128];
    char id[XA_UUID_TEXT];

    make_token(f, id);
    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct ask ask = {.method = "GET", .query = cases[i].query};

        ask.path = cases[i].path ? cases[i].path : token_path(id, path);
        expect_reason(f, &ask, cases[i].status, cases[i].reason);
        ask.method = "HEAD";
        assert_string_equal(body_of(send_request(f, &ask)), "");
        assert_int_equal(f->reply.status, cases[i].status);
    }
}

static void
test_token_show__ends_at_the_expiry(void **state)
{
    struct fixture *f = *state;
    char path[128];
    char id[XA_UUID_TEXT];
    struct ask ask = {.method = "GET"};

    make_token(f, id);
    ask.path = token_path(id, path);
    f->now_us = NOW_US + 7200 * INT64_C(1000000) - 1;
    send_request(f, &ask);
    assert_int_equal(f->reply.status, 200);
    f->now_us++;
    send_request(f, &ask);
    assert_int_equal(f->reply.status, 404);
}

static void
test_token_routes__tell_how_the_store_fails(void **state)
{
    static const struct {
        enum xa_rc rc;
        const char *reason;
    } cases[] = {
        {XA_E_STORE, "Token store failed"},
        {XA_E_UNAVAILABLE, "Connection to consul failed"},
        {XA_E_TIMEOUT, "Connection to consul timedout"},
        {XA_E_NOMEM, "Internal error"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct ask ask = {.method = "GET", .path = "/0.1/token/" UNKNOWN};

        memory_store_fail(f->app.store, cases[i].rc);
        expect_reason(f, &ask, 500, cases[i].reason);
        assert_string_equal(f->reply.err.text, "told to fail");
        assert_non_null(strstr(xa_buf_text(&f->wire), "Retry-After: "));
        ask.method = "DELETE";
        expect_reason(f, &ask, 500, cases[i].reason);
    }
}

/* --- revoke --- */

static void
test_token_revoke__succeeds_also_for_a_stranger(void **state)
{
    struct fixture *f = *state;
    char path[128];
    char id[XA_UUID_TEXT];
    struct ask ask = {.method = "DELETE"};

    make_token(f, id);
    ask.path = token_path(id, path);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(body_of(send_request(f, &ask)),
                            "{\"data\": {\"message\": \"success\"}}");
        assert_int_equal(f->reply.status, 200);
        assert_int_equal(memory_store_count(f->app.store), 0);
    }
    ask.method = "GET";
    expect_reason(f, &ask, 404, "No such token");
}

static void
test_token_revoke__refuses_what_is_no_uuid(void **state)
{
    struct fixture *f = *state;
    struct ask ask = {.method = "DELETE", .path = "/0.1/token/x"};

    expect_reason(f, &ask, 404, "No such token");
}

/* --- authorize --- */

static void
test_authorize__answers_by_status_alone(void **state)
{
    static const struct {
        const char *extra[4]; /* @ stands for a valid token */
        const char *query;
        unsigned status;
    } cases[] = {
        {{"HTTP_X_AUTH_TOKEN=@"}, NULL, 204},
        {{"HTTP_AUTHORIZATION=Bearer @"}, NULL, 204},
        {{"HTTP_AUTHORIZATION=bearer @"}, NULL, 204},
        {{"HTTP_X_AUTH_TOKEN=@", "HTTP_AUTHORIZATION=Basic x"}, NULL, 204},
        {{"HTTP_X_AUTH_TOKEN=@"}, "scope=foo", 204},
        {{"HTTP_X_AUTH_TOKEN=@", "XIVO_AUTH_SCOPE=foo"}, NULL, 204},
        {{"HTTP_X_AUTH_TOKEN=@", "XIVO_AUTH_SCOPE=foo"}, "scope=baz", 204},
        {{"HTTP_X_AUTH_TOKEN=@", "XIVO_AUTH_SCOPE=foo"}, "scope=%", 204},
        {{"HTTP_X_AUTH_TOKEN=@", "XIVO_AUTH_SCOPE=foo"},
         "scope=a&scope=b",
         204},

        {{NULL}, NULL, 401},
        {{"HTTP_X_AUTH_TOKEN="}, NULL, 401},
        {{"HTTP_X_AUTH_TOKEN=" UNKNOWN}, NULL, 401},
        {{"HTTP_X_AUTH_TOKEN=" UNKNOWN}, "scope=foo", 401},
        {{"HTTP_X_AUTH_TOKEN=x", "HTTP_AUTHORIZATION=Bearer @"}, NULL, 401},
        {{"HTTP_X_AUTH_TOKEN=@, @"}, NULL, 401},
        {{"HTTP_X_AUTH_TOKEN=@", "HTTP_X_AUTH_TOKEN=@"}, NULL, 401},
        {{"HTTP_AUTHORIZATION=Bearer @", "HTTP_AUTHORIZATION=Bearer @"},
         NULL,
         401},
        {{"HTTP_AUTHORIZATION=Bearer  @"}, NULL, 401},
        {{"HTTP_AUTHORIZATION=Bearer @, Bearer @"}, NULL, 401},
        {{"HTTP_AUTHORIZATION=Basic @"}, NULL, 401},
        {{"HTTP_AUTHORIZATION=@"}, NULL, 401},

        {{"HTTP_X_AUTH_TOKEN=@"}, "scope=baz", 403},
        {{"HTTP_X_AUTH_TOKEN=@"}, "scope=", 403},
        {{"HTTP_X_AUTH_TOKEN=@", "XIVO_AUTH_SCOPE=baz"}, "scope=foo", 403},
        {{"HTTP_X_AUTH_TOKEN=@", "XIVO_AUTH_SCOPE="}, "scope=foo", 403},
        {{"HTTP_X_AUTH_TOKEN=@", "XIVO_AUTH_LATER=foo"}, NULL, 403},

        {{"HTTP_X_AUTH_TOKEN=@"}, "scope=foo&scope=foo", 400},
        {{"HTTP_X_AUTH_TOKEN=@", "XIVO_AUTH_SCOPE=\xff"}, NULL, 400},
        {{"HTTP_X_AUTH_TOKEN=@", "XIVO_AUTH_SCOPE=foo", "XIVO_AUTH_SCOPE=foo"},
         NULL,
         400},
    };
    struct fixture *f = *state;
    char id[XA_UUID_TEXT];

    make_token(f, id);
    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct ask ask = {.path = "/0.1/authorize", .query = cases[i].query};
        char text[4][256];

        for (size_t k = 0; k < 4 && cases[i].extra[k]; k++) {
            const char *from = cases[i].extra[k];
            char *to = text[k];

            for (; *from; from++)
                to += sprintf(to, *from == '@' ? "%s" : "%.1s",
                              *from == '@' ? id : from);
            *to = '\0';
            ask.extra[k] = text[k];
        }
        for (int head = 0; head < 2; head++) {
            const char *answer;

            ask.method = head ? "HEAD" : "GET";
            answer = send_request(f, &ask);
            if (f->reply.status != cases[i].status)
                fail_msg("case %zu: %s", i, answer);
            assert_string_equal(body_of(answer), "");
            assert_int_equal(strstr(answer, "WWW-Authenticate: Bearer\r\n") !=
                                 NULL,
                             cases[i].status == 401);
        }
    }
}

static void
test_authorize__tells_who_it_is(void **state)
{
    struct fixture *f = *state;
    struct xa_identity who = XA_IDENTITY_EMPTY;
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    char header[64];
    struct ask ask = {"GET", "/0.1/authorize", NULL, NULL, {header}};

    assert_int_equal(xa_identity_set_auth_id(&who, "l\xc3\xa9 100%", NULL),
                     XA_OK);
    assert_int_equal(xa_identity_set_user_uuid(&who, "a uuid", NULL), XA_OK);
    assert_int_equal(
        xa_token_manager_issue(f->app.manager, &who, 60, NOW_US, &token, NULL),
        XA_OK);
    xa_identity_done(&who);
    snprintf(header, sizeof header, "HTTP_X_AUTH_TOKEN=%s", xa_token_id(token));
    assert_string_equal(send_request(f, &ask),
                        "Status: 204 No Content\r\n"
                        "Cache-Control: no-store\r\n"
                        "X-Content-Type-Options: nosniff\r\n"
                        "X-Auth-Id: l%C3%A9 100%25\r\n"
                        "X-Auth-User-Uuid: a uuid\r\n\r\n");
}

static void
test_authorize__is_500_when_the_store_is_down(void **state)
{
    struct fixture *f = *state;
    struct ask ask = {
        "GET", "/0.1/authorize", NULL, NULL, {"HTTP_X_AUTH_TOKEN=" UNKNOWN}};

    memory_store_fail(f->app.store, XA_E_TIMEOUT);
    assert_string_equal(body_of(send_request(f, &ask)), "");
    assert_int_equal(f->reply.status, 500);
    assert_non_null(strstr(xa_buf_text(&f->wire), "Retry-After: "));
}

/* --- the rest --- */

static void
test_backends__are_listed(void **state)
{
    struct fixture *f = *state;
    struct ask ask = {"GET", "/0.1/backends", NULL, NULL, {NULL}};

    assert_string_equal(body_of(send_request(f, &ask)),
                        "{\"data\": [\"mock\", \"directory\", \"broken\"]}");
}

static void
test_status__tells_what_is_down(void **state)
{
    struct fixture *f = *state;
    struct ask ask = {"GET", "/0.1/status", NULL, NULL, {NULL}};

    assert_string_equal(
        body_of(send_request(f, &ask)),
        "{\"data\": {\"store\": {\"type\": \"memory\", \"status\": \"ok\"}, "
        "\"backends\": {\"mock\": \"ok\", \"directory\": \"fail\", "
        "\"broken\": \"fail\"}, "
        "\"reason\": {\"directory\": \"unavailable\", "
        "\"broken\": \"start failed\"}, "
        "\"version\": \"" PACKAGE_VERSION "\"}}");
    assert_int_equal(f->reply.status, 200);
    assert_int_equal(fake_registry_calls(f->app.registry), 0);

    memory_store_fail(f->app.store, XA_E_UNAVAILABLE);
    assert_non_null(strstr(send_request(f, &ask),
                           "{\"type\": \"memory\", \"status\": \"fail\", "
                           "\"reason\": \"Connection to consul failed\"}"));
    assert_int_equal(f->reply.status, 503);
    assert_non_null(strstr(xa_buf_text(&f->wire), "Retry-After: "));
}

static void
test_api__is_the_document(void **state)
{
    struct fixture *f = *state;
    struct ask ask = {"GET", "/0.1/api/api.yml", NULL, NULL, {NULL}};
    const char *answer = send_request(f, &ask);

    assert_non_null(strstr(answer, "Content-Type: application/x-yaml\r\n"));
    assert_non_null(strstr(answer, "\nopenapi: \"3.0.3\"\n"));
}

static void
test_head__has_the_headers_of_get(void **state)
{
    static const char *const paths[] = {"/0.1/backends", "/0.1/status",
                                        "/0.1/api/api.yml", "/0.1/none"};
    struct fixture *f = *state;

    for (size_t i = 0; i < XA_COUNT(paths); i++) {
        struct ask ask = {"GET", paths[i], NULL, NULL, {NULL}};
        char headers[1024];
        const char *answer = send_request(f, &ask);

        snprintf(headers, sizeof headers, "%.*s",
                 (int)(body_of(answer) - answer), answer);
        ask.method = "HEAD";
        assert_string_equal(send_request(f, &ask), headers);
    }
}

static void
test_answer__tells_the_methods_of_a_path(void **state)
{
    static const struct {
        const char *method;
        const char *path;
        const char *allow;
    } cases[] = {
        {"GET", "/0.1/token", "Allow: POST\r\n"},
        {"OPTIONS", "/0.1/token", "Allow: POST\r\n"},
        {"PUT", "/0.1/token/x", "Allow: GET, HEAD, DELETE\r\n"},
        {"get", "/0.1/status", "Allow: GET, HEAD\r\n"},
        {NULL, "/0.1/status", "Allow: GET, HEAD\r\n"},
        {"", "/0.1/api/api.yml", "Allow: GET, HEAD\r\n"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct ask ask = {
            cases[i].method, cases[i].path, "scope=%", NULL, {NULL}};

        expect_reason(f, &ask, 405, "Method not allowed");
        assert_non_null(strstr(xa_buf_text(&f->wire), cases[i].allow));
    }
}

static void
test_answer__refuses_a_parameter_that_stands_twice(void **state)
{
    static const char *const params[] = {
        "REQUEST_METHOD=GET", "PATH_INFO=/0.1/backends",
        "QUERY_STRING=", "CONTENT_LENGTH=0", "XIVO_AUTH_SCOPE=a"};
    struct fixture *f = *state;

    for (size_t i = 0; i < XA_COUNT(params); i++) {
        struct ask ask = {NULL,
                          NULL,
                          NULL,
                          NULL,
                          {"REQUEST_METHOD=GET", "PATH_INFO=/0.1/backends",
                           params[i], params[i]}};

        expect_reason(f, &ask, 400, "Invalid encoding in request");
    }
}

static void
test_answer__keeps_nothing_of_the_request_before(void **state)
{
    struct fixture *f = *state;
    struct ask ask = {
        "POST", "/0.1/token", NULL, "{\"backend\": \"mock\"}", {FOO_BAR}};

    send_request(f, &ask);
    assert_int_equal(f->reply.status, 200);
    ask.extra[0] = NULL;
    expect_reason(f, &ask, 401, "Authentication Failed");
}

static int
init(void **state XA_UNUSED)
{
    setenv("TZ", "XXX-1", 1); /* an hour ahead of UTC */
    tzset();
    xa_log_capture(NULL, NULL, XA_CRITICAL);
    return xa_crypto_init(NULL) == XA_OK ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_token_create__gives_the_whole_token),
        TEST(test_token_create__reads_expiration_strictly),
        TEST(test_token_create__validates_before_it_asks_anybody),
        TEST(test_token_create__takes_what_is_deep_but_not_too_deep),
        TEST(test_token_create__counts_a_double_key_as_json_c_reads_it),
        TEST(test_token_create__refuses_with_the_same_words),
        TEST(test_token_create__tells_whose_server_is_away),
        TEST(test_token_show__gives_what_create_gave),
        TEST(test_token_show__takes_either_case),
        TEST(test_token_check__is_204_without_a_body),
        TEST(test_token_check__has_the_status_of_show),
        TEST(test_token_show__ends_at_the_expiry),
        TEST(test_token_routes__tell_how_the_store_fails),
        TEST(test_token_revoke__succeeds_also_for_a_stranger),
        TEST(test_token_revoke__refuses_what_is_no_uuid),
        TEST(test_authorize__answers_by_status_alone),
        TEST(test_authorize__tells_who_it_is),
        TEST(test_authorize__is_500_when_the_store_is_down),
        TEST(test_backends__are_listed),
        TEST(test_status__tells_what_is_down),
        TEST(test_api__is_the_document),
        TEST(test_head__has_the_headers_of_get),
        TEST(test_answer__tells_the_methods_of_a_path),
        TEST(test_answer__refuses_a_parameter_that_stands_twice),
        TEST(test_answer__keeps_nothing_of_the_request_before),
    };

    return cmocka_run_group_tests(tests, init, NULL);
}
