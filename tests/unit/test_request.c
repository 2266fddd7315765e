/* test_request.c - one request, read from its CGI parameters. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/base/str.h"
#include "fcgi/body.h"
#include "fcgi/path.h"
#include "fcgi/query.h"
#include "fcgi/request.h"
#include "tests/unit/text_body.h"
#include "tests/unit/unit.h"

/* --- path --- */

static const struct {
    const char *path_info;
    const char *request_uri;
    enum xa_problem problem;
    const char *path;
} path_cases[] = {
    {"/0.1/token", NULL, XA_FINE, "/0.1/token"},
    {"/0.1/token", "/api/auth/0.1/status", XA_FINE, "/0.1/token"},
    {"", "/0.1/status", XA_FINE, "/0.1/status"},
    {NULL, "/0.1/status?scope=/../%2f", XA_FINE, "/0.1/status"},
    {NULL, "/0.1/%74oken", XA_FINE, "/0.1/token"},
    {NULL, "/0.1/a+b", XA_FINE, "/0.1/a+b"},
    {NULL, "/0.1/%c3%a9", XA_FINE, "/0.1/\xc3\xa9"},
    {NULL, "/0.1/%2541", XA_FINE, "/0.1/%41"},
    {"/0.1/%41", NULL, XA_FINE, "/0.1/%41"}, /* never decoded again */
    {"/0.1/%zz", NULL, XA_FINE, "/0.1/%zz"},
    {"/a?b", NULL, XA_FINE, "/a?b"},
    {NULL, "/", XA_FINE, "/"},
    {NULL, "/a/.../b", XA_FINE, "/a/.../b"},
    {NULL, "/a/..b/c", XA_FINE, "/a/..b/c"},
    {NULL, "/a/", XA_FINE, "/a/"},

    {NULL, NULL, XA_NO_ROUTE, NULL},
    {"", "", XA_NO_ROUTE, NULL},
    {NULL, "?scope=a", XA_NO_ROUTE, NULL},
    {NULL, "*", XA_NO_ROUTE, NULL},
    {NULL, "http://host/0.1/token", XA_NO_ROUTE, NULL},
    {"0.1/token", NULL, XA_NO_ROUTE, NULL},
    {NULL, "/0.1%2ftoken", XA_NO_ROUTE, NULL},
    {NULL, "/0.1%2Ftoken", XA_NO_ROUTE, NULL},
    {"/0.1%2Ftoken", NULL, XA_NO_ROUTE, NULL},
    {NULL, "/0.1//token", XA_NO_ROUTE, NULL},
    {NULL, "//", XA_NO_ROUTE, NULL},
    {"/0.1//token", NULL, XA_NO_ROUTE, NULL},
    {NULL, "/0.1/../token", XA_NO_ROUTE, NULL},
    {NULL, "/0.1/%2e%2E/token", XA_NO_ROUTE, NULL},
    {NULL, "/0.1/..", XA_NO_ROUTE, NULL},
    {"/..", NULL, XA_NO_ROUTE, NULL},

    {NULL, "/0.1/%", XA_BAD_ENCODING, NULL},
    {NULL, "/0.1/%4", XA_BAD_ENCODING, NULL},
    {NULL, "/0.1/%4?1", XA_BAD_ENCODING, NULL},
    {NULL, "/0.1/%zz", XA_BAD_ENCODING, NULL},
    {NULL, "/0.1/%u0041", XA_BAD_ENCODING, NULL},
    {NULL, "/0.1/%00", XA_BAD_ENCODING, NULL},
    {NULL, "/0.1/%ff", XA_BAD_ENCODING, NULL},
    {NULL, "/0.1/%c0%af", XA_BAD_ENCODING, NULL},
    {NULL, "/0.1/\xff", XA_BAD_ENCODING, NULL},
    {"/0.1/\xff", NULL, XA_BAD_ENCODING, NULL},
};

