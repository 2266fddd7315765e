/* test_str.c - text from outside, checked. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "core/base/str.h"
#include "tests/unit/unit.h"

static void
test_is_utf8__refuses_what_rfc_3629_refuses(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"", true},
        {"plain", true},
        {"\xc3\xa9", true},
        {"\xe2\x82\xac", true},
        {"\xf0\x9f\x98\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\x80", false},                 /* a tail without a head */
        {"\xc3", false},                 /* cut short */
        {"\xc0\xaf", false},             /* overlong */
        {"\xe0\x9f\xbf", false},         /* overlong */
        {"\xf0\x8f\xbf\xbf", false},     /* overlong */
        {"\xed\xa0\x80", false},         /* a surrogate */
        {"\xf4\x90\x80\x80", false},     /* above U+10FFFF */
        {"\xf5\x80\x80\x80", false},
        {"a\xff", false},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        if (xa_str_is_utf8(cases[i].text, strlen(cases[i].text)) !=
            cases[i].valid)
            fail_msg("case %zu", i);
    }
}

static void
test_to_u64__takes_whole_numbers_up_to_max(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        uint64_t max;
        bool ok;
        uint64_t value;
    } cases[] = {
        {"0", 10, true, 0},
        {"10", 10, true, 10},
        {"11", 10, false, 0},
        {"007", 10, true, 7},
        {"", 10, false, 0},
        {"-1", 10, false, 0},
        {"+1", 10, false, 0},
        {" 1", 10, false, 0},
        {"1 ", 10, false, 0},
        {"0x1", 10, false, 0},
        {"5", 3, false, 0},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        uint64_t value = 99;
        bool ok = xa_str_to_u64(cases[i].text, cases[i].max, &value);

        if (ok != cases[i].ok || value != (ok ? cases[i].value : 99))
            fail_msg("\"%s\"", cases[i].text);
    }
}

static void
test_percent_decode__once_and_strictly(void **state XA_UNUSED)
{
    static const struct {
        const char *in;
        bool plus;
        const char *out; /* NULL: refused */
    } cases[] = {
        {"", false, ""},
        {"abc", false, "abc"},
        {"a%20b", false, "a b"},
        {"a+b", false, "a+b"},
        {"a+b", true, "a b"},
        {"%2525", false, "%25"},
        {"%c3%A9", false, "\xc3\xa9"},
        {"%", false, NULL},
        {"%2", false, NULL},
        {"%2g", false, NULL},
        {"%%20", false, NULL},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        char out[32];
        ptrdiff_t n = xa_str_percent_decode(cases[i].in, strlen(cases[i].in),
                                            out, cases[i].plus);

        if (!cases[i].out) {
            assert_int_equal(n, -1);
            continue;
        }
        assert_int_equal(n, strlen(cases[i].out));
        assert_string_equal(out, cases[i].out);
    }
}

static void
test_hex__writes_and_recognises(void **state XA_UNUSED)
{
    char out[9];

    xa_str_hex("\x00\x7f\xa5\xff", 4, out);
    assert_string_equal(out, "007fa5ff");
    assert_true(xa_str_is_hex(out, 8));
    assert_false(xa_str_is_hex(out, 7));
    assert_false(xa_str_is_hex("007FA5FF", 8));
}

static void
test_has_control__knows_those_beyond_ascii(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        bool ascii;
        bool any;
    } cases[] = {
        {"", false, false},
        {"caf\xc3\xa9 \xc2\xa0~", false, false},
        {"a\x1f", true, true},
        {"\x7f", true, true},
        {"\xc2\x80", false, true},
        {"a\xc2\x9b"
         "31m",
         false, true}, /* CSI: as much as ESC [ */
        {"\xc2\x9f", false, true},
        {"\xe0\xa2\x9b", false, false}, /* the end of another character */
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        size_t len = strlen(cases[i].text);

        if (xa_str_has_ascii_control(cases[i].text, len) != cases[i].ascii ||
            xa_str_has_control(cases[i].text, len) != cases[i].any)
            fail_msg("case %zu", i);
    }
    assert_false(xa_str_has_control("a\xc2\x9b", 2)); /* no further than len */
}

static void
test_strlist__owns_its_copies(void **state XA_UNUSED)
{
    XA_AUTO(xa_strlist_free) struct xa_strlist list = {0};
    char text[] = "one";

    assert_int_equal(xa_strlist_add(&list, text, NULL), XA_OK);
    text[0] = 'X';
    assert_int_equal(xa_strlist_add(&list, "two", NULL), XA_OK);
    assert_true(xa_strlist_has(&list, "one"));
    assert_true(xa_strlist_has(&list, "two"));
    assert_false(xa_strlist_has(&list, "Xne"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_utf8__refuses_what_rfc_3629_refuses),
        cmocka_unit_test(test_to_u64__takes_whole_numbers_up_to_max),
        cmocka_unit_test(test_percent_decode__once_and_strictly),
        cmocka_unit_test(test_hex__writes_and_recognises),
        cmocka_unit_test(test_has_control__knows_those_beyond_ascii),
        cmocka_unit_test(test_strlist__owns_its_copies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
