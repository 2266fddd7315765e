/* test_cors.c - what a page of another origin is told. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "fcgi/router.h"
#include "tests/fakes/memory_store.h"
#include "tests/fakes/registry.h"
#include "tests/unit/handlers_fixture.h"

#define VARY "Vary: Origin\r\n"
#define ANY VARY "Access-Control-Allow-Origin: *\r\n"
#define TO_A VARY "Access-Control-Allow-Origin: https://a.org\r\n"
#define CREDENTIALS "Access-Control-Allow-Credentials: true\r\n"
#define EXPOSE "Access-Control-Expose-Headers: X-Auth-Id, X-B\r\n"
#define GRANT                                                                  \
    "Access-Control-Allow-Methods: DELETE, GET\r\n"                            \
    "Access-Control-Allow-Headers: Content-Type, x-auth-token\r\n"             \
    "Access-Control-Max-Age: 600\r\n"

#define FROM_A "HTTP_ORIGIN=https://a.org"
#define FROM_C "HTTP_ORIGIN=https://c.org"
#define FOR_GET "HTTP_ACCESS_CONTROL_REQUEST_METHOD=GET"

static struct xa_strlist
list_of(const char *const *texts)
{
    struct xa_strlist list = {0};

    for (; *texts; texts++)
        assert_int_equal(xa_strlist_add(&list, *texts, NULL), XA_OK);
    return list;
}

/* Only rest_api.cors of it is set. */
static void
configure(struct xa_config *config, const char *const *origins,
          bool credentials)
{
    static const char *const methods[] = {"DELETE", "GET", NULL};
    static const char *const allow[] = {"Content-Type", "x-auth-token", NULL};
    static const char *const expose[] = {"X-Auth-Id", "X-B", NULL};

    config->rest_api.cors.enabled = true;
    config->rest_api.cors.origins = list_of(origins);
    config->rest_api.cors.methods = list_of(methods);
    config->rest_api.cors.allow_headers = list_of(allow);
    config->rest_api.cors.expose_headers = list_of(expose);
    config->rest_api.cors.supports_credentials = credentials;
    config->rest_api.cors.max_age_s = 600;
}

static void
unconfigure(struct xa_config *config)
{
    xa_strlist_free(&config->rest_api.cors.origins);
    xa_strlist_free(&config->rest_api.cors.methods);
    xa_strlist_free(&config->rest_api.cors.allow_headers);
    xa_strlist_free(&config->rest_api.cors.expose_headers);
}

static const char *const two[] = {"https://a.org", "http://localhost:8080",
                                  NULL};
static const char *const any[] = {"*", NULL};
static const char *const none[] = {NULL};

