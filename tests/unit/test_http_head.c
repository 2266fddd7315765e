/* test_http_head.c - the header of an answer, line by line. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "core/support/http_head.h"
#include "tests/unit/unit.h"

struct fixture {
    struct xa_http_wanted wanted[2];
    struct xa_http_answer answer;
    struct xa_http_head head;
};

static void
begin(struct fixture *f)
{
    *f = (struct fixture){
        .wanted = {{"X-One", "left over"}, {"X-Two", "left over"}},
        .answer = XA_HTTP_ANSWER(NULL, 2),
    };
    f->answer.wanted = f->wanted;
    xa_http_head_init(&f->head, &f->answer);
}

/* Lines in one text, each with its end. */
static void
feed(struct fixture *f, const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");

        len += text[len] == '\n';
        xa_http_head_line(&f->head, &f->answer, text, len);
        text += len;
    }
}

static void
test_line__reads_what_is_wanted(void **state XA_UNUSED)
{
    static const struct {
        const char *lines;
        const char *one;
        const char *two;
    } table[] = {
        {"", "", ""},
        {"X-One: 7\r\n", "7", ""},
        {"x-oNE:7\r\nX-TWO: \t a b \t\r\n", "7", "a b"},
        {"X-One: 7\nX-Two:\n", "7", ""},
        {"X-One: 7\r\nX-One: 8\r\n", "8", ""},
        {"X-One : 7\r\nX-On: 8\r\nX-Ones: 9\r\n", "", ""},
        {"X-One\r\nX-Two", "", ""},
        /* 63 bytes fit, 64 do not, and then none of them counts */
        {"X-One: "
         "012345678901234567890123456789012345678901234567890123456789012\r\n"
         "X-Two: "
         "0123456789012345678901234567890123456789012345678901234567890123\r\n",
         "012345678901234567890123456789012345678901234567890123456789012", ""},
    };
    struct fixture f;

    for (size_t i = 0; i < XA_COUNT(table); i++) {
        begin(&f);
        feed(&f, "HTTP/1.1 200 OK\r\n");
        feed(&f, table[i].lines);
        assert_string_equal(f.wanted[0].value, table[i].one);
        assert_string_equal(f.wanted[1].value, table[i].two);
        assert_false(f.head.is_done);
        feed(&f, "\r\n");
        assert_true(f.head.is_done);
    }
}

static void
test_line__knows_where_the_body_ends(void **state XA_UNUSED)
{
    static const struct {
        const char *lines;
        bool is_framed;
        uint64_t body_len;
    } table[] = {
        {"Date: now\r\n", false, 0},
        {"Content-Length: 0\r\n", true, 0},
        {"content-length:17\r\n", true, 17},
        {"Transfer-Encoding: chunked\r\n", true, 0},
        {"Content-Length: 18446744073709551615\r\n", true, UINT64_MAX},
        {"Content-Length: 18446744073709551616\r\n", true, UINT64_MAX},
        {"Content-Length: 99999999999999999999999999999\r\n", true, UINT64_MAX},
        {"Content-Length: -1\r\n", true, UINT64_MAX},
        {"Content-Length: 1 2\r\n", true, UINT64_MAX},
        {"Content-Length:\r\n", true, UINT64_MAX},
    };
    struct fixture f;

    for (size_t i = 0; i < XA_COUNT(table); i++) {
        begin(&f);
        feed(&f, "HTTP/1.1 200 OK\r\n");
        feed(&f, table[i].lines);
        feed(&f, "\r\n");
        assert_int_equal(f.head.is_framed, table[i].is_framed);
        assert_true(f.head.body_len == table[i].body_len);
    }
}

/* A NUL would end what is read of a field before its end. */
static void
test_line__makes_nothing_of_a_nul(void **state XA_UNUSED)
{
    static const char one[] = "X-One: 7\0008\r\n";
    static const char two[] = "X-Two: 7\0\r\n";
    static const char length[] = "Content-Length: 17\0\r\n";
    struct fixture f;

    begin(&f);
    xa_http_head_line(&f.head, &f.answer, one, sizeof one - 1);
    xa_http_head_line(&f.head, &f.answer, two, sizeof two - 1);
    xa_http_head_line(&f.head, &f.answer, length, sizeof length - 1);
    assert_string_equal(f.wanted[0].value, "");
    assert_string_equal(f.wanted[1].value, "");
    assert_true(f.head.is_framed);
    assert_true(f.head.body_len == UINT64_MAX);
}

static void
test_line__forgets_interim_answers(void **state XA_UNUSED)
{
    struct fixture f;

    begin(&f);
    feed(&f, "HTTP/1.1 103 Early\r\nX-One: 1\r\nContent-Length: 5\r\n\r\n");
    assert_false(f.head.is_done);
    feed(&f, "HTTP/1.1 200 OK\r\nX-Two: 2\r\n\r\n");
    assert_true(f.head.is_done);
    assert_string_equal(f.wanted[0].value, "");
    assert_string_equal(f.wanted[1].value, "2");
    assert_false(f.head.is_framed);
}

static void
test_line__ignores_trailers(void **state XA_UNUSED)
{
    struct fixture f;

    begin(&f);
    feed(&f, "HTTP/1.1 200 OK\r\nX-One: 1\r\n\r\n");
    feed(&f, "X-One: 2\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    assert_string_equal(f.wanted[0].value, "1");
    assert_false(f.head.is_framed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line__reads_what_is_wanted),
        cmocka_unit_test(test_line__knows_where_the_body_ends),
        cmocka_unit_test(test_line__makes_nothing_of_a_nul),
        cmocka_unit_test(test_line__forgets_interim_answers),
        cmocka_unit_test(test_line__ignores_trailers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
