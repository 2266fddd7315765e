/* test_token.c - what a token is, and its record. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/support/crypto.h"
#include "core/token/token.h"
#include "tests/unit/unit.h"

/* 2016-12-05T10:16:58.557553 UTC */
#define ISSUED_US INT64_C(1480933018557553)
#define ID "1823c1ee-6c6a-4cdc-9869-964a7f08a744"

static void
fill(struct xa_identity *who)
{
    assert_int_equal(xa_identity_set_auth_id(who, "alice", NULL), XA_OK);
    assert_int_equal(xa_identity_set_user_uuid(who, "user-1", NULL), XA_OK);
    assert_int_equal(xa_identity_set_xivo_uuid(who, "xivo-1", NULL), XA_OK);
    assert_int_equal(xa_identity_add_acl(who, "confd.users.me.read", NULL),
                     XA_OK);
    assert_int_equal(xa_identity_add_acl(who, "dird.#", NULL), XA_OK);
}

static struct xa_token *
make(uint32_t lifetime_s)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;
    struct xa_token *token = NULL;

    fill(&who);
    assert_int_equal(xa_token_new(&who, lifetime_s, ISSUED_US, &token, NULL),
                     XA_OK);
    return token;
}

static void
test_new__copies_the_identity(void **state XA_UNUSED)
{
    XA_AUTO(xa_token_free) struct xa_token *token = make(3600);
    const char *const *acls;
    char id[XA_UUID_TEXT];
    size_t count;

    assert_true(xa_uuid_parse(xa_token_id(token), XA_UUID_LEN, id));
    assert_string_equal(xa_token_id(token), id);
    assert_string_equal(xa_token_auth_id(token), "alice");
    assert_string_equal(xa_token_user_uuid(token), "user-1");
    assert_string_equal(xa_token_xivo_uuid(token), "xivo-1");
    assert_true(xa_token_issued_us(token) == ISSUED_US);
    assert_true(xa_token_expires_us(token) == ISSUED_US + 3600 * XA_US_PER_S);
    acls = xa_token_acls(token, &count);
    assert_int_equal(count, 2);
    assert_string_equal(acls[0], "confd.users.me.read");
    assert_string_equal(acls[1], "dird.#");
}

static void
test_new__refuses_what_is_out_of_range(void **state XA_UNUSED)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;
    XA_AUTO(xa_identity_done) struct xa_identity nobody = XA_IDENTITY_EMPTY;
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;

    fill(&who);
    assert_int_equal(xa_token_new(&who, 0, ISSUED_US, &token, NULL),
                     XA_E_INVALID);
    assert_int_equal(xa_token_new(&who, XA_LIFETIME_MAX_S + 1, ISSUED_US,
                                  &token, NULL),
                     XA_E_INVALID);
    assert_int_equal(xa_token_new(&who, 1, -1, &token, NULL), XA_E_INVALID);
    assert_int_equal(xa_token_new(&who, 1, INT64_MAX - 5, &token, NULL),
                     XA_E_INVALID);
    assert_int_equal(xa_token_new(&nobody, 1, ISSUED_US, &token, NULL),
                     XA_E_INVALID);
    assert_null(token);
    assert_int_equal(xa_token_new(&who, XA_LIFETIME_MAX_S, ISSUED_US, &token,
                                  NULL),
                     XA_OK);
}

static void
test_is_expired__flips_on_the_last_microsecond(void **state XA_UNUSED)
{
    XA_AUTO(xa_token_free) struct xa_token *token = make(1);
    int64_t end = ISSUED_US + XA_US_PER_S;

    assert_false(xa_token_is_expired(token, 0));
    assert_false(xa_token_is_expired(token, ISSUED_US));
    assert_false(xa_token_is_expired(token, end - 1));
    assert_true(xa_token_is_expired(token, end));
    assert_true(xa_token_is_expired(token, end + 1));
    assert_true(xa_token_is_expired(token, INT64_MAX));
}

