/* test_yaml_node.c - what can be done with a tree. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/support/yaml.h"
#include "tests/unit/unit.h"
#include "tests/unit/yaml_tree.h"

static void
test_node__knows_where_it_stands(void **state XA_UNUSED)
{
    XA_AUTO(xa_node_free) struct xa_node *root = NULL;
    const struct xa_node *list;
    const char *key;

    assert_int_equal(
        parse("# x\na: 1\nb:\n  - 'yes'\n  -\n  - {c: d}\n", &root, NULL),
        XA_OK);
    assert_string_equal(xa_node_file(root), "t.yml");
    assert_int_equal(xa_node_line(root), 2);
    assert_int_equal(xa_node_key_line(root, 1), 3);
    assert_int_equal(xa_node_key_line(root, 2), 0);
    list = xa_node_item(root, 1, &key);
    assert_string_equal(key, "b");
    assert_int_equal(xa_node_line(list), 4);
    assert_int_equal(xa_node_count(list), 3);
    assert_true(xa_node_is_quoted(xa_node_item(list, 0, &key)));
    assert_null(key);
    assert_true(xa_node_is_null(xa_node_item(list, 1, NULL)));
    assert_int_equal(xa_node_line(xa_node_item(list, 2, NULL)), 6);
    assert_null(xa_node_item(list, 3, &key));
    assert_null(xa_node_get(list, "c"));
    assert_null(xa_node_get(xa_node_get(root, "a"), "c"));
}

static void
test_node__copes_with_null(void **state XA_UNUSED)
{
    XA_AUTO(xa_node_free) struct xa_node *none = NULL;

    assert_null(xa_node_text(NULL));
    assert_true(xa_node_is_null(NULL));
    assert_int_equal(xa_node_count(NULL), 0);
    assert_null(xa_node_item(NULL, 0, NULL));
    assert_null(xa_node_get(NULL, "a"));
    assert_int_equal(xa_node_key_line(NULL, 0), 0);
    xa_node_free(&none);
}

static void
test_to_bool__takes_words_in_any_case(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        int value; /* -1: no boolean */
    } cases[] = {{"true", 1}, {"Yes", 1},     {"ON", 1},  {"FALSE", 0},
                 {"no", 0},   {"oFF", 0},     {"y", -1},  {"1", -1},
                 {"~", -1},   {"'true'", -1}, {"[]", -1}, {"truth", -1}};

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_node_free) struct xa_node *root = NULL;
        bool value = !cases[i].value;

        assert_int_equal(parse(cases[i].text, &root, NULL), XA_OK);
        if (xa_node_to_bool(root, &value) != (cases[i].value >= 0) ||
            value != (cases[i].value > 0))
            fail_msg("%s", cases[i].text);
    }
}

static void
test_to_int__takes_whole_decimal_numbers(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"7200", true, 7200},
        {"'7200'", true, 7200},
        {"-3", true, -3},
        {"+3", true, 3},
        {"9223372036854775807", true, INT64_MAX},
        {"9223372036854775808", false, 0},
        {"010", false, 0},
        {"0x10", false, 0},
        {"1_000", false, 0},
        {"1.0", false, 0},
        {"1e3", false, 0},
        {"' 1'", false, 0},
        {"'-'", false, 0},
        {"--1", false, 0},
        {"many", false, 0},
        {"~", false, 0},
        {"[1]", false, 0},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_node_free) struct xa_node *root = NULL;
        int64_t value = 99;

        assert_int_equal(parse(cases[i].text, &root, NULL), XA_OK);
        if (xa_node_to_int(root, &value) != cases[i].ok ||
            value != (cases[i].ok ? cases[i].value : 99))
            fail_msg("%s", cases[i].text);
    }
}

static void
test_to_double__takes_a_fraction(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        bool ok;
        double value;
    } cases[] = {
        {"1", true, 1},      {"0.25", true, 0.25},
        {".5", true, 0.5},   {"-2.5", true, -2.5},
        {"60.0", true, 60},  {"1.00000000000000000001", true, 1},
        {"1.", false, 0},    {"'.'", false, 0},
        {"1.5s", false, 0},  {"1.-5", false, 0},
        {"1.5.1", false, 0}, {"00.5", false, 0},
        {"1e3", false, 0},   {".inf", false, 0},
        {".nan", false, 0},  {"123456789012345678901234567890", false, 0},
        {"~", false, 0},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_node_free) struct xa_node *root = NULL;
        double value = 99;

        assert_int_equal(parse(cases[i].text, &root, NULL), XA_OK);
        if (xa_node_to_double(root, &value) != cases[i].ok ||
            value != (cases[i].ok ? cases[i].value : 99))
            fail_msg("%s", cases[i].text);
    }
}

