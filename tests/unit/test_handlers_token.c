/* test_handlers_token.c - create, show, check and revoke a token. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/fakes/memory_store.h"
#include "tests/fakes/registry.h"
#include "tests/unit/handlers_fixture.h"

#define FOO_BAZ "HTTP_AUTHORIZATION=Basic Zm9vOmJheg=="

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

static const struct {
    struct ask ask;
    unsigned status;
    const char *reason;
} bad_requests[] = {
    {{.extra = {"CONTENT_TYPE=text/plain", FOO_BAR}},
     415,
     "Content-Type must be application/json"},
    {{.extra = {"CONTENT_TYPE=text/plain", "CONTENT_LENGTH=x"}},
     415,
     "Content-Type must be application/json"},
    {{.extra = {"CONTENT_LENGTH=x", FOO_BAR}}, 400, "Incomplete request body"},
    {{.extra = {"CONTENT_LENGTH=5", FOO_BAR}}, 400, "Incomplete request body"},
    {{.extra = {"CONTENT_LENGTH=16385"}}, 413, "Request body too large"},
    {{.body = ""}, 400, "Request body is not valid JSON"},
    {{.extra = {FOO_BAR}}, 400, "Request body is not valid JSON"},
    {{.body = "{"}, 400, "Request body is not valid JSON"},
    {{.body = "{\"backend\": 'mock'}"}, 400, "Request body is not valid JSON"},
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

static void
test_token_create__validates_before_it_asks_anybody(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < XA_COUNT(bad_requests); i++) {
        struct ask ask = bad_requests[i].ask;

        ask.method = "POST";
        ask.path = "/0.1/token";
        expect_reason(f, &ask, bad_requests[i].status, bad_requests[i].reason);
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HANDLER_TEST(test_token_create__gives_the_whole_token),
        HANDLER_TEST(test_token_create__reads_expiration_strictly),
        HANDLER_TEST(test_token_create__validates_before_it_asks_anybody),
        HANDLER_TEST(test_token_create__takes_what_is_deep_but_not_too_deep),
        HANDLER_TEST(test_token_create__counts_a_double_key_as_json_c_reads_it),
        HANDLER_TEST(test_token_create__refuses_with_the_same_words),
        HANDLER_TEST(test_token_create__tells_whose_server_is_away),
        HANDLER_TEST(test_token_show__gives_what_create_gave),
        HANDLER_TEST(test_token_show__takes_either_case),
        HANDLER_TEST(test_token_check__is_204_without_a_body),
        HANDLER_TEST(test_token_check__has_the_status_of_show),
        HANDLER_TEST(test_token_show__ends_at_the_expiry),
        HANDLER_TEST(test_token_routes__tell_how_the_store_fails),
        HANDLER_TEST(test_token_revoke__succeeds_also_for_a_stranger),
        HANDLER_TEST(test_token_revoke__refuses_what_is_no_uuid),
    };

    return cmocka_run_group_tests(tests, handlers_init, NULL);
}