static void
test_allows__by_its_own_auth_id(void **state XA_UNUSED)
{
    XA_AUTO(xa_token_free) struct xa_token *token = make(1);

    assert_true(xa_token_allows(token, "confd.users.alice.read"));
    assert_true(xa_token_allows(token, "dird.x.y"));
    assert_false(xa_token_allows(token, "confd.users.bob.read"));
    assert_false(xa_token_allows(token, ""));
}

static void
test_decode__gives_back_what_was_encoded(void **state XA_UNUSED)
{
    XA_AUTO(xa_token_free) struct xa_token *token = make(60);

    for (int with_id = 0; with_id < 2; with_id++) {
        XA_AUTO(xa_buf_free) struct xa_buf first = XA_BUF(XA_RECORD_MAX);
        XA_AUTO(xa_buf_free) struct xa_buf again = XA_BUF(XA_RECORD_MAX);
        XA_AUTO(xa_token_free) struct xa_token *back = NULL;

        xa_token_encode(token, with_id, &first);
        assert_int_equal(xa_buf_check(&first, NULL), XA_OK);
        assert_int_equal(xa_token_decode(first.data, first.len, &back, NULL),
                         XA_OK);
        assert_string_equal(xa_token_id(back),
                            with_id ? xa_token_id(token) : "");
        assert_string_equal(xa_token_auth_id(back), "alice");
        assert_string_equal(xa_token_user_uuid(back), "user-1");
        assert_string_equal(xa_token_xivo_uuid(back), "xivo-1");
        xa_token_encode(back, with_id, &again);
        assert_int_equal(first.len, again.len);
        assert_memory_equal(first.data, again.data, first.len);
    }
}

static void
test_decode__without_uuids_and_acls(void **state XA_UNUSED)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;
    XA_AUTO(xa_buf_free) struct xa_buf record = XA_BUF(XA_RECORD_MAX);
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    XA_AUTO(xa_token_free) struct xa_token *back = NULL;
    size_t count = 9;

    assert_int_equal(xa_identity_set_auth_id(&who, "a", NULL), XA_OK);
    assert_int_equal(xa_token_new(&who, 1, 0, &token, NULL), XA_OK);
    xa_token_encode(token, false, &record);
    assert_int_equal(xa_token_decode(record.data, record.len, &back, NULL),
                     XA_OK);
    assert_null(xa_token_user_uuid(back));
    assert_null(xa_token_xivo_uuid(back));
    xa_token_acls(back, &count);
    assert_int_equal(count, 0);
}

/* Each record cut short, and each with one byte more, is refused. */
static void
test_decode__refuses_every_other_length(void **state XA_UNUSED)
{
    XA_AUTO(xa_token_free) struct xa_token *token = make(60);
    XA_AUTO(xa_buf_free) struct xa_buf record = XA_BUF(XA_RECORD_MAX);
    struct xa_err err = XA_ERR_NONE;

    xa_token_encode(token, true, &record);
    xa_buf_putc(&record, 'x');
    assert_int_equal(xa_buf_check(&record, NULL), XA_OK);
    for (size_t len = 0; len <= record.len; len++) {
        XA_AUTO(xa_token_free) struct xa_token *back = NULL;
        enum xa_rc rc = xa_token_decode(record.data, len, &back, &err);

        if (rc != (len == record.len - 1 ? XA_OK : XA_E_STORE))
            fail_msg("length %zu of %zu", len, record.len);
    }
}

static void
test_decode__refuses_a_broken_head(void **state XA_UNUSED)
{
    static const struct {
        const char *why;
        size_t at;
        char byte;
    } cases[] = {
        {"newer format", 0, 2},
        {"format 0", 0, 0},
        {"too many ACLs", 18, 0x7f},
        {"one ACL more", 19, 3},
        {"one ACL less", 19, 1},
        {"expiry before issue", 10, (char)0x80},
        {"no user uuid", 1, 5},
    };
    XA_AUTO(xa_token_free) struct xa_token *token = make(60);

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_buf_free) struct xa_buf record = XA_BUF(XA_RECORD_MAX);
        XA_AUTO(xa_token_free) struct xa_token *back = NULL;

        xa_token_encode(token, true, &record);
        assert_int_equal(xa_buf_check(&record, NULL), XA_OK);
        record.data[cases[i].at] = cases[i].byte;
        if (xa_token_decode(record.data, record.len, &back, NULL) != XA_E_STORE)
            fail_msg("%s", cases[i].why);
    }
}