static void
test_merge__keeps_what_is_there(void **state XA_UNUSED)
{
    static const struct {
        const char *into;
        const char *from;
        const char *tree;
    } cases[] = {
        {"a: 1\n", "b: 2\n", "{a:1 b:2}"},
        {"a: 1\n", "a: 2\n", "{a:1}"},
        {"", "a: {b: 1}\n", "{a:{b:1}}"},
        {"a: {b: 1}\n", "a: {b: 2, c: 3}\n", "{a:{b:1 c:3}}"},
        {"a: [1]\n", "a: [2]\n", "{a:[1]}"},
        {"a: 1\n", "a: {b: 2}\n", "{a:1}"},
        {"a: {b: 2}\n", "a: 1\n", "{a:{b:2}}"},
        {"a: ~\n", "a: 1\n", "{a:~}"},
        {"a: ~\n", "a: [1]\n", "{a:~}"},
        {"a:\nb: 1\n", "a: {b: 2}\n", "{a:{b:2} b:1}"},
        {"a: {b: }\n", "a: {b: {c: 2}}\n", "{a:{b:{c:2}}}"},
        {"a: ''\n", "a: {b: 2}\n", "{a:}"},
        {"a: {b: {c: 1}}\n", "a: {b: {d: 2}, e: 3}\nf: 4\n",
         "{a:{b:{c:1 d:2} e:3} f:4}"},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_node_free) struct xa_node *into = NULL;
        XA_AUTO(xa_node_free) struct xa_node *from = NULL;
        XA_AUTO(xa_buf_free) struct xa_buf tree = XA_BUF(1000);

        assert_int_equal(parse(cases[i].into, &into, NULL), XA_OK);
        assert_int_equal(parse(cases[i].from, &from, NULL), XA_OK);
        assert_int_equal(xa_node_merge(into, &from, NULL), XA_OK);
        assert_null(from);
        dump(into, &tree);
        assert_string_equal(xa_buf_text(&tree), cases[i].tree);
    }
}

static void
test_merge__leaves_a_tree_that_can_be_searched(void **state XA_UNUSED)
{
    XA_AUTO(xa_node_free) struct xa_node *into = NULL;
    XA_AUTO(xa_node_free) struct xa_node *from = NULL;
    const char *key;

    assert_int_equal(parse("m: 1\n", &into, NULL), XA_OK);
    assert_int_equal(parse("z: 1\na: 2\nm: 3\nb: 4\ny: 5\nc: 6\n", &from, NULL),
                     XA_OK);
    assert_int_equal(xa_node_merge(into, &from, NULL), XA_OK);
    assert_int_equal(xa_node_count(into), 6);
    for (size_t i = 0; i < 6; i++) {
        const struct xa_node *value = xa_node_item(into, i, &key);

        assert_ptr_equal(xa_node_get(into, key), value);
    }
}

static void
test_drop_nulls__in_mappings_only(void **state XA_UNUSED)
{
    XA_AUTO(xa_node_free) struct xa_node *root = NULL;
    XA_AUTO(xa_buf_free) struct xa_buf tree = XA_BUF(1000);

    assert_int_equal(
        parse("a:\nb: {c: ~, d: 1}\ne: [~]\nf: {g: ~}\n", &root, NULL), XA_OK);
    assert_int_equal(xa_node_drop_nulls(root, NULL), XA_OK);
    dump(root, &tree);
    assert_string_equal(xa_buf_text(&tree), "{b:{d:1} e:[~] f:{}}");
    assert_null(xa_node_get(root, "a"));
    assert_non_null(xa_node_get(root, "f"));
}

static void
test_put_text__reads_back_the_same(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        const char *yaml;
    } cases[] = {
        {"plain", "plain"},
        {"/var/log/x.log", "/var/log/x.log"},
        {"", "\"\""},
        {"true", "\"true\""},
        {"No", "\"No\""},
        {"null", "\"null\""},
        {"12", "\"12\""},
        {"-x", "\"-x\""},
        {"a: b", "\"a: b\""},
        {"a #b", "\"a #b\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"a\nb\x7f", "\"a\\x0ab\\x7f\""},
        {"*", "\"*\""},
        /* what YAML takes for the end of a line, or does not take */
        {"\xc2\x80\xc2\x85\xc2\x9f\xc2\xa0",
         "\"\\u0080\\u0085\\u009f\xc2\xa0\""},
        {"\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9",
         "\"\xe2\x80\xa7\\u2028\\u2029\""},
        {"\xef\xbb\xbf\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd",
         "\"\\ufeff\\ufffe\\uffff\xef\xbf\xbd\""},
        {"\xc3\xa9", "\"\xc3\xa9\""},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_buf_free) struct xa_buf yaml = XA_BUF(100);
        XA_AUTO(xa_node_free) struct xa_node *root = NULL;

        xa_yaml_put_text(&yaml, cases[i].text);
        assert_string_equal(xa_buf_text(&yaml), cases[i].yaml);
        assert_int_equal(parse(xa_buf_text(&yaml), &root, NULL), XA_OK);
        assert_string_equal(xa_node_text(root), cases[i].text);
    }
}

static bool
is_pin(const char *key)
{
    return strcmp(key, "pin") == 0;
}

static void
test_put_node__hides_what_it_is_told_to(void **state XA_UNUSED)
{
    XA_AUTO(xa_buf_free) struct xa_buf yaml = XA_BUF(200);
    XA_AUTO(xa_node_free) struct xa_node *root = NULL;

    assert_int_equal(parse("a: [1, 1.5, x y, '1', yes, ~]\n"
                           "b: {pin: [1], c: {pin: 2}}\n",
                           &root, NULL),
                     XA_OK);
    xa_yaml_put_node(&yaml, root, is_pin);
    assert_string_equal(xa_buf_text(&yaml),
                        "{a: [1, 1.5, \"x y\", \"1\", yes, null], b: {pin: "
                        "\"(hidden)\", c: {pin: \"(hidden)\"}}}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_node__knows_where_it_stands),
        cmocka_unit_test(test_node__copes_with_null),
        cmocka_unit_test(test_to_bool__takes_words_in_any_case),
        cmocka_unit_test(test_to_int__takes_whole_decimal_numbers),
        cmocka_unit_test(test_to_double__takes_a_fraction),
        cmocka_unit_test(test_merge__keeps_what_is_there),
        cmocka_unit_test(test_merge__leaves_a_tree_that_can_be_searched),
        cmocka_unit_test(test_drop_nulls__in_mappings_only),
        cmocka_unit_test(test_put_text__reads_back_the_same),
        cmocka_unit_test(test_put_node__hides_what_it_is_told_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
