/* test_users_compare.c - did a change to a users file change just that? SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/support/users_compare.h"
#include "tests/unit/unit.h"
#include "tests/unit/yaml_tree.h"

static char first[] = "confd.#";
static char second[] = "dird.*";
static char *both[] = {first, second};
static const struct xa_strlist acls = {both, 2};

/* What is asked of alice in each case: the password, or all three. */
static const struct xa_user_change password = {.login = "alice", .hash = "H"};
static const struct xa_user_change all = {
    .login = "alice", .hash = "H", .uuid = "u-1", .acls = &acls};

/* A file of two users, with what stands in alice's entry. */
#define FILE_OF(alice) \
    "users:\n  alice: {" alice "}\n  bob: {password: x, n: 1}\nother: [1, a]\n"
#define BEFORE FILE_OF("password: old, uuid: u-0, acls: [a], note: hi")

struct example {
    const char *what;
    const char *before;
    const char *after;
};

static const struct example alike[] = {
    {"the password", BEFORE,
     FILE_OF("password: H, uuid: u-0, acls: [a], note: hi")},
    {"another order of keys", BEFORE,
     FILE_OF("note: hi, acls: [a], uuid: u-0, password: H")},
    {"other quotes and lines", BEFORE,
     "other:\n- 1\n- 'a'\nusers:\n  bob:\n    n: 1\n    password: \"x\"\n"
     "  alice:\n    password: H\n    uuid: u-0\n    acls: [a]\n"
     "    note: \"hi\"\n"},
    {"a first file", "{}\n", "users: {alice: {password: H}}\n"},
    {"a first user", "users:\n", "users: {alice: {password: H}}\n"},
    {"a user more", "users: {bob: {password: x}}\n",
     "users: {bob: {password: x}, alice: {password: H}}\n"},
    {"a null beside it", "users: {alice: {password: o, a: ~}}\n",
     "users: {alice: {password: H, a: null}}\n"},
    /* by the rules of the configuration, which is all that reads the file */
    {"a number in quotes", "users: {alice: {password: o, a: 1}}\n",
     "users: {alice: {password: H, a: \"1\"}}\n"},
};

static const struct example different[] = {
    {"the password stayed", BEFORE, BEFORE},
    {"the password is a list", BEFORE,
     FILE_OF("password: [H], uuid: u-0, acls: [a], note: hi")},
    {"the password is gone", BEFORE, FILE_OF("uuid: u-0, acls: [a], note: hi")},
    {"the uuid changed unasked", BEFORE,
     FILE_OF("password: H, uuid: u-2, acls: [a], note: hi")},
    {"an ACL more, unasked", BEFORE,
     FILE_OF("password: H, uuid: u-0, acls: [a, b], note: hi")},
    {"an ACL changed unasked", BEFORE,
     FILE_OF("password: H, uuid: u-0, acls: [b], note: hi")},
    {"a text became a list", BEFORE,
     FILE_OF("password: H, uuid: u-0, acls: [a], note: [hi]")},
    {"a key of the user is gone", BEFORE,
     FILE_OF("password: H, uuid: u-0, acls: [a]")},
    {"a key of the user is new", BEFORE,
     FILE_OF("password: H, uuid: u-0, acls: [a], note: hi, more: 1")},
    {"a key of the user has another name", BEFORE,
     FILE_OF("password: H, uuid: u-0, acls: [a], nota: hi")},
    {"the user is gone", BEFORE, "users: {bob: {password: x, n: 1}}\n"
                                 "other: [1, a]\n"},
    {"the users are gone", BEFORE, "other: [1, a]\n"},
    {"nothing is left", BEFORE, "{}\n"},
    {"another user is gone", "users: {alice: {password: o}, bob: {a: 1}}\n",
     "users: {alice: {password: H}}\n"},
    {"another user changed", "users: {alice: {password: o}, bob: {a: 1}}\n",
     "users: {alice: {password: H}, bob: {a: 2}}\n"},
    {"another user's word became a text",
     "users: {alice: {password: o}, bob: {a: yes}}\n",
     "users: {alice: {password: H}, bob: {a: \"yes\"}}\n"},
    {"a null became a text", "users: {alice: {password: o}, bob: {a: ~}}\n",
     "users: {alice: {password: H}, bob: {a: x}}\n"},
    {"a text became a null", "users: {alice: {password: o}, bob: {a: x}}\n",
     "users: {alice: {password: H}, bob: {a: ~}}\n"},
    {"another user came, too", "users: {alice: {password: o}}\n",
     "users: {alice: {password: H}, bob: {a: 1}}\n"},
    {"another user has another name",
     "users: {alice: {password: o}, bob: {a: 1}}\n",
     "users: {alice: {password: H}, rob: {a: 1}}\n"},
    {"another key of the file changed", "a: 1\nusers: {}\n",
     "a: 2\nusers: {alice: {password: H}}\n"},
    {"another key of the file is gone", "a: 1\nusers: {}\n",
     "users: {alice: {password: H}}\n"},
    {"a list has another order", "a: [1, 2]\nusers: {}\n",
     "a: [2, 1]\nusers: {alice: {password: H}}\n"},
};

