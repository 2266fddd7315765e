/* test_consul_record.c - a token as the JSON that Consul keeps. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/support/crypto.h"
#include "core/token/consul/record.h"
#include "tests/unit/unit.h"

#define ISSUED_US INT64_C(1480933018557553) /* 2016-12-05T10:16:58.557553 */
#define EXPIRES_US (ISSUED_US + 7200 * XA_US_PER_S)
#define ID "1823c1ee-6c6a-4cdc-9869-964a7f08a744"
#define OTHER "1823c1ee-6c6a-4cdc-9869-964a7f08a745"

#define WHO                                                                    \
    "\"auth_id\": \"alice\", \"xivo_user_uuid\": null, \"xivo_uuid\": \"x\", "
#define LOCAL                                                                  \
    "\"issued_at\": \"2016-12-05T11:16:58.557553\", "                          \
    "\"expires_at\": \"2016-12-05T13:16:58.557553\""
#define UTC                                                                    \
    "\"utc_issued_at\": \"2016-12-05T10:16:58.557553\", "                      \
    "\"utc_expires_at\": \"2016-12-05T12:16:58.557553\""
#define ACLS ", \"acls\": [\"a.b\", \"c\"]"

static const struct xa_key plain = {.text = ID};

static int
in_paris(void **state XA_UNUSED)
{
    setenv("TZ", "Europe/Paris", 1);
    tzset();
    return xa_crypto_init(NULL) == XA_OK ? 0 : -1;
}

static enum xa_rc
decode(const char *text, const struct xa_key *key, struct xa_token **out)
{
    return xa_consul_decode(text, strlen(text), key, out, NULL);
}

static struct xa_token *
make(void)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;
    struct xa_token *token = NULL;

    assert_int_equal(xa_identity_set_auth_id(&who, "al\"ice \\ \xc3\xa9", NULL),
                     XA_OK);
    assert_int_equal(xa_identity_set_user_uuid(&who, "user-1", NULL), XA_OK);
    assert_int_equal(xa_identity_add_acl(&who, "confd.#", NULL), XA_OK);
    assert_int_equal(xa_identity_add_acl(&who, "\"#", NULL), XA_OK);
    assert_int_equal(xa_token_new(&who, 3600, ISSUED_US, &token, NULL), XA_OK);
    return token;
}

static void
assert_same(const struct xa_token *a, const struct xa_token *b)
{
    XA_AUTO(xa_buf_free) struct xa_buf one = XA_BUF(XA_RECORD_MAX);
    XA_AUTO(xa_buf_free) struct xa_buf two = XA_BUF(XA_RECORD_MAX);

    xa_token_encode(a, true, &one);
    xa_token_encode(b, true, &two);
    assert_int_equal(one.len, two.len);
    assert_memory_equal(one.data, two.data, one.len);
}

static void
test_decode__gives_back_what_was_encoded(void **state XA_UNUSED)
{
    static const enum xa_key_form forms[] = {XA_KEY_SHA256, XA_KEY_PLAIN};
    XA_AUTO(xa_token_free) struct xa_token *token = make();

    for (size_t i = 0; i < XA_COUNT(forms); i++) {
        XA_AUTO(xa_buf_free) struct xa_buf record = XA_BUF(4096);
        XA_AUTO(xa_token_free) struct xa_token *back = NULL;
        bool is_plain = forms[i] == XA_KEY_PLAIN;
        struct xa_key key;

        xa_key_of_token(forms[i], xa_token_id(token), &key);
        xa_consul_encode(token, is_plain, &record);
        assert_int_equal(decode(xa_buf_text(&record), &key, &back), XA_OK);
        assert_string_equal(xa_token_id(back),
                            is_plain ? xa_token_id(token) : "");
        assert_int_equal(
            strstr(xa_buf_text(&record), xa_token_id(token)) != NULL, is_plain);
        xa_token_set_id(back, xa_token_id(token));
        assert_same(token, back);
    }
}

static void
test_decode__keeps_each_microsecond(void **state XA_UNUSED)
{
    static const int64_t ends[] = {1, 999999, 1000000, 557553};

    for (size_t i = 0; i < XA_COUNT(ends); i++) {
        const struct xa_token_fields is = {
            .id = ID,
            .auth_id = "a",
            .issued_us = ISSUED_US,
            .expires_us = ISSUED_US + ends[i],
        };
        XA_AUTO(xa_buf_free) struct xa_buf record = XA_BUF(4096);
        XA_AUTO(xa_token_free) struct xa_token *token = NULL;
        XA_AUTO(xa_token_free) struct xa_token *back = NULL;

        assert_int_equal(xa_token_restore(&is, &token, NULL), XA_OK);
        xa_consul_encode(token, true, &record);
        assert_int_equal(decode(xa_buf_text(&record), &plain, &back), XA_OK);
        assert_same(token, back);
    }
}

