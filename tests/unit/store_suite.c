/* store_suite.c - what every kind of store has to do. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tests/unit/store_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "tests/unit/unit.h"

#define NOW_US (1700000000 * XA_US_PER_S)
#define HOUR_US (3600 * XA_US_PER_S)

static const struct store_kind *kind;

/* --- helpers --- */

void
suite_must(enum xa_rc rc, const struct xa_err *err)
{
    if (rc != XA_OK)
        fail_msg("%s: %s", xa_rc_name(rc), err->text);
}

static struct xa_token *
token_with(const char *auth_id, int64_t expires_us, size_t acls)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;
    struct xa_token *token = NULL;
    struct xa_err err = XA_ERR_NONE;
    char acl[XA_ACL_MAX + 1];

    suite_must(xa_identity_set_auth_id(&who, auth_id, &err), &err);
    suite_must(xa_identity_set_xivo_uuid(&who, "a-xivo-uuid", &err), &err);
    for (size_t i = 0; i < acls; i++) {
        snprintf(acl, sizeof acl, "confd.%zu.#.%0900d", i, 0);
        acl[acls > 3 ? 900 : 12] = '\0';
        suite_must(xa_identity_add_acl(&who, acl, &err), &err);
    }
    suite_must(
        xa_token_new(&who, 10, expires_us - 10 * XA_US_PER_S, &token, &err),
        &err);
    return token;
}

struct xa_token *
suite_token(const char *auth_id, int64_t expires_us)
{
    return token_with(auth_id, expires_us, 2);
}

struct xa_key
suite_key(const struct xa_token *token)
{
    struct xa_key key;

    xa_key_of_token(XA_KEY_SHA256, xa_token_id(token), &key);
    return key;
}

struct xa_key
suite_plain_key(unsigned n)
{
    struct xa_key key;

    snprintf(key.text, sizeof key.text, "%08x-0000-4000-8000-000000000000", n);
    return key;
}

struct xa_key
suite_create(struct xa_store *store, const char *auth_id, int64_t expires_us)
{
    XA_AUTO(xa_token_free)
    struct xa_token *token = suite_token(auth_id, expires_us);
    struct xa_key key = suite_key(token);
    struct xa_err err = XA_ERR_NONE;

    suite_must(xa_store_create(store, &key, token, &err), &err);
    return key;
}

/* With a plain key, whose place among the others is known. */
static struct xa_key
create_plain(struct xa_store *store, unsigned n, const char *auth_id,
             int64_t expires_us)
{
    XA_AUTO(xa_token_free)
    struct xa_token *token = suite_token(auth_id, expires_us);
    struct xa_key key = suite_plain_key(n);
    struct xa_err err = XA_ERR_NONE;

    xa_token_set_id(token, key.text);
    suite_must(xa_store_create(store, &key, token, &err), &err);
    return key;
}

bool
suite_has(struct xa_store *store, const struct xa_key *key)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    struct xa_err err = XA_ERR_NONE;
    enum xa_rc rc = xa_store_get(store, key, &token, &err);

    if (rc != XA_E_NOTFOUND)
        suite_must(rc, &err);
    return rc == XA_OK;
}

static bool
count_one(void *ctx, const struct xa_key *key XA_UNUSED,
          const struct xa_token *token XA_UNUSED)
{
    ++*(unsigned *)ctx;
    return true;
}

unsigned
suite_count(struct xa_store *store, const struct xa_query *query)
{
    struct xa_page page = XA_PAGE_FIRST;
    struct xa_err err = XA_ERR_NONE;
    unsigned count = 0;

    while (!page.done)
        suite_must(
            xa_store_list(store, query, &page, 100, count_one, &count, &err),
            &err);
    return count;
}

static unsigned
count_all(struct xa_store *store)
{
    return suite_count(store, &(struct xa_query){0});
}

static unsigned
count_of(struct xa_store *store, const char *auth_id)
{
    return suite_count(store, &(struct xa_query){.auth_id = auth_id});
}

struct xa_expired
suite_expire(struct xa_store *store, int64_t now_us, uint32_t max)
{
    struct xa_expired done;
    struct xa_err err = XA_ERR_NONE;
    bool leads = false;

    suite_must(xa_store_lead(store, &leads, &err), &err);
    assert_true(leads);
    suite_must(xa_store_expire(store, now_us, max, &done, &err), &err);
    return done;
}

static int
set_up(void **state)
{
    kind->make();
    *state = kind->open();
    return 0;
}

