/* test_token_manager.c - issue, find, revoke: the rules of a token. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/support/crypto.h"
#include "core/service/token_manager.h"
#include "tests/fakes/memory_store.h"
#include "tests/unit/unit.h"

#define NOW INT64_C(1480933018557553)
#define UNKNOWN "1823c1ee-6c6a-4cdc-9869-964a7f08a744"

struct fixture {
    struct xa_config config;
    struct xa_store *store;
    struct xa_token_manager *manager;
    struct xa_identity who;
};

static char uuid[] = "08c56466-8f29-45c7-9856-92bf1ba89b92";
static char sha256[] = "sha256";
static char plain[] = "plain";

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->config.default_token_lifetime_s = 7200;
    f->config.max_token_lifetime_s = 10000;
    f->config.uuid = uuid;
    f->config.store.token_keys = sha256;
    f->store = memory_store_new();
    assert_int_equal(
        xa_token_manager_new(f->store, &f->config, &f->manager, NULL), XA_OK);
    assert_int_equal(xa_identity_set_auth_id(&f->who, "alice", NULL), XA_OK);
    assert_int_equal(xa_identity_add_acl(&f->who, "users.me.*", NULL), XA_OK);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    xa_log_capture(NULL, NULL, XA_INFO);
    xa_token_manager_free(&f->manager);
    xa_store_close(&f->store);
    xa_identity_done(&f->who);
    free(f);
    return 0;
}

static struct xa_token *
issue(struct fixture *f, uint32_t lifetime_s)
{
    struct xa_token *token = NULL;

    assert_int_equal(xa_token_manager_issue(f->manager, &f->who, lifetime_s,
                                            NOW, &token, NULL),
                     XA_OK);
    return token;
}

static enum xa_rc
find(struct fixture *f, const char *id, const char *scope, int64_t now_us)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    enum xa_rc rc =
        xa_token_manager_find(f->manager, id, scope, now_us, &token, NULL, NULL);

    assert_int_equal(token != NULL, rc == XA_OK);
    return rc;
}

static void
test_lifetime__is_the_default_or_at_most_the_maximum(void **state)
{
    static const struct {
        uint64_t wished;
        enum xa_rc rc;
        uint32_t given;
    } cases[] = {
        {0, XA_OK, 7200},
        {1, XA_OK, 1},
        {10000, XA_OK, 10000},
        {10001, XA_E_INVALID, 0},
        {UINT64_C(1) << 32 | 5, XA_E_INVALID, 0},
        {UINT64_MAX, XA_E_INVALID, 0},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        uint32_t given = 0;

        assert_int_equal(xa_token_manager_lifetime(
                             f->manager, cases[i].wished, &given, NULL),
                         cases[i].rc);
        assert_int_equal(given, cases[i].given);
    }
}

static void
test_issue__writes_one_token_keyed_by_its_hash(void **state)
{
    struct fixture *f = *state;
    XA_AUTO(xa_token_free) struct xa_token *token = issue(f, 60);
    XA_AUTO(xa_token_free) struct xa_token *stored = NULL;
    struct xa_key key;

    assert_int_equal(memory_store_count(f->store), 1);
    assert_true(xa_token_expires_us(token) == NOW + 60 * XA_US_PER_S);
    xa_key_of_token(XA_KEY_SHA256, xa_token_id(token), &key);
    assert_int_equal(xa_store_get(f->store, &key, &stored, NULL), XA_OK);
    assert_string_equal(xa_token_id(stored), ""); /* the record has it not */
}

static void
test_issue__writes_the_token_itself_when_keys_are_plain(void **state)
{
    struct fixture *f = *state;
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    XA_AUTO(xa_token_free) struct xa_token *stored = NULL;
    struct xa_key key;

    f->config.store.token_keys = plain;
    xa_token_manager_free(&f->manager);
    assert_int_equal(
        xa_token_manager_new(f->store, &f->config, &f->manager, NULL), XA_OK);
    token = issue(f, 60);
    strcpy(key.text, xa_token_id(token));
    assert_int_equal(xa_store_get(f->store, &key, &stored, NULL), XA_OK);
    assert_string_equal(xa_token_id(stored), xa_token_id(token));
}