static void
test_decode__takes_what_the_python_service_wrote(void **state XA_UNUSED)
{
    static const struct {
        const char *record;
        const char *xivo_uuid;
        size_t acls;
        int64_t lost_us; /* of the fraction */
    } cases[] = {
        {"{\"token\": \"" ID "\", " WHO LOCAL ", " UTC ACLS "}", "x", 2, 0},
        {"{\"token\": \"" ID "\", " WHO LOCAL ACLS "}", "x", 2, 0},
        {"{" WHO LOCAL ACLS "}", "x", 2, 0},
        {"{" WHO UTC ACLS "}", "x", 2, 0},
        {"{" WHO LOCAL "}", "x", 0, 0},
        {"{" WHO LOCAL ", \"acls\": null}", "x", 0, 0},
        {"{" WHO LOCAL ", \"acls\": []}", "x", 0, 0},
        {"{" WHO LOCAL ", \"utc_expires_at\": null, \"utc_issued_at\": null}",
         "x", 0, 0},
        {"{\"auth_id\": \"alice\", " LOCAL "}", NULL, 0, 0},
        {"{\"auth_id\": \"alice\", \"xivo_uuid\": null, " LOCAL "}", NULL, 0,
         0},
        {"{" WHO LOCAL ", \"session\": {\"a\": [1]}, \"n\": 1e9}", "x", 0, 0},
        {"{" WHO "\"issued_at\": \"2016-12-05T11:16:58\", "
         "\"expires_at\": \"2016-12-05T13:16:58\"}",
         "x", 0, 557553},
        /* the two kinds of time need not agree: UTC has no gaps */
        {"{" WHO UTC ", \"issued_at\": 1, \"expires_at\": \"x\"}", "x", 0, 0},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_token_free) struct xa_token *token = NULL;
        size_t acls;

        assert_int_equal(decode(cases[i].record, &plain, &token), XA_OK);
        assert_string_equal(xa_token_id(token), ID);
        assert_string_equal(xa_token_auth_id(token), "alice");
        assert_null(xa_token_user_uuid(token));
        if (cases[i].xivo_uuid)
            assert_string_equal(xa_token_xivo_uuid(token), cases[i].xivo_uuid);
        else
            assert_null(xa_token_xivo_uuid(token));
        assert_true(xa_token_issued_us(token) == ISSUED_US - cases[i].lost_us);
        assert_true(xa_token_expires_us(token) ==
                    EXPIRES_US - cases[i].lost_us);
        xa_token_acls(token, &acls);
        assert_int_equal(acls, cases[i].acls);
    }
}

static void
test_decode__takes_the_first_format_by_its_number(void **state XA_UNUSED)
{
    XA_AUTO(xa_token_free) struct xa_token *back = NULL;

    assert_int_equal(decode("{" WHO LOCAL ", \"format\": 1}", &plain, &back),
                     XA_OK);
}