static int
tear_down(void **state)
{
    struct xa_store *store = *state;

    xa_store_close(&store);
    kind->wipe();
    return 0;
}

/* --- create, get, remove --- */

static void
assert_same_text(const char *a, const char *b)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a)
        assert_string_equal(a, b);
}

static void
assert_same(const struct xa_token *a, const struct xa_token *b)
{
    const char *const *a_acls;
    const char *const *b_acls;
    size_t a_count;
    size_t b_count;

    assert_same_text(xa_token_auth_id(a), xa_token_auth_id(b));
    assert_same_text(xa_token_user_uuid(a), xa_token_user_uuid(b));
    assert_same_text(xa_token_xivo_uuid(a), xa_token_xivo_uuid(b));
    assert_int_equal(xa_token_issued_us(a), xa_token_issued_us(b));
    assert_int_equal(xa_token_expires_us(a), xa_token_expires_us(b));
    a_acls = xa_token_acls(a, &a_count);
    b_acls = xa_token_acls(b, &b_count);
    assert_int_equal(a_count, b_count);
    for (size_t i = 0; i < a_count; i++)
        assert_string_equal(a_acls[i], b_acls[i]);
}

static void
test_get__gives_back_what_was_created(void **state)
{
    struct xa_store *store = *state;
    char long_id[XA_ID_MAX + 1];
    static const size_t acls[] = {0, 2, 30};

    memset(long_id, 'x', XA_ID_MAX);
    long_id[XA_ID_MAX] = '\0';
    for (size_t i = 0; i < XA_COUNT(acls); i++) {
        XA_AUTO(xa_token_free)
        struct xa_token *token = token_with(long_id, NOW_US + HOUR_US, acls[i]);
        XA_AUTO(xa_token_free) struct xa_token *got = NULL;
        struct xa_key key = suite_key(token);
        struct xa_err err = XA_ERR_NONE;

        suite_must(xa_store_create(store, &key, token, &err), &err);
        suite_must(xa_store_get(store, &key, &got, &err), &err);
        assert_same(token, got);
        assert_string_equal(xa_token_id(got), ""); /* a copy gives no token */
    }
}

static void
test_get__knows_the_token_of_a_plain_key(void **state)
{
    struct xa_store *store = *state;
    struct xa_key key = create_plain(store, 7, "alice", NOW_US);
    XA_AUTO(xa_token_free) struct xa_token *got = NULL;
    struct xa_err err = XA_ERR_NONE;

    suite_must(xa_store_get(store, &key, &got, &err), &err);
    assert_string_equal(xa_token_id(got), key.text);
}

static void
test_get__says_what_is_not_there(void **state)
{
    struct xa_store *store = *state;
    struct xa_key known = create_plain(store, 7, "alice", NOW_US);
    struct xa_token *got = NULL;
    struct xa_key key = suite_plain_key(8);

    assert_int_equal(xa_store_get(store, &key, &got, NULL), XA_E_NOTFOUND);
    key = known;
    key.text[20] = '\0'; /* the beginning of a key is none */
    assert_int_equal(xa_store_get(store, &key, &got, NULL), XA_E_NOTFOUND);
    assert_null(got);
    assert_true(suite_has(store, &known));
}

static void
test_get__gives_expired_ones_too(void **state)
{
    struct xa_store *store = *state;
    struct xa_key key = suite_create(store, "alice", 20 * XA_US_PER_S);

    assert_true(suite_has(store, &key));
}

static void
test_create__replaces_with_schedule_and_subject(void **state)
{
    struct xa_store *store = *state;
    struct xa_key key = create_plain(store, 1, "alice", NOW_US);
    XA_AUTO(xa_token_free) struct xa_token *got = NULL;
    struct xa_err err = XA_ERR_NONE;

    create_plain(store, 1, "bob", NOW_US + HOUR_US);
    assert_int_equal(count_all(store), 1);
    assert_int_equal(count_of(store, "alice"), 0);
    assert_int_equal(count_of(store, "bob"), 1);
    assert_int_equal(suite_expire(store, NOW_US, 10).removed, 0);
    suite_must(xa_store_get(store, &key, &got, &err), &err);
    assert_string_equal(xa_token_auth_id(got), "bob");
    assert_int_equal(suite_expire(store, NOW_US + HOUR_US, 10).removed, 1);
}

