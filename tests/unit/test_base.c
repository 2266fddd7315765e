/* test_base.c - buffers, secrets, clocks, errors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/secret.h"
#include "tests/unit/unit.h"

static void
test_buf__grows_up_to_its_ceiling(void **state XA_UNUSED)
{
    XA_AUTO(xa_buf_free) struct xa_buf buf = XA_BUF(1000);
    struct xa_err err = XA_ERR_NONE;

    for (int i = 0; i < 1000; i++)
        xa_buf_putc(&buf, 'x');
    assert_int_equal(xa_buf_check(&buf, &err), XA_OK);
    assert_int_equal(strlen(xa_buf_text(&buf)), 1000);
    xa_buf_putc(&buf, 'y');
    assert_int_equal(xa_buf_check(&buf, &err), XA_E_INVALID);
    assert_string_equal(err.text, "text over 1000 bytes");
    assert_int_equal(buf.len, 1000);
}

static void
test_buf__grows_by_doubling(void **state XA_UNUSED)
{
    XA_AUTO(xa_buf_free) struct xa_buf buf = XA_BUF(1 << 20);
    size_t cap = 0;
    unsigned moves = 0;

    for (size_t i = 0; i < buf.max; i++) {
        xa_buf_putc(&buf, 'x');
        moves += buf.cap != cap;
        cap = buf.cap;
    }
    assert_int_equal(xa_buf_check(&buf, NULL), XA_OK);
    assert_int_equal(buf.cap, buf.max + 1);
    assert_in_range(moves, 2, 16);
}

static void
test_buf__stays_broken_until_cleared(void **state XA_UNUSED)
{
    XA_AUTO(xa_buf_free) struct xa_buf buf = XA_BUF(4);

    xa_buf_puts(&buf, "12345");
    xa_buf_puts(&buf, "1");
    assert_int_equal(buf.len, 0);
    assert_int_equal(xa_buf_check(&buf, NULL), XA_E_INVALID);
    xa_buf_clear(&buf);
    xa_buf_putf(&buf, "%d", 1234);
    assert_int_equal(xa_buf_check(&buf, NULL), XA_OK);
    assert_string_equal(xa_buf_text(&buf), "1234");
}

static void
test_buf__writes_numbers(void **state XA_UNUSED)
{
    XA_AUTO(xa_buf_free) struct xa_buf buf = XA_BUF(32);

    xa_buf_put_u64(&buf, 0);
    xa_buf_put_u64(&buf, 8500);
    xa_buf_put_u64(&buf, UINT64_MAX);
    assert_string_equal(xa_buf_text(&buf), "0850018446744073709551615");
    assert_int_equal(buf.len, 25);
}

static void
test_buf__lends_room_and_text(void **state XA_UNUSED)
{
    XA_AUTO(xa_buf_free) struct xa_buf buf = XA_BUF(10);

    assert_string_equal(xa_buf_text(&buf), "");
    memcpy(xa_buf_reserve(&buf, 3), "abc", 3);
    buf.len += 3;
    assert_string_equal(xa_buf_text(&buf), "abc");
    assert_null(xa_buf_reserve(&buf, 8));
}

static void
test_secret__compares_bytes_and_lengths(void **state XA_UNUSED)
{
    static const struct {
        const char *a;
        const char *b;
        bool equal;
    } cases[] = {
        {"", "", true},     {"a", "a", true},   {"a", "b", false},
        {"a", "ab", false}, {"ab", "a", false}, {"ab", "aB", false},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++)
        assert_int_equal(xa_secret_equal(cases[i].a, strlen(cases[i].a),
                                         cases[i].b, strlen(cases[i].b)),
                         cases[i].equal);
}

static void
test_secret__holds_any_bytes(void **state XA_UNUSED)
{
    XA_AUTO(xa_secret_free) struct xa_secret *secret = NULL;

    assert_int_equal(xa_secret_new("a\0b", 3, &secret, NULL), XA_OK);
    assert_int_equal(xa_secret_len(secret), 3);
    assert_memory_equal(xa_secret_text(secret), "a\0b", 4);
}

static void
test_format__local_and_utc(void **state XA_UNUSED)
{
    static const struct {
        const char *zone;
        int64_t unix_us;
        const char *local;
        const char *utc;
    } cases[] = {
        {"UTC", 0, "1970-01-01T00:00:00.000000", "1970-01-01T00:00:00.000000"},
        {"UTC", -1, "1969-12-31T23:59:59.999999", "1969-12-31T23:59:59.999999"},
        {"Europe/Paris", INT64_C(1480933018557553),
         "2016-12-05T11:16:58.557553", "2016-12-05T10:16:58.557553"},
        {"America/Montreal", INT64_C(1467288000000001),
         "2016-06-30T08:00:00.000001", "2016-06-30T12:00:00.000001"},
        /* one microsecond before and after the hour that summer time skips */
        {"Europe/Paris", INT64_C(1459040399999999),
         "2016-03-27T01:59:59.999999", "2016-03-27T00:59:59.999999"},
        {"Europe/Paris", INT64_C(1459040400000000),
         "2016-03-27T03:00:00.000000", "2016-03-27T01:00:00.000000"},
        {"UTC", INT64_C(2147483648000000), "2038-01-19T03:14:08.000000",
         "2038-01-19T03:14:08.000000"},
        {"UTC", INT64_C(-60841756800000000), "0042-01-01T00:00:00.000000",
         "0042-01-01T00:00:00.000000"},
        {"UTC", INT64_C(253402300800000000), "", ""}, /* the year 10000 */
        {"UTC", INT64_MIN, "", ""},
        {"UTC", INT64_MAX, "", ""},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        char text[XA_CLOCK_TEXT];

        setenv("TZ", cases[i].zone, 1);
        tzset();
        xa_clock_format_local(cases[i].unix_us, text);
        assert_string_equal(text, cases[i].local);
        xa_clock_format_utc(cases[i].unix_us, text);
        assert_string_equal(text, cases[i].utc);
    }
}

