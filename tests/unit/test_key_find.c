/* test_key_find.c - the token whose key begins with these digits. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/service/key_find.h"
#include "tests/fakes/memory_store.h"
#include "tests/unit/unit.h"

#define NOW INT64_C(1480933018557553)
#define TAIL "000000000000000000000000000000000000000000000000"

static void
put(struct xa_store *store, const char *key, uint32_t lifetime_s)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    struct xa_key as_key;

    snprintf(as_key.text, sizeof as_key.text, "%s", key);
    assert_int_equal(xa_identity_set_auth_id(&who, "somebody", NULL), XA_OK);
    assert_int_equal(xa_token_new(&who, lifetime_s, NOW, &token, NULL), XA_OK);
    assert_int_equal(xa_store_create(store, &as_key, token, NULL), XA_OK);
}

static void
test_find__wants_one_match(void **state XA_UNUSED)
{
    static const struct {
        const char *digits;
        enum xa_rc rc;
        const char *key; /* when found */
    } cases[] = {
        {"aaaaaaaa", XA_E_INVALID, NULL},
        {"aaaaaaaa1", XA_OK, "aaaaaaaa10000000" TAIL},
        {"AAAAAAAA1", XA_OK, "aaaaaaaa10000000" TAIL},
        {"aaaaaaaa2", XA_OK, "aaaaaaaa20000000" TAIL},
        {"aaaaaaaa3", XA_E_NOTFOUND, NULL},
        {"bbbbbbbb", XA_OK, "bbbbbbbb00000000" TAIL},
        {"bbbbbbbb00000000" TAIL, XA_OK, "bbbbbbbb00000000" TAIL},
        {"BBBBBBBB30000000" TAIL, XA_OK, "bbbbbbbb30000000" TAIL},
        {"cccccccc", XA_E_NOTFOUND, NULL}, /* has expired */
        {"bbbbbbb", XA_E_NOTFOUND, NULL},  /* too short */
        {"", XA_E_NOTFOUND, NULL},
        {"bbbbbbbg", XA_E_NOTFOUND, NULL},
        {"bbbbbbbb ", XA_E_NOTFOUND, NULL},
        {"bbbbbbbb00000000" TAIL "0", XA_E_NOTFOUND, NULL},
    };
    XA_AUTO(xa_store_close) struct xa_store *store = memory_store_new();

    put(store, "aaaaaaaa10000000" TAIL, 100);
    put(store, "aaaaaaaa20000000" TAIL, 100);
    put(store, "bbbbbbbb00000000" TAIL, 100);
    put(store, "bbbbbbbb10000000" TAIL, 1);
    put(store, "cccccccc00000000" TAIL, 1);
    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct xa_key key = {.text = "before"};
        enum xa_rc rc = xa_key_find(store, XA_KEY_SHA256, cases[i].digits,
                                    NOW + 50 * INT64_C(1000000), &key, NULL);

        if (rc != cases[i].rc)
            fail_msg("\"%s\": %s", cases[i].digits, xa_rc_name(rc));
        assert_string_equal(key.text, cases[i].key ? cases[i].key : "before");
    }
}

static void
test_find__finds_plain_keys_by_what_is_shown(void **state XA_UNUSED)
{
    static const char id[] = "1823c1ee-6c6a-4cdc-9869-964a7f08a744";
    XA_AUTO(xa_store_close) struct xa_store *store = memory_store_new();
    char shown[XA_SHA256_TEXT];
    struct xa_key key;

    put(store, "0823c1ee-6c6a-4cdc-9869-964a7f08a744", 100);
    put(store, id, 100);
    xa_sha256_hex(id, strlen(id), shown);
    assert_int_equal(xa_key_find(store, XA_KEY_PLAIN, shown, NOW, &key, NULL),
                     XA_OK);
    assert_string_equal(key.text, id);
    shown[12] = '\0';
    assert_int_equal(xa_key_find(store, XA_KEY_PLAIN, shown, NOW, &key, NULL),
                     XA_OK);
    assert_string_equal(key.text, id);
    assert_int_equal(
        xa_key_find(store, XA_KEY_PLAIN, "1823c1ee", NOW, &key, NULL),
        XA_E_NOTFOUND);
}

static void
test_find__tells_when_the_store_fails(void **state XA_UNUSED)
{
    XA_AUTO(xa_store_close) struct xa_store *store = memory_store_new();
    struct xa_key key;

    memory_store_fail(store, XA_E_STORE);
    assert_int_equal(
        xa_key_find(store, XA_KEY_SHA256, "aaaaaaaa", NOW, &key, NULL),
        XA_E_STORE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find__wants_one_match),
        cmocka_unit_test(test_find__finds_plain_keys_by_what_is_shown),
        cmocka_unit_test(test_find__tells_when_the_store_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