static void
test_decode__refuses_an_expiry_that_is_its_issue(void **state XA_UNUSED)
{
    XA_AUTO(xa_token_free) struct xa_token *token = make(60);
    XA_AUTO(xa_token_free) struct xa_token *back = NULL;
    XA_AUTO(xa_buf_free) struct xa_buf record = XA_BUF(XA_RECORD_MAX);

    xa_token_encode(token, false, &record);
    assert_int_equal(xa_buf_check(&record, NULL), XA_OK);
    memcpy(record.data + 10, record.data + 2, 8);
    assert_int_equal(xa_token_decode(record.data, record.len, &back, NULL),
                     XA_E_STORE);
}

static void
test_key__is_the_sha256_of_the_text(void **state XA_UNUSED)
{
    /* printf %s 1823c1ee-6c6a-4cdc-9869-964a7f08a744 | sha256sum */
    static const char sha256[] =
        "b60f8a20cbcd940f27434dafc0ed266c357499baa5ef969b7e30d6339db46a67";
    struct xa_key key;
    char shown[XA_SHA256_TEXT];

    xa_key_of_token(XA_KEY_SHA256, ID, &key);
    assert_string_equal(key.text, sha256);
    xa_key_shown(&key, shown);
    assert_string_equal(shown, sha256);

    xa_key_of_token(XA_KEY_PLAIN, ID, &key);
    assert_string_equal(key.text, ID);
    xa_key_shown(&key, shown);
    assert_string_equal(shown, sha256);
}

static void
test_put_json__has_the_fields_of_the_interface(void **state XA_UNUSED)
{
    XA_AUTO(xa_token_free) struct xa_token *token = make(7200);
    XA_AUTO(xa_buf_free) struct xa_buf json = XA_BUF(XA_RECORD_MAX);

    setenv("TZ", "Europe/Paris", 1);
    tzset();
    xa_token_set_id(token, ID);
    xa_token_put_json(token, true, &json);
    assert_int_equal(xa_buf_check(&json, NULL), XA_OK);
    assert_string_equal(
        xa_buf_text(&json),
        "{\"token\": \"" ID "\", \"auth_id\": \"alice\", "
        "\"xivo_user_uuid\": \"user-1\", \"xivo_uuid\": \"xivo-1\", "
        "\"issued_at\": \"2016-12-05T11:16:58.557553\", "
        "\"expires_at\": \"2016-12-05T13:16:58.557553\", "
        "\"utc_issued_at\": \"2016-12-05T10:16:58.557553\", "
        "\"utc_expires_at\": \"2016-12-05T12:16:58.557553\", "
        "\"acls\": [\"confd.users.me.read\", \"dird.#\"]}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new__copies_the_identity),
        cmocka_unit_test(test_new__refuses_what_is_out_of_range),
        cmocka_unit_test(test_is_expired__flips_on_the_last_microsecond),
        cmocka_unit_test(test_allows__by_its_own_auth_id),
        cmocka_unit_test(test_decode__gives_back_what_was_encoded),
        cmocka_unit_test(test_decode__without_uuids_and_acls),
        cmocka_unit_test(test_decode__refuses_every_other_length),
        cmocka_unit_test(test_decode__refuses_a_broken_head),
        cmocka_unit_test(test_decode__refuses_an_expiry_that_is_its_issue),
        cmocka_unit_test(test_key__is_the_sha256_of_the_text),
        cmocka_unit_test(test_put_json__has_the_fields_of_the_interface),
    };

    if (xa_crypto_init(NULL) != XA_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
