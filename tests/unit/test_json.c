/* test_json.c - JSON in by json-c's strict mode, JSON out by hand. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include <json.h>

#include "core/support/json.h"
#include "tests/unit/unit.h"

static enum xa_json_fault
fault_of(const char *text, size_t len, int max_depth)
{
    struct json_object *json = NULL;
    enum xa_json_fault fault = xa_json_parse(text, len, max_depth, &json);

    if (fault != XA_JSON_FINE)
        assert_null(json);
    xa_json_free(&json);
    return fault;
}

static void
test_parse__takes_every_kind_of_value(void **state XA_UNUSED)
{
    static const char *const good[] = {
        "{}",     "[]",     " {}",         "{} \t\r\n", "null",   "true",
        "false",  "0",      "-1",          "12",        "1.5",    "1e5",
        "\"x\"",  "\"\"",   "[1, \"a\"]",  "{\"a\": {}}",
        "\"\\u00e9\\ud83d\\ude00\"", "\"\xc3\xa9\"", " 12 ", "\"\\u0000\"",
        "{\"a\": 1, \"a\": 2}",
    };

    for (size_t i = 0; i < XA_COUNT(good); i++)
        if (fault_of(good[i], strlen(good[i]), 16) != XA_JSON_FINE)
            fail_msg("%s", good[i]);
}

static void
test_parse__refuses_what_is_no_json(void **state XA_UNUSED)
{
    static const char *const bad[] = {
        "",          " ",         "{",         "[",          "}",
        "{]",        "[}",        "[1,]",      "[,]",        "[1 2]",
        "{\"a\":1,}", "{\"a\"}",  "{\"a\":}",  "{a:1}",      "{1:1}",
        "{\"a\":'b'}", "[nan]",   "[infinity]", "[01]",      "[.5]",
        "[+1]",      "[-]",       "[1e]",      "[0x10]",     "[TRUE]",
        "[Null]",    "tru",       "truex",     "12x",        "\"x",
        "\"\\x41\"", "\"\\'\"",   "\"\\u12\"", "/* */{}",    "{}//",
        "{}x",       "{}{}",      "{} []",     "[]]",        "\xef\xbb\xbf{}",
        "\xc2\xa0{}", "\v{}",
    };

    for (size_t i = 0; i < XA_COUNT(bad); i++)
        if (fault_of(bad[i], strlen(bad[i]), 16) != XA_JSON_SYNTAX)
            fail_msg("%s", bad[i]);
}

static void
test_parse__refuses_nul_and_what_is_no_utf8(void **state XA_UNUSED)
{
    assert_int_equal(fault_of("{}\0", 3, 16), XA_JSON_SYNTAX);
    assert_int_equal(fault_of("\0{}", 3, 16), XA_JSON_SYNTAX);
    assert_int_equal(fault_of("[1\0]", 4, 16), XA_JSON_SYNTAX);
    assert_int_equal(fault_of("12\0", 3, 16), XA_JSON_SYNTAX);
    assert_int_equal(fault_of("\"a\0b\"", 5, 16), XA_JSON_SYNTAX);
    assert_int_equal(fault_of("\"\xff\"", 3, 16), XA_JSON_SYNTAX);
    assert_int_equal(fault_of("\"\xed\xa0\x80\"", 5, 16), XA_JSON_SYNTAX);
    assert_int_equal(fault_of("\"\xc3\"", 3, 16), XA_JSON_SYNTAX);
}

static void
test_parse__reads_no_further_than_len(void **state XA_UNUSED)
{
    char text[] = {'[', '1', '2', ']'};

    assert_int_equal(fault_of(text, sizeof text, 1), XA_JSON_FINE);
    assert_int_equal(fault_of(text + 1, 2, 1), XA_JSON_FINE);
    assert_int_equal(fault_of("{}garbage", 2, 1), XA_JSON_FINE);
}

