/* test_yaml_lines.c - where keys and values stand in a YAML text. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "core/base/auto.h"
#include "core/support/yaml_lines.h"
#include "tests/unit/unit.h"

static void
lines_of(const char *text, struct xa_lines *out)
{
    assert_int_equal(xa_lines_init(out, text, strlen(text), NULL), XA_OK);
}

/* What a search found, up to the end of the text; NULL if nothing. */
static void
check_found(const char *text, bool found, size_t at, const char *expected)
{
    if (found != (expected != NULL) ||
        (found && strcmp(text + at, expected) != 0))
        fail_msg("in \"%s\": %s", text, found ? text + at : "not found");
}

static void
test_init__refuses_other_ends_of_a_line(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        const char *complaint; /* NULL: none */
    } cases[] = {
        {"", NULL},
        {"a: 1\r\nb: 2\r\n", NULL},
        {"a: caf\xc3\xa9 \xe2\x82\xac\n", NULL},
        {"a\xc2", NULL}, /* not UTF-8, which is for the parser to say */
        {"a\xe2\x80", NULL},
        {"a: 1\rb: 2\n", "line 1 does not end with LF"},
        {"a: 1\n\r", "line 2 does not end with LF"},
        {"a: 1\nb: 2\xc2\x85 c\n", "line 2 does not end with LF"},
        {"a: \xe2\x80\xa8", "line 1 does not end with LF"},
        {"\n\na: \xe2\x80\xa9", "line 3 does not end with LF"},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_lines_done) struct xa_lines lines = XA_LINES_NONE;
        struct xa_err err = XA_ERR_NONE;
        enum xa_rc rc =
            xa_lines_init(&lines, cases[i].text, strlen(cases[i].text), &err);

        assert_int_equal(rc, cases[i].complaint ? XA_E_CONFIG : XA_OK);
        assert_string_equal(err.text,
                            cases[i].complaint ? cases[i].complaint : "");
    }
}

static void
test_lines__are_told_apart(void **state XA_UNUSED)
{
    static const struct {
        const char *line;
        unsigned indent;
        bool is_content, is_comment;
    } cases[] = {
        {"a: 1", 0, true, false},     {"  a: 1 # b", 2, true, false},
        {"   # b", 3, false, true},   {"# b", 0, false, true},
        {"", 0, false, false},        {" \t ", 1, false, false},
        {"    - #a", 4, true, false}, {"  ", 2, false, false},
        {"\r\n", 0, false, false},    {"\t# b", 0, false, true},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_lines_done) struct xa_lines lines = XA_LINES_NONE;

        lines_of(cases[i].line, &lines);
        if (xa_lines_indent(&lines, 1) != cases[i].indent ||
            xa_lines_is_content(&lines, 1) != cases[i].is_content ||
            xa_lines_is_comment(&lines, 1) != cases[i].is_comment)
            fail_msg("\"%s\"", cases[i].line);
    }
}

static void
test_last_content__goes_back_over_blanks_and_comments(void **state XA_UNUSED)
{
    XA_AUTO(xa_lines_done) struct xa_lines lines = XA_LINES_NONE;

    lines_of("a:\n  b: 1\n\n  # c\nd: 1\n", &lines);
    assert_int_equal(lines.count, 5);
    assert_int_equal(xa_lines_last_content(&lines, 1, 5), 2);
    assert_int_equal(xa_lines_last_content(&lines, 1, 6), 5);
    assert_int_equal(xa_lines_last_content(&lines, 3, 5), 3);
    assert_int_equal(xa_lines_last_content(&lines, 3, 3), 3);
    assert_int_equal(xa_lines_start(&lines, 6), lines.len);
    assert_int_equal(xa_lines_start(&lines, 7), lines.len);
}

static void
test_find_value__of_the_key_that_begins_the_line(void **state XA_UNUSED)
{
    static const struct {
        const char *line;
        const char *rest; /* behind the colon; NULL: not found */
    } cases[] = {
        {"key: v", " v"},     {"  key : v", " v"},  {"key:", ""},
        {"key:\tv", "\tv"},   {"\"key\": v", " v"}, {"'key' : v", " v"},
        {"'it''s': v", " v"}, /* quoted: the parser compares */
        {"keys: v", NULL},    {"ke: v", NULL},      {"kex: v", NULL},
        {"key", NULL},        {"key:v", NULL},      {"key # : v", NULL},
        {"\"key: v", NULL},   {"'key'", NULL},      {"'key' v", NULL},
        {"", NULL},           {"    ", NULL},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_lines_done) struct xa_lines lines = XA_LINES_NONE;
        size_t at = 0;
        bool found;

        lines_of(cases[i].line, &lines);
        found = xa_lines_find_value(&lines, 1, "key", &at);
        check_found(cases[i].line, found, at, cases[i].rest);
    }
}

static void
test_scalar_end__on_the_same_line(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        const char *rest; /* behind the scalar; NULL: it has no end here */
    } cases[] = {
        {"plain text", ""},
        {"plain  # why", "  # why"},
        {"a#b: c\nd", "\nd"},
        {"a \r\nb", " \r\nb"},
        {"'it''s' # why", " # why"},
        {"'ends'", ""},
        {"\"say \\\"x\\\"\"\n", "\n"},
        {"\"a\" b", NULL},
        {"\"a\"#b", NULL},
        {"'a\nb'", NULL}, /* ends on the next line */
        {"\"a", NULL},
        {"\"a\\", NULL},
        {"'a''", NULL},
        {"", NULL},
        {"\n", NULL},
        {"&anchor a", NULL},
        {"*alias", NULL},
        {"!tag a", NULL},
        {"| ", NULL},
        {"> ", NULL},
        {"{a: 1}", NULL},
        {"[a]", NULL},
        {"# a", NULL},
        {"- a", NULL},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_lines_done) struct xa_lines lines = XA_LINES_NONE;
        size_t end = 0;
        bool found;

        lines_of(cases[i].text, &lines);
        found = xa_lines_scalar_end(&lines, 0, &end);
        check_found(cases[i].text, found, end, cases[i].rest);
    }
}

static void
test_flow_end__of_what_holds_nothing_to_lose(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        const char *rest; /* behind it; NULL: not found */
    } cases[] = {
        {"[] x", " x"},
        {"{a: [b, {c: d}], e: f} x", " x"},
        {"[a,\n  b]\n", "\n"},
        {"['a]', \"b]\\\"\", c] x", " x"},
        {"{\"a\":\"}\"} x", " x"},
        {"[don't] x", " x"}, /* within a text it is no quote */
        {"[a#b, c&d, e*f] x", " x"},
        {"[a, # why\n b]", NULL},
        {"[&a b]", NULL},
        {"[*a]", NULL},
        {"[a", NULL},
        {"{a: [b}", NULL},
        {"['a]", NULL},
        {"[\"a\\", NULL},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_lines_done) struct xa_lines lines = XA_LINES_NONE;
        size_t end = 0;
        bool found;

        lines_of(cases[i].text, &lines);
        found = xa_lines_flow_end(&lines, 0, lines.len, &end);
        check_found(cases[i].text, found, end, cases[i].rest);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init__refuses_other_ends_of_a_line),
        cmocka_unit_test(test_lines__are_told_apart),
        cmocka_unit_test(test_last_content__goes_back_over_blanks_and_comments),
        cmocka_unit_test(test_find_value__of_the_key_that_begins_the_line),
        cmocka_unit_test(test_scalar_end__on_the_same_line),
        cmocka_unit_test(test_flow_end__of_what_holds_nothing_to_lose),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