static void
test_path_read__decodes_once_and_refuses_tricks(void **state XA_UNUSED)
{
    for (size_t i = 0; i < XA_COUNT(path_cases); i++) {
        XA_AUTO(xa_str_free) char *path = NULL;
        enum xa_problem problem = xa_path_read(
            path_cases[i].path_info, path_cases[i].request_uri, &path);

        if (problem != path_cases[i].problem)
            fail_msg("case %zu: problem %d", i, problem);
        if (!path_cases[i].path)
            assert_null(path);
        else
            assert_string_equal(path, path_cases[i].path);
    }
}

static void
test_path_read__bounds_the_length(void **state XA_UNUSED)
{
    char long_path[XA_PATH_MAX + 2];
    XA_AUTO(xa_str_free) char *path = NULL;

    memset(long_path, 'a', sizeof long_path);
    long_path[0] = '/';
    long_path[XA_PATH_MAX + 1] = '\0';
    assert_int_equal(xa_path_read(long_path, NULL, &path), XA_NO_ROUTE);
    long_path[XA_PATH_MAX] = '\0';
    assert_int_equal(xa_path_read(long_path, NULL, &path), XA_FINE);
}

/* --- query --- */

static const struct {
    const char *query;
    enum xa_problem problem;
    const char *scope;
} query_cases[] = {
    {NULL, XA_FINE, NULL},
    {"", XA_FINE, NULL},
    {"&&", XA_FINE, NULL},
    {"a=b", XA_FINE, NULL},
    {"scopes=a&xscope=b&Scope=c", XA_FINE, NULL},
    {"a=scope", XA_FINE, NULL},
    {"scope=", XA_FINE, ""},
    {"scope", XA_FINE, ""},
    {"scope&a=b", XA_FINE, ""},
    {"scope=confd.users.me", XA_FINE, "confd.users.me"},
    {"a=b&scope=c&d=e", XA_FINE, "c"},
    {"scope=a=b", XA_FINE, "a=b"},
    {"scope=a;scope=b", XA_FINE, "a;scope=b"},
    {"scope=a+b%2Bc", XA_FINE, "a b+c"},
    {"scope=%23%26%3d", XA_FINE, "#&="},
    {"scope=%C3%A9", XA_FINE, "\xc3\xa9"},
    {"scope=%2541", XA_FINE, "%41"},
    {"scope=%0a", XA_FINE, "\n"},
    {"%73%63%6f%70%65=x", XA_FINE, "x"},
    {"a=%zz&scope=x", XA_FINE, "x"}, /* not ours to judge */
    {"%zz=a&scope=x", XA_FINE, "x"},

    {"scope=%", XA_BAD_ENCODING, NULL},
    {"scope=%4", XA_BAD_ENCODING, NULL},
    {"scope=%4&1", XA_BAD_ENCODING, NULL},
    {"scope=%gg", XA_BAD_ENCODING, NULL},
    {"scope=a%00b", XA_BAD_ENCODING, NULL},
    {"scope=%00", XA_BAD_ENCODING, NULL},
    {"scope=%ff", XA_BAD_ENCODING, NULL},
    {"scope=\xff", XA_BAD_ENCODING, NULL},
    {"scope=%ed%a0%80", XA_BAD_ENCODING, NULL},

    {"scope=a&scope=a", XA_BAD_SCOPE_TWICE, NULL},
    {"scope=a&scope", XA_BAD_SCOPE_TWICE, NULL},
    {"scope&b=c&scope", XA_BAD_SCOPE_TWICE, NULL},
    {"scope=a&%73cope=b", XA_BAD_SCOPE_TWICE, NULL},
};

static void
test_query_scope__finds_the_one_scope(void **state XA_UNUSED)
{
    for (size_t i = 0; i < XA_COUNT(query_cases); i++) {
        XA_AUTO(xa_str_free) char *scope = NULL;
        enum xa_problem problem = xa_query_scope(query_cases[i].query, &scope);

        if (problem != query_cases[i].problem)
            fail_msg("case %zu: problem %d", i, problem);
        if (!query_cases[i].scope)
            assert_null(scope);
        else
            assert_string_equal(scope, query_cases[i].scope);
    }
}