static void
test_create__twice_is_once(void **state)
{
    struct xa_store *store = *state;

    create_plain(store, 1, "alice", NOW_US);
    create_plain(store, 1, "alice", NOW_US);
    assert_int_equal(count_of(store, "alice"), 1);
    assert_int_equal(suite_expire(store, NOW_US, 10).removed, 1);
    assert_int_equal(suite_expire(store, NOW_US, 10).removed, 0);
}

static void
test_remove__takes_all_of_it_and_says_whether_it_was_there(void **state)
{
    struct xa_store *store = *state;
    struct xa_key other = suite_create(store, "alice", NOW_US + 1);
    struct xa_key key = suite_create(store, "alice", NOW_US);
    struct xa_err err = XA_ERR_NONE;
    bool removed = false;

    suite_must(xa_store_remove(store, &key, &removed, &err), &err);
    assert_true(removed);
    assert_false(suite_has(store, &key));
    assert_true(suite_has(store, &other));
    assert_int_equal(count_of(store, "alice"), 1);
    suite_must(xa_store_remove(store, &key, &removed, &err), &err);
    assert_false(removed);
    suite_must(xa_store_remove(store, &key, NULL, &err), &err);
    assert_int_equal(suite_expire(store, NOW_US, 10).removed, 0);
}

static void
test_remove_many__takes_those_that_are_there(void **state)
{
    enum { MANY = 50 }; /* more than go into one transaction of Consul's */
    struct xa_store *store = *state;
    struct xa_key other = suite_create(store, "alice", NOW_US + 1);
    struct xa_err err = XA_ERR_NONE;
    struct xa_key keys[MANY + 1];
    uint64_t removed = 99;

    for (unsigned i = 0; i < MANY; i++)
        keys[i] = suite_create(store, i % 2 ? "alice" : "bob", NOW_US + i);
    keys[MANY] = keys[0];
    suite_must(xa_store_remove(store, &keys[7], NULL, &err), &err);
    suite_must(xa_store_remove_many(store, keys, MANY, &removed, &err), &err);
    assert_int_equal(removed, MANY - 1);
    for (unsigned i = 0; i < MANY; i++)
        assert_false(suite_has(store, &keys[i]));
    assert_true(suite_has(store, &other));
    assert_int_equal(count_of(store, "alice"), 1);
    assert_int_equal(count_of(store, "bob"), 0);
    suite_must(xa_store_remove_many(store, &keys[MANY], 1, &removed, &err),
               &err);
    assert_int_equal(removed, 0);
    suite_must(xa_store_remove_many(store, keys, 0, &removed, &err), &err);
    assert_int_equal(removed, 0);
    assert_int_equal(suite_expire(store, NOW_US + 5000000, 100).removed, 1);
}

static void
test_open__finds_what_was_there(void **state)
{
    struct xa_store *store = *state;
    struct xa_key key = suite_create(store, "alice", NOW_US);
    struct xa_err err = XA_ERR_NONE;

    xa_store_close(&store);
    store = kind->open();
    *state = store;
    assert_true(suite_has(store, &key));
    assert_int_equal(count_of(store, "alice"), 1);
    suite_must(xa_store_check(store, &err), &err);
    assert_int_equal(suite_expire(store, NOW_US, 10).removed, 1);
    assert_string_equal(xa_store_type(store), kind->name);
}

/* --- expire --- */

static void
test_expire__goes_by_the_microsecond(void **state)
{
    struct xa_store *store = *state;
    struct xa_key key = suite_create(store, "alice", NOW_US);

    assert_int_equal(suite_expire(store, NOW_US - 1, 10).removed, 0);
    assert_true(suite_has(store, &key));
    assert_int_equal(suite_expire(store, NOW_US, 10).removed, 1);
    assert_false(suite_has(store, &key));
    assert_int_equal(count_of(store, "alice"), 0);
}

static void
test_expire__takes_the_longest_overdue_first(void **state)
{
    struct xa_store *store = *state;
    int64_t grain_us = kind->grain_us;
    struct xa_key keys[5];
    struct xa_expired done;

    for (unsigned i = 0; i < 5; i++) /* the later the smaller the key */
        keys[i] = create_plain(store, 5 - i, "alice", NOW_US + i * grain_us);

    done = suite_expire(store, NOW_US + 10 * grain_us, 2);
    assert_int_equal(done.removed, 2);
    assert_int_equal(done.oldest_us, NOW_US);
    assert_true(done.more);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(suite_has(store, &keys[i]), i >= 2);

    done = suite_expire(store, NOW_US + 3 * grain_us, 10);
    assert_int_equal(done.removed, 2);
    assert_int_equal(done.oldest_us, NOW_US + 2 * grain_us);
    assert_false(done.more);
    assert_true(suite_has(store, &keys[4]));
}