static const struct {
    const char *const *origins;
    bool credentials;
    bool is_options;
    const char *params[4];
    const char *headers;
} cases[] = {
    /* an answer that a page wants to read */
    {two, false, false, {FROM_A}, TO_A EXPOSE},
    {two, true, false, {FROM_A}, TO_A CREDENTIALS EXPOSE},
    {two,
     true,
     false,
     {"HTTP_ORIGIN=http://localhost:8080"},
     VARY "Access-Control-Allow-Origin: http://localhost:8080\r\n" CREDENTIALS
         EXPOSE},
    {two, true, false, {FROM_C}, VARY},
    {two, true, false, {NULL}, VARY},
    {none, false, false, {FROM_A}, VARY},
    {any, false, false, {FROM_C}, ANY EXPOSE},
    {any, false, false, {NULL}, ANY EXPOSE},
    {any, false, false, {"HTTP_ORIGIN=null"}, ANY EXPOSE},
    /* nearly an origin that may */
    {two, true, false, {"HTTP_ORIGIN="}, VARY},
    {two, true, false, {"HTTP_ORIGIN=null"}, VARY},
    {two, true, false, {"HTTP_ORIGIN=*"}, VARY},
    {two, true, false, {"HTTP_ORIGIN=http://a.org"}, VARY},
    {two, true, false, {"HTTP_ORIGIN=https://A.org"}, VARY},
    {two, true, false, {"HTTP_ORIGIN=https://a.org/"}, VARY},
    {two, true, false, {"HTTP_ORIGIN=https://a.org:443"}, VARY},
    {two, true, false, {"HTTP_ORIGIN=https://a.org.c.org"}, VARY},
    {two, true, false, {"HTTP_ORIGIN=https://xa.org"}, VARY},
    {two, true, false, {"HTTP_ORIGIN=https://a.or"}, VARY},
    {two, true, false, {"HTTP_ORIGIN= https://a.org"}, VARY},
    {two, true, false, {"HTTP_ORIGIN=https://a.org, https://c.org"}, VARY},
    {two, true, false, {"HTTP_ORIGIN=https://a.org\r\nX: y"}, VARY},
    {two, true, false, {FROM_A, FROM_A}, VARY},
    {two, true, false, {FROM_C, FROM_A}, VARY},
    {two, true, false, {"HTTP_ORIGINS=https://a.org"}, VARY},
    {two, true, false, {"HTTP_ORIGIN"}, VARY},
    /* a preflight */
    {two, false, true, {FROM_A, FOR_GET}, TO_A GRANT},
    {two, true, true, {FOR_GET, FROM_A}, TO_A CREDENTIALS GRANT},
    {any, false, true, {FROM_C, FOR_GET}, ANY GRANT},
    {two, false, true, {FROM_C, FOR_GET}, VARY},
    {two, false, true, {FROM_A, FOR_GET, FOR_GET}, TO_A},
    {two,
     false,
     true,
     {FROM_A, "HTTP_ACCESS_CONTROL_REQUEST_METHOD=POST"},
     TO_A},
    {two,
     false,
     true,
     {FROM_A, "HTTP_ACCESS_CONTROL_REQUEST_METHOD=get"},
     TO_A},
    {two,
     false,
     true,
     {FROM_A, "HTTP_ACCESS_CONTROL_REQUEST_METHOD=GET, PUT"},
     TO_A},
    {two, false, true, {FROM_A, "HTTP_ACCESS_CONTROL_REQUEST_METHOD="}, TO_A},
    /* what is asked for is never handed back */
    {two,
     false,
     true,
     {FROM_A, FOR_GET, "HTTP_ACCESS_CONTROL_REQUEST_HEADERS=X-Evil"},
     TO_A GRANT},
    /* an OPTIONS that no page sent */
    {two, false, true, {FROM_A}, TO_A},
    {two, false, true, {FOR_GET}, VARY},
    {any, false, true, {FOR_GET}, ANY},
    {any, false, true, {NULL}, ANY},
};

static void
test_put__tells_only_whom_it_concerns(void **state XA_UNUSED)
{
    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_buf_free) struct xa_buf headers = XA_BUF(4096);
        XA_AUTO(xa_cors_free) struct xa_cors *cors = NULL;
        const char *params[6] = {"REQUEST_METHOD=GET"};
        struct xa_config config = {.path = NULL};

        memcpy(params + 1, cases[i].params, sizeof cases[i].params);
        configure(&config, cases[i].origins, cases[i].credentials);
        assert_int_equal(xa_cors_new(&config, &cors, NULL), XA_OK);
        xa_cors_put(cors, params, cases[i].is_options, &headers);
        if (strcmp(xa_buf_text(&headers), cases[i].headers) != 0)
            fail_msg("case %zu: %s instead of %s", i, xa_buf_text(&headers),
                     cases[i].headers);
        unconfigure(&config);
    }
}

static void
test_put__leaves_out_lists_that_are_empty(void **state XA_UNUSED)
{
    XA_AUTO(xa_buf_free) struct xa_buf headers = XA_BUF(4096);
    XA_AUTO(xa_cors_free) struct xa_cors *cors = NULL;
    const char *const params[] = {FROM_A, FOR_GET, NULL};
    struct xa_config config = {.path = NULL};

    configure(&config, two, false);
    xa_strlist_free(&config.rest_api.cors.allow_headers);
    xa_strlist_free(&config.rest_api.cors.expose_headers);
    config.rest_api.cors.max_age_s = 0;
    assert_int_equal(xa_cors_new(&config, &cors, NULL), XA_OK);
    xa_cors_put(cors, params, false, &headers);
    assert_string_equal(xa_buf_text(&headers), TO_A);
    xa_buf_clear(&headers);
    xa_cors_put(cors, params, true, &headers);
    assert_string_equal(xa_buf_text(&headers),
                        TO_A "Access-Control-Allow-Methods: DELETE, GET\r\n"
                             "Access-Control-Max-Age: 0\r\n");
    unconfigure(&config);
}

static void
test_new__is_nothing_when_off(void **state XA_UNUSED)
{
    XA_AUTO(xa_buf_free) struct xa_buf headers = XA_BUF(4096);
    const char *const params[] = {FROM_A, FOR_GET, NULL};
    struct xa_cors *cors = (struct xa_cors *)&headers;
    struct xa_config config = {.path = NULL};

    configure(&config, any, false);
    config.rest_api.cors.enabled = false;
    assert_int_equal(xa_cors_new(&config, &cors, NULL), XA_OK);
    assert_null(cors);
    xa_cors_put(cors, params, true, &headers);
    assert_int_equal(headers.len, 0);
    xa_cors_free(&cors);
    unconfigure(&config);
}