static void
test_decode__refuses_the_rest(void **state XA_UNUSED)
{
    static const char *const records[] = {
        "",
        "null",
        "[]",
        "{}",
        "1",
        "{" WHO LOCAL,
        "{" WHO LOCAL "} x",
        "{" WHO "\"issued_at\": \"2016-12-05T11:16:58\"}",
        "{" WHO "\"expires_at\": \"2016-12-05T11:16:58\"}",
        "{" WHO "\"expires_at\": null, \"utc_expires_at\": null, "
        "\"issued_at\": \"2016-12-05T11:16:58\"}",
        "{" WHO LOCAL ", \"utc_expires_at\": \"\"}",
        "{" WHO LOCAL ", \"utc_expires_at\": \"soon\"}",
        "{" WHO LOCAL ", \"utc_expires_at\": 1480940218}",
        "{" WHO LOCAL ", \"utc_expires_at\": \"2016-12-05T10:16:58.557553\"}",
        "{" WHO LOCAL ", \"utc_expires_at\": \"2016-12-05T10:16:58\"}",
        "{" WHO LOCAL ", \"utc_expires_at\": \"2286-11-20T17:46:40\"}",
        "{" WHO LOCAL ", \"utc_expires_at\": \"9999-12-31T23:59:59\"}",
        "{" WHO LOCAL ", \"utc_expires_at\": \"2017-12-05T10:16:58\\u0000\"}",
        "{" WHO LOCAL ", \"auth_id\": null}",
        "{" WHO LOCAL ", \"auth_id\": 7}",
        "{" WHO LOCAL ", \"auth_id\": \"a\\u0000b\"}",
        "{" WHO LOCAL ", \"auth_id\": \"\"}",
        "{" WHO LOCAL ", \"auth_id\": \"a\\nX-Is-Admin: 1\"}",
        "{" WHO LOCAL ", \"auth_id\": \"a\\u009b2J\"}",
        "{" LOCAL "}",
        "{" WHO LOCAL ", \"xivo_uuid\": 7}",
        "{" WHO LOCAL ", \"format\": 2}",
        "{" WHO LOCAL ", \"format\": 0}",
        "{" WHO LOCAL ", \"format\": 1.0}",
        "{" WHO LOCAL ", \"format\": \"1\"}",
        "{" WHO LOCAL ", \"format\": null}",
        "{" WHO LOCAL ", \"format\": 4294967297}",
        "{" WHO LOCAL ", \"xivo_user_uuid\": []}",
        "{" WHO LOCAL ", \"acls\": \"a\"}",
        "{" WHO LOCAL ", \"acls\": {}}",
        "{" WHO LOCAL ", \"acls\": [1]}",
        "{" WHO LOCAL ", \"acls\": [\"a\", null]}",
        "{" WHO LOCAL ", \"acls\": [\"a\\u0000\"]}",
        "{" WHO LOCAL ", \"token\": \"" OTHER "\"}",
        "{" WHO LOCAL ", \"token\": \"\"}",
        "{" WHO LOCAL ", \"token\": 7}",
        "{" WHO LOCAL ", \"token\": \"1823C1EE-6c6a-4cdc-9869-964a7f08a744\"}",
        "{" WHO LOCAL ", \"x\": [[[[[[[[1]]]]]]]]}",
        "{" WHO LOCAL ", \"x\": \"\xff\"}",
    };

    for (size_t i = 0; i < XA_COUNT(records); i++) {
        struct xa_token *token = NULL;

        assert_int_equal(decode(records[i], &plain, &token), XA_E_STORE);
        assert_null(token);
    }
}

static void
test_decode__wants_the_token_of_its_key(void **state XA_UNUSED)
{
    static const char record[] = "{\"token\": \"" ID "\", " WHO LOCAL "}";
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    struct xa_key key;

    xa_key_of_token(XA_KEY_SHA256, OTHER, &key);
    assert_int_equal(decode(record, &key, &token), XA_E_STORE);
    xa_key_of_token(XA_KEY_SHA256, ID, &key);
    assert_int_equal(decode(record, &key, &token), XA_OK);
    assert_string_equal(xa_token_id(token), ID);
}

static void
test_decode__has_a_ceiling(void **state XA_UNUSED)
{
    static const size_t sizes[] = {XA_RECORD_MAX, XA_CONSUL_RECORD_MAX,
                                   XA_CONSUL_RECORD_MAX + 1};

    for (size_t i = 0; i < XA_COUNT(sizes); i++) {
        XA_AUTO(xa_buf_free)
        struct xa_buf record = XA_BUF(2 * XA_CONSUL_RECORD_MAX);
        XA_AUTO(xa_token_free) struct xa_token *token = NULL;

        xa_buf_puts(&record, "{" WHO LOCAL ", \"acls\": [\"");
        while (record.len < sizes[i] - 3)
            xa_buf_putc(&record, 'x');
        xa_buf_puts(&record, "\"]}");
        assert_int_equal(record.len, sizes[i]);
        /* of the first the text alone fits */
        assert_int_equal(decode(xa_buf_text(&record), &plain, &token),
                         i == 0 ? XA_OK : XA_E_STORE);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode__gives_back_what_was_encoded),
        cmocka_unit_test(test_decode__keeps_each_microsecond),
        cmocka_unit_test(test_decode__takes_what_the_python_service_wrote),
        cmocka_unit_test(test_decode__takes_the_first_format_by_its_number),
        cmocka_unit_test(test_decode__refuses_the_rest),
        cmocka_unit_test(test_decode__wants_the_token_of_its_key),
        cmocka_unit_test(test_decode__has_a_ceiling),
    };

    return cmocka_run_group_tests(tests, in_paris, NULL);
}