static void
test_expire__says_when_nothing_is_due(void **state)
{
    struct xa_store *store = *state;
    static const int64_t times[] = {INT64_MIN, -1, 0, 1, NOW_US - 1};

    suite_create(store, "alice", NOW_US);
    for (size_t i = 0; i < XA_COUNT(times); i++) {
        struct xa_expired done = suite_expire(store, times[i], 10);

        assert_int_equal(done.removed, 0);
        assert_int_equal(done.skipped, 0);
        assert_int_equal(done.oldest_us, 0);
        assert_false(done.more);
    }
}

static void
test_expire__ends_in_batches_of_any_size(void **state)
{
    struct xa_store *store = *state;
    unsigned removed = 0;
    struct xa_expired done;

    for (unsigned i = 0; i < 100; i++)
        suite_create(store, "alice", NOW_US + i % 7 * kind->grain_us);
    suite_create(store, "alice", NOW_US + HOUR_US);
    do {
        done = suite_expire(store, NOW_US + 7 * kind->grain_us, 33);
        removed += done.removed;
    } while (done.more);
    assert_int_equal(removed, 100);
    assert_int_equal(count_of(store, "alice"), 1);
}

/* --- list --- */

struct seen {
    unsigned count;
    unsigned stop_at; /* visit() says no there; 0: never */
    struct xa_key keys[64];
    struct xa_store *store; /* what is visited is removed; NULL: not */
};

static bool
see(void *ctx, const struct xa_key *key, const struct xa_token *token)
{
    struct seen *seen = ctx;
    struct xa_err err = XA_ERR_NONE;

    assert_non_null(xa_token_auth_id(token));
    assert_true(seen->count < XA_COUNT(seen->keys));
    seen->keys[seen->count++] = *key;
    if (seen->store) {
        assert_true(suite_has(seen->store, key));
        suite_must(xa_store_remove(seen->store, key, NULL, &err), &err);
    }
    return seen->count != seen->stop_at;
}

static void
test_list__goes_by_key_in_pages(void **state)
{
    struct xa_store *store = *state;
    struct xa_page page = XA_PAGE_FIRST;
    struct xa_err err = XA_ERR_NONE;
    struct seen seen = {0};
    unsigned before;

    for (unsigned i = 0; i < 23; i++) /* 7 and 23 have no common factor */
        create_plain(store, i * 7 % 23, i % 2 ? "alice" : "bob", NOW_US);
    do {
        before = seen.count;
        suite_must(xa_store_list(store, &(struct xa_query){0}, &page, 5, see,
                                 &seen, &err),
                   &err);
        assert_true(seen.count - before <= 5);
    } while (!page.done);
    assert_int_equal(seen.count, 23);
    for (unsigned i = 0; i < 23; i++)
        assert_string_equal(seen.keys[i].text, suite_plain_key(i).text);
}

static void
test_list__finds_what_the_query_asks_for(void **state)
{
    static const struct {
        struct xa_query query;
        unsigned count;
    } cases[] = {
        {{0}, 40},
        {{.auth_id = "alice"}, 20},
        {{.auth_id = "bob"}, 20},
        {{.auth_id = "nobody"}, 0},
        {{.auth_id = "alic"}, 0},
        {{.key_prefix = "0000001"}, 16},
        {{.key_prefix = "00000010-"}, 1},
        {{.key_prefix = "f"}, 0},
        {{.key_prefix = ""}, 40},
        {{.auth_id = "alice", .key_prefix = "0000001"}, 8},
        {{.expires_before_us = NOW_US}, 0},
        {{.expires_before_us = NOW_US + 1}, 1},
        {{.expires_before_us = NOW_US + 10}, 10},
        {{.auth_id = "bob", .expires_before_us = NOW_US + 10}, 5},
        {{.auth_id = "bob",
          .key_prefix = "0000000",
          .expires_before_us = NOW_US + 17},
         8},
        {{.key_prefix = "0000000000000000000000000000000000000000000000000000"
                        "00000000000000000000000000000000000000000000000000"},
         0},
    };
    struct xa_store *store = *state;

    for (unsigned i = 0; i < 40; i++)
        create_plain(store, i, i % 2 ? "alice" : "bob", NOW_US + i);
    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        unsigned count = suite_count(store, &cases[i].query);

        if (count != cases[i].count)
            fail_msg("case %zu: %u, not %u", i, count, cases[i].count);
    }
}

