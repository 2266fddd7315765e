/* test_handlers.c - the routes without a token, and what all have. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/fakes/memory_store.h"
#include "tests/fakes/registry.h"
#include "tests/unit/handlers_fixture.h"

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HANDLER_TEST(test_backends__are_listed),
        HANDLER_TEST(test_status__tells_what_is_down),
        HANDLER_TEST(test_api__is_the_document),
        HANDLER_TEST(test_head__has_the_headers_of_get),
        HANDLER_TEST(test_answer__tells_the_methods_of_a_path),
        HANDLER_TEST(test_answer__refuses_a_parameter_that_stands_twice),
        HANDLER_TEST(test_answer__keeps_nothing_of_the_request_before),
    };

    return cmocka_run_group_tests(tests, handlers_init, NULL);
}