static void
test_issue__takes_the_site_uuid_when_the_backend_has_none(void **state)
{
    struct fixture *f = *state;
    XA_AUTO(xa_token_free) struct xa_token *first = issue(f, 60);
    XA_AUTO(xa_token_free) struct xa_token *second = NULL;
    XA_AUTO(xa_token_free) struct xa_token *third = NULL;

    assert_string_equal(xa_token_xivo_uuid(first), uuid);
    assert_int_equal(xa_identity_set_xivo_uuid(&f->who, "other", NULL), XA_OK);
    second = issue(f, 60);
    assert_string_equal(xa_token_xivo_uuid(second), "other");
    xa_identity_done(&f->who);
    assert_int_equal(xa_identity_set_auth_id(&f->who, "bob", NULL), XA_OK);
    f->config.uuid = NULL;
    third = issue(f, 60);
    assert_null(xa_token_xivo_uuid(third));
}

static void
test_issue__gives_no_token_that_was_not_written(void **state)
{
    static const enum xa_rc codes[] = {XA_E_STORE, XA_E_UNAVAILABLE,
                                       XA_E_TIMEOUT};
    struct fixture *f = *state;

    for (size_t i = 0; i < XA_COUNT(codes); i++) {
        struct xa_token *token = NULL;

        memory_store_fail(f->store, codes[i]);
        assert_int_equal(xa_token_manager_issue(f->manager, &f->who, 60, NOW,
                                                &token, NULL),
                         codes[i]);
        assert_null(token);
    }
}

static void
test_find__until_the_last_microsecond(void **state)
{
    struct fixture *f = *state;
    XA_AUTO(xa_token_free) struct xa_token *token = issue(f, 1);
    const char *id = xa_token_id(token);

    assert_int_equal(find(f, id, NULL, NOW), XA_OK);
    assert_int_equal(find(f, id, NULL, NOW + XA_US_PER_S - 1), XA_OK);
    assert_int_equal(find(f, id, NULL, NOW + XA_US_PER_S), XA_E_NOTFOUND);
    assert_int_equal(memory_store_count(f->store), 1); /* still there */
}

static void
test_find__by_scope(void **state)
{
    struct fixture *f = *state;
    XA_AUTO(xa_token_free) struct xa_token *token = issue(f, 1);
    const char *id = xa_token_id(token);

    assert_int_equal(find(f, id, "users.alice.read", NOW), XA_OK);
    assert_int_equal(find(f, id, "users.bob.read", NOW), XA_E_FORBIDDEN);
    assert_int_equal(find(f, id, "", NOW), XA_E_FORBIDDEN);
    /* what has expired is not told from what never was */
    assert_int_equal(find(f, id, "users.bob.read", NOW + XA_US_PER_S),
                     XA_E_NOTFOUND);
    assert_int_equal(find(f, UNKNOWN, "users.bob.read", NOW), XA_E_NOTFOUND);
}

static void
test_find__by_a_uuid_of_either_case_and_nothing_else(void **state)
{
    static const char *const refused[] = {
        "",
        "x",
        "1823c1ee6c6a4cdc9869964a7f08a744",
        "{1823c1ee-6c6a-4cdc-9869-964a7f08a744}",
        "1823c1ee-6c6a-4cdc-9869-964a7f08a744 ",
        "1823c1ee-6c6a-4cdc-9869-964a7f08a74g",
        "1823c1ee-6c6a-4cdc-9869-964a7f08a7444",
        "../1823c1ee-6c6a-4cdc-9869-964a7f08a",
    };
    struct fixture *f = *state;
    XA_AUTO(xa_token_free) struct xa_token *token = issue(f, 1);
    XA_AUTO(xa_token_free) struct xa_token *found = NULL;
    struct xa_key expected;
    struct xa_key key = {.text = ""};
    char upper[XA_UUID_TEXT];
    unsigned calls;

    for (size_t i = 0; i < XA_UUID_TEXT; i++)
        upper[i] = (char)toupper((unsigned char)xa_token_id(token)[i]);
    assert_int_equal(
        xa_token_manager_find(f->manager, upper, NULL, NOW, &found, &key, NULL),
        XA_OK);
    assert_string_equal(xa_token_id(found), xa_token_id(token));
    xa_key_of_token(XA_KEY_SHA256, xa_token_id(token), &expected);
    assert_string_equal(key.text, expected.text);

    calls = memory_store_calls(f->store);
    for (size_t i = 0; i < XA_COUNT(refused); i++) {
        assert_int_equal(find(f, refused[i], NULL, NOW), XA_E_NOTFOUND);
        assert_int_equal(xa_token_manager_revoke(f->manager, refused[i], NULL),
                         XA_E_NOTFOUND);
    }
    assert_int_equal(memory_store_calls(f->store), calls);
}