/* --- parameters --- */

static void
test_params_read__takes_the_first_and_tells_of_a_second(void **state XA_UNUSED)
{
    static const char *const vector[] = {
        "REQUEST_METHOD=GET",
        "=x",
        "nothing",
        "REQUEST_METHODS=PUT",
        "REMOTE_ADDR=192.0.2.1",
        "HTTP_AUTHORIZATION=Basic a=",
        "REMOTE_ADDR=192.0.2.2",
        "XIVO_AUTH_SCOPE=a.b",
        NULL,
    };
    struct xa_params params;

    xa_params_read(vector, &params);
    assert_string_equal(params.method, "GET");
    assert_string_equal(params.remote_addr, "192.0.2.1");
    assert_string_equal(params.authorization, "Basic a=");
    assert_string_equal(params.scope, "a.b");
    assert_null(params.query);
    assert_false(params.doubled);
    assert_false(params.unknown_rule);
}

static void
test_params_read__tells_what_may_not_stand_twice(void **state XA_UNUSED)
{
    static const struct {
        const char *param;
        bool doubled;
        bool authorization;
        bool auth_token;
    } cases[] = {
        {"REQUEST_METHOD=GET", true, false, false},
        {"PATH_INFO=", true, false, false},
        {"QUERY_STRING=", true, false, false},
        {"CONTENT_LENGTH=", true, false, false},
        {"XIVO_AUTH_SCOPE=a", true, false, false},
        {"XIVO_AUTH_LATER=a", true, false, false},
        {"HTTP_AUTHORIZATION=a", false, true, false},
        {"HTTP_X_AUTH_TOKEN=a", false, false, true},
        {"REQUEST_URI=/", false, false, false},
        {"CONTENT_TYPE=a", false, false, false},
        {"HTTP_ACCEPT=a", false, false, false},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        const char *const vector[] = {cases[i].param, "HTTP_HOST=h",
                                      cases[i].param, NULL};
        struct xa_params params;

        xa_params_read(vector, &params);
        if (params.doubled != cases[i].doubled ||
            params.twice_authorization != cases[i].authorization ||
            params.twice_auth_token != cases[i].auth_token)
            fail_msg("%s", cases[i].param);
    }
}

static void
test_params_read__tells_a_rule_that_it_does_not_know(void **state XA_UNUSED)
{
    static const char *const vector[] = {"XIVO_AUTH_LATER=a", NULL};
    struct xa_params params;

    xa_params_read(vector, &params);
    assert_true(params.unknown_rule);
    assert_false(params.doubled);
}

/* --- the whole --- */

static void
test_request_init__notes_what_is_wrong(void **state XA_UNUSED)
{
    static const char *const good[] = {"REQUEST_METHOD=DELETE",
                                       "PATH_INFO=/0.1/token",
                                       "QUERY_STRING=scope=a", NULL};
    static const char *const bad[] = {"REQUEST_METHOD=delete", "REQUEST_URI=/%",
                                      "QUERY_STRING=scope=%", NULL};
    static const char *const none[] = {NULL};
    XA_AUTO(xa_request_done) struct xa_request req = XA_REQUEST_EMPTY;

    xa_request_init(&req, &(struct xa_cgi){.params = good}, 7);
    assert_int_equal(req.method, XA_DELETE);
    assert_string_equal(req.path, "/0.1/token");
    assert_string_equal(req.scope, "a");
    assert_int_equal(req.now_us, 7);
    xa_request_done(&req);
    assert_null(req.path);

    xa_request_init(&req, &(struct xa_cgi){.params = bad}, 7);
    assert_int_equal(req.method, XA_OTHER_METHOD);
    assert_int_equal(req.path_problem, XA_BAD_ENCODING);
    assert_int_equal(req.scope_problem, XA_BAD_ENCODING);
    xa_request_done(&req);

    xa_request_init(&req, &(struct xa_cgi){.params = none}, 7);
    assert_int_equal(req.method, XA_OTHER_METHOD);
    assert_int_equal(req.path_problem, XA_NO_ROUTE);
    assert_int_equal(req.scope_problem, XA_FINE);
}

