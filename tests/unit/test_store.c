/* test_store.c - one door to every kind of store. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>

#include "core/token/store.h"
#include "tests/fakes/memory_store.h"
#include "tests/unit/unit.h"

#define NOW INT64_C(1480933018557553)

static void
put(struct xa_store *store, const char *text)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    struct xa_key key;

    snprintf(key.text, sizeof key.text, "%s", text);
    assert_int_equal(xa_identity_set_auth_id(&who, "somebody", NULL), XA_OK);
    assert_int_equal(xa_token_new(&who, 100, NOW, &token, NULL), XA_OK);
    assert_int_equal(xa_store_create(store, &key, token, NULL), XA_OK);
}

static void
test_open__knows_its_kinds(void **state XA_UNUSED)
{
    static char unknown[][8] = {"", "LMDB", "lmdb ", "redis"};

    for (size_t i = 0; i < XA_COUNT(unknown); i++) {
        const struct xa_config config = {.store.type = unknown[i]};
        struct xa_store *store = NULL;
        struct xa_err err = XA_ERR_NONE;
        char expected[80];

        assert_int_equal(xa_store_open(&config, XA_STORE_USE, &store, &err),
                         XA_E_CONFIG);
        assert_null(store);
        snprintf(expected, sizeof expected,
                 "store.type: no store \"%s\" in this build", unknown[i]);
        assert_string_equal(err.text, expected);
    }
}

/* A store that cannot remove many is asked for one after the other. */
static void
test_remove_many__one_by_one_where_a_store_knows_no_better(
    void **state XA_UNUSED)
{
    static const struct xa_key keys[] = {{"a"}, {"nobody"}, {"c"}};
    XA_AUTO(xa_store_close) struct xa_store *store = memory_store_new();
    struct xa_token *token = NULL;
    uint64_t removed = 7;

    put(store, "a");
    put(store, "b");
    put(store, "c");
    assert_int_equal(xa_store_remove_many(store, keys, 0, &removed, NULL),
                     XA_OK);
    assert_int_equal(removed, 0);
    assert_int_equal(
        xa_store_remove_many(store, keys, XA_COUNT(keys), &removed, NULL),
        XA_OK);
    assert_int_equal(removed, 2);
    assert_int_equal(memory_store_count(store), 1);
    assert_int_equal(xa_store_get(store, &keys[0], &token, NULL),
                     XA_E_NOTFOUND);
}

static void
test_remove_many__stops_at_the_first_failure(void **state XA_UNUSED)
{
    static const struct xa_key keys[] = {{"a"}, {"b"}};
    XA_AUTO(xa_store_close) struct xa_store *store = memory_store_new();
    struct xa_err err = XA_ERR_NONE;
    uint64_t removed = 7;
    unsigned calls;

    put(store, "a");
    put(store, "b");
    calls = memory_store_calls(store);
    memory_store_fail(store, XA_E_STORE);
    assert_int_equal(
        xa_store_remove_many(store, keys, XA_COUNT(keys), &removed, &err),
        XA_E_STORE);
    assert_string_equal(err.text, "told to fail");
    assert_int_equal(removed, 0);
    assert_int_equal(memory_store_calls(store), calls + 1);
    assert_int_equal(memory_store_count(store), 2);
}

/* What the store of one machine is spared. */
static void
test_lead__always_where_no_other_machine_can(void **state XA_UNUSED)
{
    XA_AUTO(xa_store_close) struct xa_store *store = memory_store_new();
    bool leads = false;

    assert_false(xa_store_is_shared(store));
    assert_int_equal(xa_store_lead(store, &leads, NULL), XA_OK);
    assert_true(leads);
    xa_store_resign(store);
    leads = false;
    assert_int_equal(xa_store_lead(store, &leads, NULL), XA_OK);
    assert_true(leads);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open__knows_its_kinds),
        cmocka_unit_test(
            test_remove_many__one_by_one_where_a_store_knows_no_better),
        cmocka_unit_test(test_remove_many__stops_at_the_first_failure),
        cmocka_unit_test(test_lead__always_where_no_other_machine_can),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
