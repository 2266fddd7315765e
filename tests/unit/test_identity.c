/* test_identity.c - what a backend may say of somebody. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "core/token/identity.h"
#include "tests/unit/unit.h"

static char longest[XA_ID_MAX + 2];

static void
test_set__takes_text_and_refuses_the_rest(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        enum xa_rc rc;
    } cases[] = {
        {"a", XA_OK},
        {"63f3dc3c-865d-419e-bec2-e18c4b118224", XA_OK},
        {"caf\xc3\xa9 au lait", XA_OK},
        {longest + 1, XA_OK},
        {longest, XA_E_INVALID},
        {"", XA_E_INVALID},
        {"a\nb", XA_E_INVALID},
        {"a\x7f", XA_E_INVALID},
        {"a\xc2\x9b[2J", XA_E_INVALID}, /* would reach a terminal by a list */
        {"\xff", XA_E_INVALID},
    };
    enum xa_rc (*const set[])(struct xa_identity *, const char *,
                              struct xa_err *) = {
        xa_identity_set_auth_id,
        xa_identity_set_user_uuid,
        xa_identity_set_xivo_uuid,
    };

    memset(longest, 'x', XA_ID_MAX + 1);
    for (size_t s = 0; s < XA_COUNT(set); s++) {
        for (size_t i = 0; i < XA_COUNT(cases); i++) {
            XA_AUTO(xa_identity_done) struct xa_identity who =
                XA_IDENTITY_EMPTY;

            if (set[s](&who, cases[i].text, NULL) != cases[i].rc)
                fail_msg("setter %zu, case %zu", s, i);
        }
    }
}

static void
test_set__replaces_and_keeps_what_was_valid(void **state XA_UNUSED)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;

    assert_int_equal(xa_identity_set_auth_id(&who, "one", NULL), XA_OK);
    assert_int_equal(xa_identity_set_auth_id(&who, "two", NULL), XA_OK);
    assert_string_equal(who.auth_id, "two");
    assert_int_equal(xa_identity_set_auth_id(&who, "", NULL), XA_E_INVALID);
    assert_string_equal(who.auth_id, "two");
}

static void
test_add_acl__up_to_the_number_of_acls(void **state XA_UNUSED)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;
    struct xa_err err = XA_ERR_NONE;

    for (int i = 0; i < XA_ACLS_MAX; i++)
        assert_int_equal(xa_identity_add_acl(&who, "a", NULL), XA_OK);
    assert_int_equal(xa_identity_add_acl(&who, "a", &err), XA_E_INVALID);
    assert_string_equal(err.text, "more than 1024 ACLs");
    assert_int_equal(who.acls.count, XA_ACLS_MAX);
}

static void
test_add_acl__up_to_the_bytes_of_all(void **state XA_UNUSED)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;
    char acl[XA_ACL_MAX + 2];
    struct xa_err err = XA_ERR_NONE;

    memset(acl, 'a', sizeof acl);
    acl[XA_ACL_MAX + 1] = '\0';
    assert_int_equal(xa_identity_add_acl(&who, acl, &err), XA_E_INVALID);
    assert_string_equal(err.text, "ACL has over 1024 bytes");
    acl[XA_ACL_MAX] = '\0';
    for (int i = 0; i < XA_ACLS_BYTES / XA_ACL_MAX; i++)
        assert_int_equal(xa_identity_add_acl(&who, acl, NULL), XA_OK);
    assert_int_equal(xa_identity_add_acl(&who, "a", &err), XA_E_INVALID);
    assert_string_equal(err.text, "ACLs of over 32768 bytes in all");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set__takes_text_and_refuses_the_rest),
        cmocka_unit_test(test_set__replaces_and_keeps_what_was_valid),
        cmocka_unit_test(test_add_acl__up_to_the_number_of_acls),
        cmocka_unit_test(test_add_acl__up_to_the_bytes_of_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
