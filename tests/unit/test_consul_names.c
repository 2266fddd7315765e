/* test_consul_names.c - the keys below consul.prefix. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/support/crypto.h"
#include "core/token/consul/names.h"
#include "tests/unit/unit.h"

#define P "xivo/xivo-auth/"
#define UUID "1823c1ee-6c6a-4cdc-9869-964a7f08a744"
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SUBJECT "0123456789abcdef0123456789abcdef"

static void
test_when__is_the_second_rounded_up(void **state XA_UNUSED)
{
    static const struct {
        int64_t expires_us;
        int64_t when;
    } cases[] = {
        {INT64_MIN, 0},
        {-1, 0},
        {0, 0},
        {1, 1},
        {999999, 1},
        {1000000, 1},
        {1000001, 2},
        {INT64_C(1480933018557553), 1480933019},
        {INT64_C(9999999998000001), XA_WHEN_MAX},
        {INT64_C(9999999999000000), XA_WHEN_MAX},
        {INT64_C(9999999999000001), XA_WHEN_MAX},
        {INT64_MAX, XA_WHEN_MAX},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++)
        assert_true(xa_consul_when(cases[i].expires_us) == cases[i].when);
}

static void
test_subject__begins_the_sha256(void **state XA_UNUSED)
{
    char subject[XA_SUBJECT_TEXT];

    xa_consul_subject("abc", subject); /* FIPS 180-4 */
    assert_string_equal(subject, "ba7816bf8f01cfea414140de5dae2223");
}

static void
test_put__writes_whole_names(void **state XA_UNUSED)
{
    const struct xa_key key = {.text = HEX};
    XA_AUTO(xa_buf_free) struct xa_buf name = XA_BUF(XA_CONSUL_NAME_MAX);

    xa_consul_put_token(&name, P, &key);
    assert_string_equal(xa_buf_text(&name), P "tokens/" HEX);
    xa_buf_clear(&name);
    xa_consul_put_schedule(&name, P, 7, &key);
    assert_string_equal(xa_buf_text(&name), P "schedule/0000000007/" HEX);
    xa_buf_clear(&name);
    xa_consul_put_schedule(&name, P, XA_WHEN_MAX, &key);
    assert_string_equal(xa_buf_text(&name), P "schedule/9999999999/" HEX);
    xa_buf_clear(&name);
    xa_consul_put_subject(&name, P, SUBJECT, &key);
    assert_string_equal(xa_buf_text(&name), P "subjects/" SUBJECT "/" HEX);
}

static void
test_put_escaped__leaves_only_what_is_unreserved(void **state XA_UNUSED)
{
    static const char *const cases[][2] = {
        {"", ""},
        {P "tokens/" UUID, P "tokens/" UUID},
        {"aZ09-._~/", "aZ09-._~/"},
        {"a b", "a%20b"},
        {"?keys#&=+%", "%3Fkeys%23%26%3D%2B%25"},
        {"\xc3\xa9\x01\x7f", "%C3%A9%01%7F"},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_buf_free) struct xa_buf out = XA_BUF(100);

        xa_consul_put_escaped(&out, cases[i][0]);
        assert_string_equal(xa_buf_text(&out), cases[i][1]);
    }
}

/* Keys in every spelling but the one. */
static const char *const not_keys[] = {
    "",
    "/",
    UUID "/",
    UUID "0",
    "1823C1EE-6c6a-4cdc-9869-964a7f08a744",
    "1823c1ee-6c6a-4cdc-9869-964a7f08a74",
    "1823c1ee6c6a4cdc9869964a7f08a744",
    "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
    HEX "0",
    HEX "/",
    HEX "\n",
    "/" HEX,
    "g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
};

static void
test_read__takes_back_what_put_wrote(void **state XA_UNUSED)
{
    struct xa_key key;
    char subject[XA_SUBJECT_TEXT];
    int64_t when;

    assert_true(xa_consul_read_token(P "tokens/" HEX, P, &key));
    assert_string_equal(key.text, HEX);
    assert_true(xa_consul_read_token(P "tokens/" UUID, P, &key));
    assert_string_equal(key.text, UUID);
    assert_true(
        xa_consul_read_schedule(P "schedule/0000000007/" UUID, P, &when, &key));
    assert_int_equal(when, 7);
    assert_true(
        xa_consul_read_schedule(P "schedule/9999999999/" HEX, P, &when, &key));
    assert_true(when == XA_WHEN_MAX);
    assert_true(xa_consul_read_subject(P "subjects/" SUBJECT "/" HEX, P,
                                       subject, &key));
    assert_string_equal(subject, SUBJECT);
    assert_string_equal(key.text, HEX);
}

static void
test_read__knows_one_spelling(void **state XA_UNUSED)
{
    static const char *const heads[] = {
        P "tokens/",
        P "schedule/1795443200/",
        P "subjects/" SUBJECT "/",
    };
    struct xa_key key;
    char subject[XA_SUBJECT_TEXT];
    char name[256];
    int64_t when;

    for (size_t i = 0; i < XA_COUNT(not_keys); i++) {
        for (size_t j = 0; j < XA_COUNT(heads); j++) {
            snprintf(name, sizeof name, "%s%s", heads[j], not_keys[i]);
            assert_false(xa_consul_read_token(name, P, &key));
            assert_false(xa_consul_read_schedule(name, P, &when, &key));
            assert_false(xa_consul_read_subject(name, P, subject, &key));
        }
    }
}