static void
test_list__goes_on_where_the_visitor_stopped(void **state)
{
    struct xa_store *store = *state;
    const struct xa_query query = {.auth_id = "alice"};
    struct xa_page page = XA_PAGE_FIRST;
    struct xa_err err = XA_ERR_NONE;
    struct seen seen = {.stop_at = 3};

    for (unsigned i = 0; i < 8; i++)
        create_plain(store, i, "alice", NOW_US);
    suite_must(xa_store_list(store, &query, &page, 100, see, &seen, &err),
               &err);
    assert_int_equal(seen.count, 3);
    assert_false(page.done);
    seen.stop_at = 0;
    while (!page.done)
        suite_must(xa_store_list(store, &query, &page, 100, see, &seen, &err),
                   &err);
    assert_int_equal(seen.count, 8);
    for (unsigned i = 0; i < 8; i++)
        assert_string_equal(seen.keys[i].text, suite_plain_key(i).text);
}

static void
test_list__lets_the_visitor_use_the_store(void **state)
{
    struct xa_store *store = *state;
    const struct xa_query query = {.auth_id = "alice"};
    struct xa_page page = XA_PAGE_FIRST;
    struct xa_err err = XA_ERR_NONE;
    struct seen seen = {.store = store};

    for (unsigned i = 0; i < 20; i++)
        create_plain(store, i, i % 4 ? "alice" : "bob", NOW_US);
    while (!page.done)
        suite_must(xa_store_list(store, &query, &page, 6, see, &seen, &err),
                   &err);
    assert_int_equal(seen.count, 15);
    assert_int_equal(count_all(store), 5);
}

static void
test_list__tells_long_names_apart(void **state)
{
    struct xa_store *store = *state;
    char a[XA_ID_MAX + 1];
    char b[XA_ID_MAX + 1];

    memset(a, 'x', XA_ID_MAX);
    a[XA_ID_MAX] = '\0';
    memcpy(b, a, sizeof b);
    b[XA_ID_MAX - 1] = 'y';
    suite_create(store, a, NOW_US);
    suite_create(store, a, NOW_US);
    suite_create(store, b, NOW_US);
    assert_int_equal(count_of(store, a), 2);
    assert_int_equal(count_of(store, b), 1);
}

#define TESTS_MAX 128 /* of the suite and of one kind together */
#define SUITE_TEST(test)                                                       \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
store_suite_run(const struct store_kind *of_kind, const struct CMUnitTest *more,
                size_t more_count)
{
    const struct CMUnitTest tests[] = {
        SUITE_TEST(test_get__gives_back_what_was_created),
        SUITE_TEST(test_get__knows_the_token_of_a_plain_key),
        SUITE_TEST(test_get__says_what_is_not_there),
        SUITE_TEST(test_get__gives_expired_ones_too),
        SUITE_TEST(test_create__replaces_with_schedule_and_subject),
        SUITE_TEST(test_create__twice_is_once),
        SUITE_TEST(test_remove__takes_all_of_it_and_says_whether_it_was_there),
        SUITE_TEST(test_remove_many__takes_those_that_are_there),
        SUITE_TEST(test_open__finds_what_was_there),
        SUITE_TEST(test_expire__goes_by_the_microsecond),
        SUITE_TEST(test_expire__takes_the_longest_overdue_first),
        SUITE_TEST(test_expire__says_when_nothing_is_due),
        SUITE_TEST(test_expire__ends_in_batches_of_any_size),
        SUITE_TEST(test_list__goes_by_key_in_pages),
        SUITE_TEST(test_list__finds_what_the_query_asks_for),
        SUITE_TEST(test_list__goes_on_where_the_visitor_stopped),
        SUITE_TEST(test_list__lets_the_visitor_use_the_store),
        SUITE_TEST(test_list__tells_long_names_apart),
    };

    struct CMUnitTest all[TESTS_MAX];

    if (XA_COUNT(tests) + more_count > TESTS_MAX) {
        puts("Bail out! TESTS_MAX is too small");
        return 1;
    }
    memcpy(all, tests, sizeof tests);
    memcpy(all + XA_COUNT(tests), more, more_count * sizeof *more);
    kind = of_kind;
    return _cmocka_run_group_tests(kind->name, all,
                                   XA_COUNT(tests) + more_count, NULL, NULL);
}