static void
test_parse__counts_levels_exactly(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        int max_depth;
        enum xa_json_fault fault;
    } cases[] = {
        {"1", 0, XA_JSON_FINE},
        {"[]", 0, XA_JSON_TOO_DEEP},
        {"[1]", 0, XA_JSON_TOO_DEEP},
        {"{}", 1, XA_JSON_FINE},
        {"{\"a\": 1}", 1, XA_JSON_FINE},
        {"{\"a\": []}", 1, XA_JSON_TOO_DEEP},
        {"{\"a\": [1]}", 1, XA_JSON_TOO_DEEP},
        {"[[[]]]", 3, XA_JSON_FINE},
        {"[[[1]]]", 3, XA_JSON_FINE},
        {"[[[]]]", 2, XA_JSON_TOO_DEEP},
        {"[[[1]]]", 2, XA_JSON_TOO_DEEP},
        {"[[[[", 2, XA_JSON_TOO_DEEP},
        {"[[], [], [[]]]", 2, XA_JSON_TOO_DEEP},
        {"[[], [], {}]", 2, XA_JSON_FINE},
        {"[\"[[[[\"]", 1, XA_JSON_FINE},
        {"[\"\\\"[[[\"]", 1, XA_JSON_FINE},
        {"[\"\\\\\", []]", 1, XA_JSON_TOO_DEEP},
        {"{\"a\": [[]], \"a\": 1}", 2, XA_JSON_TOO_DEEP},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++)
        if (fault_of(cases[i].text, strlen(cases[i].text),
                     cases[i].max_depth) != cases[i].fault)
            fail_msg("%s with %d", cases[i].text, cases[i].max_depth);
}

static void
test_parse__hands_over_the_value(void **state XA_UNUSED)
{
    static const char text[] = "{\"backend\": \"mock\", \"expiration\": 10}";
    XA_AUTO(xa_json_free) struct json_object *json = NULL;
    struct json_object *value;

    assert_int_equal(xa_json_parse(text, strlen(text), 16, &json),
                     XA_JSON_FINE);
    assert_true(json_object_object_get_ex(json, "backend", &value));
    assert_string_equal(json_object_get_string(value), "mock");
    assert_true(json_object_object_get_ex(json, "expiration", &value));
    assert_true(json_object_is_type(value, json_type_int));
    assert_int_equal(json_object_get_int64(value), 10);
}

static void
test_put_string__escapes_what_must_be(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        const char *json;
    } cases[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"a\"b\\c/", "\"a\\\"b\\\\c/\""},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
        {"x\ny", "\"x\\ny\""},
        {"\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\""},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_buf_free) struct xa_buf buf = XA_BUF(1024);

        xa_json_put_string(&buf, cases[i].text);
        assert_string_equal(xa_buf_text(&buf), cases[i].json);
    }
}

static void
test_put_string__every_byte_reads_back(void **state XA_UNUSED)
{
    XA_AUTO(xa_buf_free) struct xa_buf buf = XA_BUF(4096);
    XA_AUTO(xa_json_free) struct json_object *json = NULL;
    char text[128];

    for (int i = 1; i < 128; i++)
        text[i - 1] = (char)i;
    text[127] = '\0';
    xa_json_put_string(&buf, text);
    assert_int_equal(xa_json_parse(buf.data, buf.len, 1, &json), XA_JSON_FINE);
    assert_string_equal(json_object_get_string(json), text);
}

static void
test_put_strings__writes_null_and_lists(void **state XA_UNUSED)
{
    static const char *const items[] = {"a", "\"", ""};
    XA_AUTO(xa_buf_free) struct xa_buf buf = XA_BUF(1024);

    xa_json_put_strings(&buf, items, 3);
    xa_json_put_strings(&buf, NULL, 0);
    xa_json_put_string_or_null(&buf, NULL);
    xa_json_put_string_or_null(&buf, "x");
    assert_string_equal(xa_buf_text(&buf),
                        "[\"a\", \"\\\"\", \"\"][]null\"x\"");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse__takes_every_kind_of_value),
        cmocka_unit_test(test_parse__refuses_what_is_no_json),
        cmocka_unit_test(test_parse__refuses_nul_and_what_is_no_utf8),
        cmocka_unit_test(test_parse__reads_no_further_than_len),
        cmocka_unit_test(test_parse__counts_levels_exactly),
        cmocka_unit_test(test_parse__hands_over_the_value),
        cmocka_unit_test(test_put_string__escapes_what_must_be),
        cmocka_unit_test(test_put_string__every_byte_reads_back),
        cmocka_unit_test(test_put_strings__writes_null_and_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