/* The C library counts otherwise; in steps that meet each day of the week,
 * each hour and each year. */
static void
test_format_utc__knows_each_year(void **state XA_UNUSED)
{
    const int64_t first_s = INT64_C(-62167219200);
    const int64_t last_s = INT64_C(253402300799);
    const int64_t step_s = 86400 * 17 + 3671;
    char expected[XA_CLOCK_TEXT];
    char text[XA_CLOCK_TEXT];

    for (int64_t s = first_s; s <= last_s;
         s = s < last_s - step_s || s == last_s ? s + step_s : last_s) {
        time_t t = (time_t)s;
        struct tm tm;
        size_t len;

        assert_non_null(gmtime_r(&t, &tm));
        len = strftime(expected, sizeof expected, "-%m-%dT%H:%M:%S", &tm);
        assert_int_equal(len, 15);
        xa_clock_format_utc(s * XA_US_PER_S + 7, text);
        assert_int_equal(atoi(text), tm.tm_year + 1900);
        assert_memory_equal(text + 4, expected, len);
        assert_string_equal(text + 4 + len, ".000007");
    }
    xa_clock_format_utc((first_s - 1) * XA_US_PER_S, text);
    assert_string_equal(text, "");
}

static void
test_parse_utc__takes_what_format_writes_and_less(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        int64_t unix_us; /* -1: refused */
    } cases[] = {
        {"2016-12-05T10:16:58.557553", INT64_C(1480933018557553)},
        {"2016-12-05T10:16:58.000001", INT64_C(1480933018000001)},
        {"2016-12-05T10:16:58.5", INT64_C(1480933018500000)},
        {"2016-12-05T10:16:58", INT64_C(1480933018000000)},
        {"1970-01-01T00:00:00", 0},
        {"2016-02-29T00:00:00", INT64_C(1456704000000000)},
        {"9999-12-31T23:59:59.999999", INT64_C(253402300799999999)},
        {"", -1},
        {"2016-12-05", -1},
        {"2016-12-05T10:16", -1},
        {"2016-12-05T10:16:", -1},
        {"2016-12-05T10:16:5", -1},
        {"2016-12-05T10:16:58.", -1},
        {"2016-12-05T10:16:58.5575531", -1},
        {"2016-12-05T10:16:58.55 ", -1},
        {"2016-12-05T10:16:58Z", -1},
        {"2016-12-05T10:16:58+00:00", -1},
        {"2016-12-05T10:16:58.557553Z", -1},
        {"2016-12-05 10:16:58", -1},
        {" 2016-12-05T10:16:58", -1},
        {"2016-12-05T10:16:-8", -1},
        {"12016-12-05T10:16:58", -1},
        {"2016-00-05T10:16:58", -1},
        {"2016-13-05T10:16:58", -1},
        {"2016-12-00T10:16:58", -1},
        {"2016-12-32T10:16:58", -1},
        {"2015-02-29T00:00:00", -1},
        {"2016-12-05T24:00:00", -1},
        {"2016-12-05T10:60:00", -1},
        {"2016-12-05T10:16:60", -1},
        {"1969-12-31T23:59:59", -1},
        {"0000-01-01T00:00:00", -1},
        {"2016-12-05T10:16:58.557553x", -1},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        int64_t unix_us = -1;

        assert_int_equal(xa_clock_parse_utc(cases[i].text, &unix_us),
                         cases[i].unix_us >= 0);
        assert_true(unix_us == cases[i].unix_us);
    }
}