/* --- body --- */

static void
test_is_json_type__takes_json_alone(void **state XA_UNUSED)
{
    static const struct {
        const char *type;
        bool is_json;
    } cases[] = {
        {NULL, true},
        {"", true},
        {"application/json", true},
        {"Application/JSON", true},
        {"application/json;charset=utf-8", true},
        {"application/json ; charset=utf-8", true},
        {"application/jsonp", false},
        {"application/json-patch+json", false},
        {"application/json, text/plain", false},
        {"application/x-www-form-urlencoded", false},
        {"text/json", false},
        {" application/json", false},
        {"json", false},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++)
        if (xa_body_is_json_type(cases[i].type) != cases[i].is_json)
            fail_msg("case %zu", i);
}

static void
test_body_read__takes_what_content_length_says(void **state XA_UNUSED)
{
    static const struct {
        const char *length; /* NULL: no CONTENT_LENGTH */
        const char *sent;
        enum xa_problem problem;
        const char *body;
    } cases[] = {
        {NULL, "", XA_FINE, ""},
        {"", "", XA_FINE, ""},
        {"0", "abc", XA_FINE, ""},
        {NULL, "abc", XA_FINE, ""},
        {"3", "abc", XA_FINE, "abc"},
        {"2", "abc", XA_FINE, "ab"},
        {"003", "abc", XA_FINE, "abc"},
        {"8", "12345678", XA_FINE, "12345678"},
        {"4", "abc", XA_BAD_BODY_LENGTH, NULL},
        {"1", "", XA_BAD_BODY_LENGTH, NULL},
        {"-1", "abc", XA_BAD_BODY_LENGTH, NULL},
        {"+3", "abc", XA_BAD_BODY_LENGTH, NULL},
        {" 3", "abc", XA_BAD_BODY_LENGTH, NULL},
        {"3 ", "abc", XA_BAD_BODY_LENGTH, NULL},
        {"0x3", "abc", XA_BAD_BODY_LENGTH, NULL},
        {"3.0", "abc", XA_BAD_BODY_LENGTH, NULL},
        {"three", "abc", XA_BAD_BODY_LENGTH, NULL},
        {"3,3", "abc", XA_BAD_BODY_LENGTH, NULL},
        {"9", "123456789", XA_TOO_LARGE, NULL},
        {"99999999999999999999999", "", XA_TOO_LARGE, NULL},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_buf_free) struct xa_buf body = XA_BUF(8);
        struct text_body text = {cases[i].sent};
        struct xa_request req = XA_REQUEST_EMPTY;
        enum xa_problem problem;

        req.params.content_length = cases[i].length;
        req.cgi.read = read_text_body;
        req.cgi.read_ctx = &text;
        problem = xa_body_read(&req, &body);
        if (problem != cases[i].problem)
            fail_msg("case %zu: problem %d", i, problem);
        if (problem == XA_FINE) {
            assert_int_equal(body.len, strlen(cases[i].body));
            assert_string_equal(xa_buf_text(&body), cases[i].body);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path_read__decodes_once_and_refuses_tricks),
        cmocka_unit_test(test_path_read__bounds_the_length),
        cmocka_unit_test(test_query_scope__finds_the_one_scope),
        cmocka_unit_test(
            test_params_read__takes_the_first_and_tells_of_a_second),
        cmocka_unit_test(test_params_read__tells_what_may_not_stand_twice),
        cmocka_unit_test(test_params_read__tells_a_rule_that_it_does_not_know),
        cmocka_unit_test(test_request_init__notes_what_is_wrong),
        cmocka_unit_test(test_is_json_type__takes_json_alone),
        cmocka_unit_test(test_body_read__takes_what_content_length_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