/* The uuid and the ACLs are asked for, too. */
static const struct example all_alike[] = {
    {"all three", BEFORE,
     FILE_OF("password: H, uuid: u-1, acls: [confd.#, dird.*], note: hi")},
    {"none was there", "users: {alice: {note: hi}}\n",
     "users: {alice: {note: hi, password: H, uuid: u-1, "
     "acls: [confd.#, dird.*]}}\n"},
};

static const struct example all_different[] = {
    {"the uuid stayed", BEFORE,
     FILE_OF("password: H, uuid: u-0, acls: [confd.#, dird.*], note: hi")},
    {"the ACLs stayed", BEFORE,
     FILE_OF("password: H, uuid: u-1, acls: [a], note: hi")},
    {"the ACLs are gone", BEFORE,
     FILE_OF("password: H, uuid: u-1, note: hi")},
    {"the ACLs are a text", BEFORE,
     FILE_OF("password: H, uuid: u-1, acls: confd.#, note: hi")},
    {"an ACL is missing", BEFORE,
     FILE_OF("password: H, uuid: u-1, acls: [confd.#], note: hi")},
    {"an ACL is another", BEFORE,
     FILE_OF("password: H, uuid: u-1, acls: [confd.#, dird.#], note: hi")},
    {"an ACL is a list", BEFORE,
     FILE_OF("password: H, uuid: u-1, acls: [confd.#, [dird.*]], note: hi")},
    {"ACLs in another order", BEFORE,
     FILE_OF("password: H, uuid: u-1, acls: [dird.*, confd.#], note: hi")},
};

static void
expect(const struct example *examples, size_t count,
       const struct xa_user_change *change, bool expected)
{
    for (size_t i = 0; i < count; i++) {
        XA_AUTO(xa_node_free) struct xa_node *before = NULL;
        XA_AUTO(xa_node_free) struct xa_node *after = NULL;
        struct xa_err err = XA_ERR_NONE;

        if (parse(examples[i].before, &before, &err) != XA_OK ||
            parse(examples[i].after, &after, &err) != XA_OK)
            fail_msg("%s: %s", examples[i].what, err.text);
        if (xa_users_only_changed(before, after, change) != expected)
            fail_msg("%s", examples[i].what);
    }
}

static void
test_only_changed__what_was_asked(void **state XA_UNUSED)
{
    expect(alike, XA_COUNT(alike), &password, true);
    expect(all_alike, XA_COUNT(all_alike), &all, true);
}

static void
test_only_changed__sees_what_else_changed(void **state XA_UNUSED)
{
    expect(different, XA_COUNT(different), &password, false);
}

static void
test_only_changed__sees_what_did_not_change(void **state XA_UNUSED)
{
    expect(all_different, XA_COUNT(all_different), &all, false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_changed__what_was_asked),
        cmocka_unit_test(test_only_changed__sees_what_else_changed),
        cmocka_unit_test(test_only_changed__sees_what_did_not_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