static void
test_read__refuses_other_folders_and_heads(void **state XA_UNUSED)
{
    static const char *const names[] = {
        "",
        P,
        P "tokens",
        "xivo/other/tokens/" HEX,
        P "Tokens/" HEX,
        P "tokens//" HEX,
        P "schedule/" HEX,
        P "schedule/179544320/" HEX,
        P "schedule/17954432000/" HEX,
        P "schedule/-795443200/" HEX,
        P "schedule/+795443200/" HEX,
        P "schedule/ 795443200/" HEX,
        P "schedule/179544320a/" HEX,
        P "schedule/1795443200" HEX,
        P "schedule/1795443200//" HEX,
        P "subjects/" HEX,
        P "subjects/" HEX "/" HEX,
        P "subjects/0123456789ABCDEF0123456789abcdef/" HEX,
        P "subjects/0123456789abcdef0123456789abcde/" HEX,
        P "expiryd/leader",
    };
    struct xa_key key;
    char subject[XA_SUBJECT_TEXT];
    int64_t when;

    for (size_t i = 0; i < XA_COUNT(names); i++) {
        assert_false(xa_consul_read_token(names[i], P, &key));
        assert_false(xa_consul_read_schedule(names[i], P, &when, &key));
        assert_false(xa_consul_read_subject(names[i], P, subject, &key));
    }
}

static void
test_cover__is_exact_and_short(void **state XA_UNUSED)
{
    static const struct {
        int64_t from;
        int64_t to;
        const char *prefixes; /* one after the other */
    } cases[] = {
        {0, XA_WHEN_MAX, ""},
        {0, 0, "0000000000"},
        {7, 7, "0000000007"},
        {0, 9, "000000000"},
        {0, 10, "000000000 0000000010"},
        {5, 4, NULL},
        {1, 9,
         "0000000001 0000000002 0000000003 0000000004 0000000005 0000000006 "
         "0000000007 0000000008 0000000009"},
        {1795443199, 1795443200, "1795443199 1795443200"},
        {1795443189, 1795443201, "1795443189 179544319 1795443200 1795443201"},
        {1795443190, 1795443299, "179544319 17954432"},
        {1795443200, 1795443299, "17954432"},
        {999999999, 1000000000, "0999999999 1000000000"},
        {0, 1999999999, "0 1"},
        {9999999998, XA_WHEN_MAX, "9999999998 9999999999"},
        {9999999990, XA_WHEN_MAX, "999999999"},
        {XA_WHEN_MAX, XA_WHEN_MAX, "9999999999"},
        {0, 1795443201,
         "0 10 11 12 13 14 15 16 170 171 172 173 174 175 176 177 178 1790 "
         "1791 1792 1793 1794 17950 17951 17952 17953 179540 179541 179542 "
         "179543 1795440 1795441 1795442 17954430 17954431 1795443200 "
         "1795443201"},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_buf_free) struct xa_buf all = XA_BUF(4096);
        struct xa_cover cover;
        char prefix[XA_WHEN_TEXT];
        unsigned count = 0;

        xa_cover_begin(&cover, cases[i].from, cases[i].to);
        while (xa_cover_next(&cover, prefix))
            xa_buf_putf(&all, "%s%s", count++ > 0 ? " " : "", prefix);
        if (cases[i].prefixes)
            assert_string_equal(xa_buf_text(&all), cases[i].prefixes);
        else
            assert_int_equal(count, 0);
        assert_false(xa_cover_next(&cover, prefix));
    }
}

/* What a prefix stands for. */
static int64_t
span_of(const char *prefix, int64_t *out_first)
{
    int64_t span = 1;
    int64_t first = 0;

    for (size_t i = 0; i < XA_WHEN_TEXT - 1; i++) {
        first *= 10;
        if (i < strlen(prefix))
            first += prefix[i] - '0';
        else
            span *= 10;
    }
    *out_first = first;
    return span;
}

static void
test_cover__leaves_no_gap_and_no_overlap(void **state XA_UNUSED)
{
    uint64_t seed = 20161205;

    for (int i = 0; i < 20000; i++) {
        struct xa_cover cover;
        char prefix[XA_WHEN_TEXT];
        int64_t from;
        int64_t width;
        int64_t to;
        int64_t first;
        unsigned count = 0;

        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        from = (int64_t)(seed >> 20) % XA_WHEN_MAX;
        width = (int64_t)(seed >> 3) % (INT64_C(1) << (seed >> 59));
        to = from + width < XA_WHEN_MAX ? from + width : XA_WHEN_MAX;
        xa_cover_begin(&cover, from, to);
        while (xa_cover_next(&cover, prefix)) {
            int64_t span = span_of(prefix, &first);

            assert_true(first == from);
            from += span;
            assert_true(++count <= 2 * 9 * 10);
        }
        assert_true(from == to + 1);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_when__is_the_second_rounded_up),
        cmocka_unit_test(test_subject__begins_the_sha256),
        cmocka_unit_test(test_put__writes_whole_names),
        cmocka_unit_test(test_put_escaped__leaves_only_what_is_unreserved),
        cmocka_unit_test(test_read__takes_back_what_put_wrote),
        cmocka_unit_test(test_read__knows_one_spelling),
        cmocka_unit_test(test_read__refuses_other_folders_and_heads),
        cmocka_unit_test(test_cover__is_exact_and_short),
        cmocka_unit_test(test_cover__leaves_no_gap_and_no_overlap),
    };

    if (xa_crypto_init(NULL) != XA_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
