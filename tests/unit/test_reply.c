/* test_reply.c - an answer, from its parts to bytes. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "fcgi/reply.h"
#include "tests/unit/unit.h"

#define NOW_US INT64_C(1480933018000042)
#define ALWAYS                                                                 \
    "Cache-Control: no-store\r\n"                                              \
    "X-Content-Type-Options: nosniff\r\n"

struct fixture {
    struct xa_reply reply;
    struct xa_buf wire;
};

static int
set_up(void **state)
{
    static struct fixture fixture;

    fixture.wire = (struct xa_buf)XA_BUF(65536);
    xa_reply_init(&fixture.reply);
    xa_reply_clear(&fixture.reply, NOW_US);
    *state = &fixture;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    xa_reply_done(&f->reply);
    xa_buf_free(&f->wire);
    return 0;
}

static const char *
render(struct fixture *f, bool head)
{
    xa_reply_render(&f->reply, head, &f->wire);
    assert_int_equal(xa_buf_check(&f->wire, NULL), XA_OK);
    return xa_buf_text(&f->wire);
}

static void
test_render__gives_a_body_its_type_and_length(void **state)
{
    struct fixture *f = *state;

    xa_buf_puts(&f->reply.body, "{\"data\": []}");
    assert_string_equal(render(f, false), "Status: 200 OK\r\n" ALWAYS
                                          "Content-Type: application/json\r\n"
                                          "Content-Length: 12\r\n"
                                          "\r\n"
                                          "{\"data\": []}");
}

static void
test_render__leaves_the_body_out_for_head(void **state)
{
    struct fixture *f = *state;

    xa_buf_puts(&f->reply.body, "{\"data\": []}");
    assert_string_equal(render(f, true), "Status: 200 OK\r\n" ALWAYS
                                         "Content-Type: application/json\r\n"
                                         "Content-Length: 12\r\n"
                                         "\r\n");
}

static void
test_no_content__has_neither_body_nor_type(void **state)
{
    struct fixture *f = *state;

    xa_buf_puts(&f->reply.body, "x");
    xa_reply_no_content(&f->reply);
    assert_string_equal(render(f, false),
                        "Status: 204 No Content\r\n" ALWAYS "\r\n");
    xa_reply_header(&f->reply, "X-Auth-Id", "me");
    assert_string_equal(render(f, true), "Status: 204 No Content\r\n" ALWAYS
                                         "X-Auth-Id: me\r\n\r\n");
}

static void
test_refuse__says_reason_time_and_status(void **state)
{
    struct fixture *f = *state;

    xa_buf_puts(&f->reply.body, "half an answer");
    xa_reply_header(&f->reply, "X-Half", "an answer");
    xa_reply_refuse(&f->reply, XA_NO_TOKEN, NULL);
    assert_string_equal(render(f, false),
                        "Status: 404 Not Found\r\n" ALWAYS
                        "Content-Type: application/json\r\n"
                        "Content-Length: 83\r\n"
                        "\r\n"
                        "{\"reason\": [\"No such token\"], \"timestamp\": "
                        "[1480933018.000042], \"status_code\": 404}");
    assert_int_equal(f->reply.problem, XA_NO_TOKEN);
}

static void
test_refuse__is_json_before_1970_too(void **state)
{
    struct fixture *f = *state;

    xa_reply_clear(&f->reply, -1500042);
    xa_reply_refuse(&f->reply, XA_NO_TOKEN, NULL);
    assert_non_null(
        strstr(xa_buf_text(&f->reply.body), "\"timestamp\": [-1.500042]"));
}

static void
test_refuse__escapes_the_detail(void **state)
{
    struct fixture *f = *state;

    xa_reply_refuse(&f->reply, XA_NOT_ALLOWED, "a\"b\\c\nd");
    assert_non_null(strstr(xa_buf_text(&f->reply.body),
                           "[\"Unauthorized for a\\\"b\\\\c\\nd\"]"));
}

static void
test_refuse__adds_the_headers_of_the_problem(void **state)
{
    static const struct {
        enum xa_problem problem;
        const char *headers;
    } cases[] = {
        {XA_BAD_CREDENTIALS, "WWW-Authenticate: Basic realm=\"xivo-auth\", "
                             "charset=\"UTF-8\"\r\n"},
        {XA_BAD_BEARER, "WWW-Authenticate: Bearer\r\n"},
        {XA_STORE_FAILED, "Retry-After: 2\r\n"},
        {XA_BACKEND_DOWN, "Retry-After: 2\r\n"},
        {XA_INTERNAL, "Retry-After: 2\r\n"},
        {XA_NO_TOKEN, ""},
        {XA_BAD_JSON, ""},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        xa_reply_refuse(&f->reply, cases[i].problem, NULL);
        assert_string_equal(xa_buf_text(&f->reply.headers), cases[i].headers);
    }
}

static void
test_refuse__has_no_body_when_bare(void **state)
{
    struct fixture *f = *state;

    f->reply.bare = true;
    xa_reply_refuse(&f->reply, XA_NOT_ALLOWED, "a");
    assert_string_equal(render(f, false), "Status: 403 Forbidden\r\n" ALWAYS
                                          "Content-Length: 0\r\n"
                                          "\r\n");
}

static void
test_header_encoded__lets_no_byte_break_a_line(void **state)
{
    static const struct {
        const char *text;
        const char *line;
    } cases[] = {
        {"63f3dc3c-865d", "N: 63f3dc3c-865d\r\n"},
        {"a b", "N: a b\r\n"},
        {" a ", "N: %20a%20\r\n"},
        {"a%41", "N: a%2541\r\n"},
        {"a\r\nX: y", "N: a%0D%0AX: y\r\n"},
        {"\xc3\xa9", "N: %C3%A9\r\n"},
        {"\x7f~!", "N: %7F~!\r\n"},
        {"", "N: \r\n"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        xa_buf_clear(&f->reply.headers);
        xa_reply_header_encoded(&f->reply, "N", cases[i].text);
        assert_string_equal(xa_buf_text(&f->reply.headers), cases[i].line);
    }
}

static void
test_clear__forgets_the_request_before(void **state)
{
    struct fixture *f = *state;

    f->reply.bare = true;
    f->reply.type = "text/plain";
    xa_reply_refuse(&f->reply, XA_BAD_CREDENTIALS, NULL);
    (void)xa_fail(&f->reply.err, XA_E_STORE, "of the request before");
    xa_reply_clear(&f->reply, NOW_US);
    assert_string_equal(f->reply.err.text, "");
    assert_string_equal(render(f, false),
                        "Status: 200 OK\r\n" ALWAYS "Content-Length: 0\r\n"
                        "\r\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_render__gives_a_body_its_type_and_length),
        TEST(test_render__leaves_the_body_out_for_head),
        TEST(test_no_content__has_neither_body_nor_type),
        TEST(test_refuse__says_reason_time_and_status),
        TEST(test_refuse__is_json_before_1970_too),
        TEST(test_refuse__escapes_the_detail),
        TEST(test_refuse__adds_the_headers_of_the_problem),
        TEST(test_refuse__has_no_body_when_bare),
        TEST(test_header_encoded__lets_no_byte_break_a_line),
        TEST(test_clear__forgets_the_request_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