static void
test_parse_local__goes_by_the_offset_before_a_change(void **state XA_UNUSED)
{
    static const struct {
        const char *zone;
        const char *text;
        int64_t unix_s; /* -1: refused */
    } cases[] = {
        {"Europe/Paris", "2016-12-05T11:16:58", 1480933018},
        {"UTC", "2016-12-05T10:16:58", 1480933018},
        {"America/New_York", "2016-12-05T05:16:58", 1480933018},
        {"Pacific/Kiritimati", "2016-12-06T00:16:58", 1480933018},
        {"Europe/Paris", "2016-10-30T01:59:59", 1477785599},
        {"Europe/Paris", "2016-10-30T02:30:00", 1477787400}, /* twice */
        {"Europe/Paris", "2016-10-30T03:00:00", 1477792800},
        {"Europe/Paris", "2016-03-27T01:59:59", 1459040399},
        {"Europe/Paris", "2016-03-27T02:30:00", 1459042200}, /* never */
        {"Europe/Paris", "2016-03-27T03:00:00", 1459040400},
        {"Australia/Lord_Howe", "2016-04-03T01:45:00", 1459608300}, /* twice */
        {"Pacific/Apia", "2011-12-30T12:00:00", 1325282400},        /* never */
        {"Europe/Paris", "1970-01-01T00:30:00", -1},
        {"Europe/Paris", "2016-12-05", -1},
    };
    int64_t unix_us;

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        setenv("TZ", cases[i].zone, 1);
        tzset();
        unix_us = -1;
        assert_int_equal(xa_clock_parse_local(cases[i].text, &unix_us),
                         cases[i].unix_s >= 0);
        if (cases[i].unix_s >= 0)
            assert_int_equal(unix_us / XA_US_PER_S, cases[i].unix_s);
    }
}

static void
test_fail__cuts_a_long_sentence(void **state XA_UNUSED)
{
    char text[2 * XA_ERR_MAX];
    struct xa_err err = XA_ERR_NONE;

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(xa_fail(&err, XA_E_STORE, "%s", text), XA_E_STORE);
    assert_int_equal(strlen(err.text), XA_ERR_MAX - 1);
    assert_int_equal(xa_err_prefix(&err, "file: "), XA_E_STORE);
    assert_int_equal(strlen(err.text), XA_ERR_MAX - 1);
    assert_memory_equal(err.text, "file: xxx", 9);
}

static void
test_exit_code__is_that_of_sysexits(void **state XA_UNUSED)
{
    static const struct {
        enum xa_rc rc;
        int exit_code;
    } cases[] = {
        {XA_OK, 0},         {XA_E_INVALID, 64}, {XA_E_UNAVAILABLE, 69},
        {XA_E_TIMEOUT, 69}, {XA_E_STORE, 69},   {XA_E_CONFIG, 78},
        {XA_E_NOMEM, 70},   {XA_E_DENIED, 70},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++)
        assert_int_equal(xa_rc_exit_code(cases[i].rc), cases[i].exit_code);
}

static void
test_rc__has_a_name_and_an_exit_code(void **state XA_UNUSED)
{
    static const struct {
        enum xa_rc code;
        const char *name;
        int exit_code;
    } cases[] = {
        {XA_OK, "ok", EX_OK},
        {XA_E_NOMEM, "no memory", EX_SOFTWARE},
        {XA_E_CONFIG, "config", EX_CONFIG},
        {(enum xa_rc)1000, "unknown", EX_SOFTWARE},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        assert_string_equal(xa_rc_name(cases[i].code), cases[i].name);
        assert_int_equal(xa_rc_exit_code(cases[i].code), cases[i].exit_code);
    }
}

static void
test_err__may_be_nobodys(void **state XA_UNUSED)
{
    assert_int_equal(xa_fail(NULL, XA_E_DENIED, "%s", "x"), XA_E_DENIED);
    assert_int_equal(xa_fail_nomem(NULL), XA_E_NOMEM);
    assert_int_equal(xa_err_prefix(NULL, "file: "), XA_OK);
}

/* A prefix that leaves no room is cut itself, and what it was put before. */
static void
test_err_prefix__is_bounded_itself(void **state XA_UNUSED)
{
    struct xa_err err = XA_ERR_NONE;
    char text[2 * XA_ERR_MAX];

    memset(text, 'p', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(xa_fail(&err, XA_E_STORE, "why"), XA_E_STORE);
    assert_int_equal(xa_err_prefix(&err, "%s", text), XA_E_STORE);
    assert_int_equal(strlen(err.text), XA_ERR_MAX - 1);
    assert_null(strstr(err.text, "why"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf__grows_up_to_its_ceiling),
        cmocka_unit_test(test_buf__grows_by_doubling),
        cmocka_unit_test(test_buf__stays_broken_until_cleared),
        cmocka_unit_test(test_buf__writes_numbers),
        cmocka_unit_test(test_buf__lends_room_and_text),
        cmocka_unit_test(test_secret__compares_bytes_and_lengths),
        cmocka_unit_test(test_secret__holds_any_bytes),
        cmocka_unit_test(test_format__local_and_utc),
        cmocka_unit_test(test_format_utc__knows_each_year),
        cmocka_unit_test(test_parse_utc__takes_what_format_writes_and_less),
        cmocka_unit_test(test_parse_local__goes_by_the_offset_before_a_change),
        cmocka_unit_test(test_fail__cuts_a_long_sentence),
        cmocka_unit_test(test_exit_code__is_that_of_sysexits),
        cmocka_unit_test(test_rc__has_a_name_and_an_exit_code),
        cmocka_unit_test(test_err__may_be_nobodys),
        cmocka_unit_test(test_err_prefix__is_bounded_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