/* --- through the application --- */

static int
set_up(void **state)
{
    struct fixture *f;
    struct xa_cors *cors = NULL;

    handlers_set_up(state);
    f = *state;
    configure(&f->config, two, false);
    assert_int_equal(xa_cors_new(&f->config, &cors, NULL), XA_OK);
    f->app.cors = cors;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    struct xa_cors *cors = (struct xa_cors *)(uintptr_t)f->app.cors;

    xa_cors_free(&cors);
    unconfigure(&f->config);
    return handlers_tear_down(state);
}

/* Each route, with a store that would fail and a clock that counts nothing. */
static void
test_options__asks_nobody(void **state)
{
    struct fixture *f = *state;
    size_t count;
    const struct xa_route *routes = xa_router_table(&count);

    memory_store_fail(f->app.store, XA_E_UNAVAILABLE);
    for (size_t i = 0; i < count; i++) {
        struct ask ask = {"OPTIONS",
                          routes[i].path,
                          "scope=%",
                          "x",
                          {FOO_BAR, FROM_A, FOR_GET}};
        const char *answer = send_request(f, &ask);

        assert_int_equal(f->reply.status, 200);
        assert_string_equal(body_of(answer), "");
        assert_non_null(strstr(answer, "Content-Length: 0\r\n"));
        assert_non_null(strstr(answer, TO_A GRANT));
        assert_non_null(strstr(answer, ", OPTIONS\r\n"));
    }
    assert_int_equal(fake_registry_calls(f->app.registry), 0);
}

static void
test_options__tells_the_methods_of_a_path(void **state)
{
    struct fixture *f = *state;
    struct ask ask = {"OPTIONS", "/0.1/token/x", NULL, NULL, {NULL}};
    struct ask put = {"PUT", "/0.1/token", NULL, NULL, {FROM_A}};

    assert_non_null(
        strstr(send_request(f, &ask), "Allow: GET, HEAD, DELETE, OPTIONS\r\n"));
    assert_null(strstr(xa_buf_text(&f->wire), "Access-Control"));
    expect_reason(f, &put, 405, "Method not allowed");
    assert_non_null(
        strstr(xa_buf_text(&f->wire), "Allow: POST, OPTIONS\r\n" TO_A));
}

static void
test_answer__can_be_read_whatever_it_is(void **state)
{
    static const struct {
        struct ask ask;
        unsigned status;
    } asks[] = {
        {{"GET", "/0.1/backends", NULL, NULL, {FROM_A}}, 200},
        {{"GET", "/0.1/none", NULL, NULL, {FROM_A}}, 404},
        {{"OPTIONS", "/0.1/none", NULL, NULL, {FROM_A, FOR_GET}}, 404},
        {{"GET", "/0.1/token/" UNKNOWN, NULL, NULL, {FROM_A}}, 404},
        {{"HEAD", "/0.1/token/" UNKNOWN, NULL, NULL, {FROM_A}}, 404},
        {{"GET", "/0.1/authorize", NULL, NULL, {FROM_A}}, 401},
        {{"POST", "/0.1/token", NULL, "{}", {FROM_A}}, 400},
        {{"POST", "/0.1/token", NULL, "{\"backend\": \"mock\"}", {FROM_A}},
         401},
        {{"GET", "/0.1/token/%ff", NULL, NULL, {"PATH_INFO=", FROM_A}}, 400},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < XA_COUNT(asks); i++) {
        const char *answer = send_request(f, &asks[i].ask);
        const char *lines = strstr(answer, TO_A);

        assert_int_equal(f->reply.status, asks[i].status);
        if (!lines)
            fail_msg("case %zu: %s", i, answer);
        assert_null(strstr(lines + 1, "Vary"));
    }
    memory_store_fail(f->app.store, XA_E_UNAVAILABLE);
    assert_non_null(strstr(send_request(f, &asks[3].ask), TO_A));
    assert_int_equal(f->reply.status, 500);
}

#define CORS_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put__tells_only_whom_it_concerns),
        cmocka_unit_test(test_put__leaves_out_lists_that_are_empty),
        cmocka_unit_test(test_new__is_nothing_when_off),
        CORS_TEST(test_options__asks_nobody),
        CORS_TEST(test_options__tells_the_methods_of_a_path),
        CORS_TEST(test_answer__can_be_read_whatever_it_is),
    };

    return cmocka_run_group_tests(tests, handlers_init, NULL);
}