static void
test_revoke__ends_it_also_twice(void **state)
{
    struct fixture *f = *state;
    XA_AUTO(xa_token_free) struct xa_token *token = issue(f, 60);
    XA_AUTO(xa_token_free) struct xa_token *other = issue(f, 60);
    const char *id = xa_token_id(token);

    assert_int_equal(xa_token_manager_revoke(f->manager, id, NULL), XA_OK);
    assert_int_equal(find(f, id, NULL, NOW), XA_E_NOTFOUND);
    assert_int_equal(find(f, xa_token_id(other), NULL, NOW), XA_OK);
    assert_int_equal(xa_token_manager_revoke(f->manager, id, NULL), XA_OK);
    assert_int_equal(xa_token_manager_revoke(f->manager, UNKNOWN, NULL), XA_OK);
}

static void
test_store_failures__come_through(void **state)
{
    struct fixture *f = *state;
    XA_AUTO(xa_token_free) struct xa_token *token = issue(f, 60);

    memory_store_fail(f->store, XA_E_TIMEOUT);
    assert_int_equal(find(f, xa_token_id(token), NULL, NOW), XA_E_TIMEOUT);
    assert_int_equal(
        xa_token_manager_revoke(f->manager, xa_token_id(token), NULL),
        XA_E_TIMEOUT);
    memory_store_fail(f->store, XA_OK);
    assert_int_equal(find(f, xa_token_id(token), NULL, NOW), XA_OK);
}

static char logged[4096];

static void
keep(void *ctx XA_UNUSED, enum xa_level level XA_UNUSED, const char *line)
{
    strncat(logged, line, sizeof logged - strlen(logged) - 1);
}

static void
test_log__shows_the_key_and_never_the_token(void **state)
{
    struct fixture *f = *state;
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    char expected[128];
    struct xa_key key;

    logged[0] = '\0';
    xa_log_capture(keep, NULL, XA_DEBUG);
    token = issue(f, 60);
    assert_int_equal(find(f, xa_token_id(token), "x", NOW), XA_E_FORBIDDEN);
    assert_int_equal(
        xa_token_manager_revoke(f->manager, xa_token_id(token), NULL), XA_OK);
    xa_key_of_token(XA_KEY_SHA256, xa_token_id(token), &key);
    snprintf(expected, sizeof expected,
             "INFO token.issued key=%.12s auth_id=\"alice\"", key.text);
    assert_non_null(strstr(logged, expected));
    snprintf(expected, sizeof expected, "INFO token.revoked key=%.12s",
             key.text);
    assert_non_null(strstr(logged, expected));
    assert_null(strstr(logged, xa_token_id(token)));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_lifetime__is_the_default_or_at_most_the_maximum),
        CASE(test_issue__writes_one_token_keyed_by_its_hash),
        CASE(test_issue__writes_the_token_itself_when_keys_are_plain),
        CASE(test_issue__takes_the_site_uuid_when_the_backend_has_none),
        CASE(test_issue__gives_no_token_that_was_not_written),
        CASE(test_find__until_the_last_microsecond),
        CASE(test_find__by_scope),
        CASE(test_find__by_a_uuid_of_either_case_and_nothing_else),
        CASE(test_revoke__ends_it_also_twice),
        CASE(test_store_failures__come_through),
        CASE(test_log__shows_the_key_and_never_the_token),
    };

    if (xa_crypto_init(NULL) != XA_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
