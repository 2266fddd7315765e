/* test_users_edit.c - change one user in the text of a users file. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "core/support/users_edit.h"
#include "tests/unit/unit.h"

#define MAX 65536

static char confd[] = "confd.#";
static char stars[] = "a.*";
static char quoted[] = "say \"#\"";
static char *one_acl[] = {confd};
static char *two_acls[] = {stars, quoted};
static const struct xa_strlist one = {one_acl, 1};
static const struct xa_strlist two = {two_acls, 2};
static const struct xa_strlist none = {NULL, 0};

struct example {
    const char *what;
    const char *before;
    const char *login;
    const char *uuid; /* NULL: as it is, "new-uuid" for a new user */
    const struct xa_strlist *acls;
    const char *after; /* NULL: refused */
};

static const struct example added[] = {
    {"an empty file", "", "alice", NULL, NULL,
     "users:\n  alice:\n    password: \"HASH\"\n    uuid: \"new-uuid\"\n"},
    {"a file of comments", "# ours\n", "alice", NULL, &one,
     "# ours\nusers:\n  alice:\n    password: \"HASH\"\n"
     "    uuid: \"new-uuid\"\n    acls: [\"confd.#\"]\n"},
    {"an own uuid", "", "alice", "u-1", &none,
     "users:\n  alice:\n    password: \"HASH\"\n    uuid: \"u-1\"\n"
     "    acls: []\n"},
    {"a login that needs quotes", "users:\n", "a b: #1", "u", &two,
     "users:\n  \"a b: #1\":\n    password: \"HASH\"\n    uuid: \"u\"\n"
     "    acls: [\"a.*\", \"say \\\"#\\\"\"]\n"},
    {"a login like a boolean", "users:\n", "yes", "u", NULL,
     "users:\n  \"yes\":\n    password: \"HASH\"\n    uuid: \"u\"\n"},
    {"users: null", "---\nusers: ~ # none yet\n", "bob", "u", NULL,
     "---\nusers: # none yet\n  bob:\n    password: \"HASH\"\n"
     "    uuid: \"u\"\n"},
    {"users: {}", "users: {}\n", "bob", "u", NULL,
     "users:\n  bob:\n    password: \"HASH\"\n    uuid: \"u\"\n"},
    {"behind the last, with the others' indentation",
     "users:\n    alice:\n        password: x\n\nother: 1\n", "bob", "u", NULL,
     "users:\n    alice:\n        password: x\n"
     "    bob:\n      password: \"HASH\"\n      uuid: \"u\"\n\nother: 1\n"},
    {"a comment of the last user stays with it",
     "users:\n  alice:\n    password: x\n    # why\n# what follows\nx: 1\n",
     "bob", "u", NULL,
     "users:\n  alice:\n    password: x\n    # why\n"
     "  bob:\n    password: \"HASH\"\n    uuid: \"u\"\n"
     "# what follows\nx: 1\n"},
    {"no newline at the end", "users:\n  alice:\n    password: x", "bob", "u",
     NULL,
     "users:\n  alice:\n    password: x\n"
     "  bob:\n    password: \"HASH\"\n    uuid: \"u\"\n"},
    {"lines that end with CR LF", "users:\r\n  alice:\r\n    password: x\r\n",
     "bob", "u", NULL,
     "users:\r\n  alice:\r\n    password: x\r\n"
     "  bob:\r\n    password: \"HASH\"\r\n    uuid: \"u\"\r\n"},
    {"all in one line",
     "users: {alice: {password: \"x\", uuid: u-1, acls: [confd.#, 'yes']}}\n",
     "bob", "u", NULL,
     "users:\n  alice: {password: x, uuid: u-1, acls: [\"confd.#\", \"yes\"]}\n"
     "  bob:\n    password: \"HASH\"\n    uuid: \"u\"\n"},
    {"a file in JSON",
     "{\n  \"users\": {\n    \"alice\": {\"password\": \"x\"}\n  },\n"
     "  \"num\": [1, true, null, \"1\"]\n}\n",
     "bob", "u", NULL,
     "users:\n  alice: {password: x}\n"
     "  bob:\n    password: \"HASH\"\n    uuid: \"u\"\n"
     "num: [1, true, null, \"1\"]\n"},
    {"behind other keys", "other: {a: 1}\nlist:\n- 1\n", "bob", "u", NULL,
     "other: {a: 1}\nlist:\n- 1\nusers:\n  bob:\n    password: \"HASH\"\n"
     "    uuid: \"u\"\n"},
};

static const struct example changed[] = {
    {"the password alone",
     "# all\nusers:\n  # first\n  alice:\n    password: \"x\" # old\n"
     "    uuid: u-1\n    acls:\n    - confd.#\n  bob:\n    password: y\n",
     "alice", NULL, NULL,
     "# all\nusers:\n  # first\n  alice:\n    password: \"HASH\" # old\n"
     "    uuid: u-1\n    acls:\n    - confd.#\n  bob:\n    password: y\n"},
    {"quotes of every kind",
     "'users':\n  \"alice\":\n    'password' : 'it''s'\n", "alice", NULL, NULL,
     "'users':\n  \"alice\":\n    'password' : \"HASH\"\n"},
    {"an escape before the quote", "users:\n  a:\n    password: \"\\\"\" #\"\n",
     "a", NULL, NULL, "users:\n  a:\n    password: \"HASH\" #\"\n"},
    {"a plain text with #", "users:\n  a:\n    password: x#y  # c\n", "a",
     NULL, NULL, "users:\n  a:\n    password: \"HASH\"  # c\n"},
    {"a password that was missing", "users:\n  a:\n    # note\n    uuid: u\n",
     "a", NULL, NULL,
     "users:\n  a:\n    # note\n    password: \"HASH\"\n    uuid: u\n"},
    {"a password that was null", "users:\n  a:\n    password:\n    uuid: u\n",
     "a", NULL, NULL, "users:\n  a:\n    password: \"HASH\"\n    uuid: u\n"},
    {"a user without anything",
     "users:\n  a:\n  b:\n    password: x\n", "a",
     NULL, NULL,
     "users:\n  a:\n    password: \"HASH\"\n  b:\n    password: x\n"},
    {"a user that is {}", "users:\n  a: {} # empty\n", "a", NULL, NULL,
     "users:\n  a: # empty\n    password: \"HASH\"\n"},
    {"a user in one line",
     "users:\n  a: {password: \"x\", uuid: \"1\", note: \"it's\"} # c\n  b:\n"
     "    password: y\n",
     "a", "u", NULL,
     "users:\n  a: # c\n    password: \"HASH\"\n    uuid: \"u\"\n"
     "    note: \"it's\"\n  b:\n    password: y\n"},
    {"a user in one line without a comment",
     "users:\n  a: {password: \"x\", uuid: \"1\", acls: []}\n  b:\n"
     "    password: y\n",
     "a", "u", NULL,
     "users:\n  a:\n    password: \"HASH\"\n    uuid: \"u\"\n    acls: []\n"
     "  b:\n    password: y\n"},
    {"other keys of the user",
     "users:\n  a:\n    note: |\n      # no comment\n      two\n"
     "    password: x\n",
     "a", NULL, NULL,
     "users:\n  a:\n    note: |\n      # no comment\n      two\n"
     "    password: \"HASH\"\n"},
    {"the uuid too", "users:\n  a:\n    uuid: old\n    password: x\n", "a",
     "u-2", NULL, "users:\n  a:\n    uuid: \"u-2\"\n    password: \"HASH\"\n"},
    {"a list of ACLs in lines",
     "users:\n  a:\n    password: x\n    acls: # all\n      - one\n"
     "      # keep me\n      - two # lost\n\n  b:\n    password: y\n",
     "a", NULL, &one,
     "users:\n  a:\n    password: \"HASH\"\n    acls: [\"confd.#\"] # all\n"
     "      # keep me\n\n  b:\n    password: y\n"},
    {"a list of ACLs at the indentation of its key",
     "users:\n  a:\n    acls:\n    - one\n    - two\n    password: x\n", "a",
     NULL, &none,
     "users:\n  a:\n    acls: []\n    password: \"HASH\"\n"},
    {"a list of ACLs in brackets",
     "users:\n  a:\n    acls: [one, \"]\",\n      two] # c\n    password: x\n",
     "a", NULL, &one,
     "users:\n  a:\n    acls: [\"confd.#\"] # c\n    password: \"HASH\"\n"},
    {"ACLs that were missing", "users:\n  a:\n    password: x\n", "a", NULL,
     &one,
     "users:\n  a:\n    password: \"HASH\"\n    acls: [\"confd.#\"]\n"},
    {"another user of the same name elsewhere",
     "admins:\n  a:\n    password: x\nusers:\n  a:\n    password: x\n", "a",
     NULL, NULL,
     "admins:\n  a:\n    password: x\nusers:\n  a:\n    password: \"HASH\"\n"},
    {"a password that came by <<",
     "base: &base\n  password: x\nusers:\n  a:\n    <<: *base\n    uuid: u\n",
     "a", NULL, NULL,
     "base: &base\n  password: x\nusers:\n  a:\n    <<: *base\n"
     "    password: \"HASH\"\n    uuid: u\n"},
};

static const struct example refused[] = {
    {"no YAML", "users: [", "a", NULL, NULL, NULL},
    {"no mapping", "- users\n", "a", NULL, NULL, NULL},
    {"users is a list", "users: [a]\n", "a", NULL, NULL, NULL},
    {"users is a text", "users: all\n", "a", NULL, NULL, NULL},
    {"the user is a text", "users:\n  a: secret\n", "a", NULL, NULL, NULL},
    {"the user is a list", "users:\n  a: [x]\n", "a", NULL, NULL, NULL},
    {"a comment in a file in braces", "{users: {}, # why\n}\n", "a", NULL,
     NULL, NULL},
    {"something behind the braces", "{users: {}} # why\n...\n", "a", NULL,
     NULL, NULL},
    {"a comment in braces", "users: {a: {password: x}, # why\n  b: {}}\n", "a",
     NULL, NULL, NULL},
    {"an anchor in braces", "users: {a: &x {password: x}, b: *x}\n", "a", NULL,
     NULL, NULL},
    {"a user that others are made from",
     "users:\n  a: &a\n    password: x\n  b:\n    <<: *a\n", "a", NULL, NULL,
     NULL},
    {"a user that is an alias",
     "x: &x\n  password: x\nusers:\n  a: *x\n", "a", NULL, NULL, NULL},
    {"a password with an anchor",
     "users:\n  a:\n    password: &p x\n  b:\n    password: *p\n", "a", NULL,
     NULL, NULL},
    {"a password over several lines",
     "users:\n  a:\n    password: >\n      x\n      y\n", "a", NULL, NULL,
     NULL},
    {"a password below its key", "users:\n  a:\n    password:\n      x\n", "a",
     NULL, NULL, NULL},
    {"a key with a question mark",
     "users:\n  ? a\n  : password: x\n", "a", NULL, NULL, NULL},
    {"an ACL list that is an alias",
     "l: &l [x]\nusers:\n  a:\n    password: x\n    acls: *l\n", "a", NULL,
     &one, NULL},
    {"a line that ends with CR alone", "users:\n  a:\r    password: x\n", "a",
     NULL, NULL, NULL},
    {"a line that ends with U+2028", "users: \xe2\x80\xa8  a:\n", "a", NULL,
     NULL, NULL},
    {"a tag", "users:\n  a:\n    password: !exec x\n", "a", NULL, NULL, NULL},
    {"a login twice", "users:\n  a: {}\n  a: {}\n", "a", NULL, NULL, NULL},
    {"something behind the end", "users:\n  a:\n    password: x\n...\n", "b",
     NULL, NULL, NULL},
};

static enum xa_rc
edit(const struct example *e, struct xa_buf *out, bool *is_new,
     struct xa_err *err)
{
    const struct xa_user_change change = {
        .login = e->login,
        .hash = "HASH",
        .uuid = e->uuid,
        .uuid_if_new = "new-uuid",
        .acls = e->acls,
    };

    return xa_users_edit("users.yml", e->before, strlen(e->before), &change,
                         out, is_new, err);
}

static void
check(const struct example *examples, size_t count, bool expect_new)
{
    for (size_t i = 0; i < count; i++) {
        const struct example *e = &examples[i];
        XA_AUTO(xa_buf_free) struct xa_buf out = XA_BUF(MAX);
        struct xa_err err = XA_ERR_NONE;
        bool is_new = !expect_new;
        enum xa_rc rc = edit(e, &out, &is_new, &err);

        if (!e->after) {
            if (rc != XA_E_CONFIG || !strstr(err.text, "users.yml"))
                fail_msg("%s: rc %d, %s\n%s", e->what, (int)rc, err.text,
                         xa_buf_text(&out));
            assert_int_equal(out.len, 0);
            continue;
        }
        if (rc != XA_OK)
            fail_msg("%s: %s", e->what, err.text);
        if (strcmp(xa_buf_text(&out), e->after) != 0)
            fail_msg("%s:\n%s", e->what, xa_buf_text(&out));
        assert_int_equal(is_new, expect_new);
    }
}

static void
test_edit__adds_a_user(void **state XA_UNUSED)
{
    check(added, XA_COUNT(added), true);
}

static void
test_edit__changes_a_user_and_nothing_else(void **state XA_UNUSED)
{
    check(changed, XA_COUNT(changed), false);
}

static void
test_edit__refuses_what_it_could_not_keep(void **state XA_UNUSED)
{
    check(refused, XA_COUNT(refused), false);
}

static void
test_edit__stays_below_its_ceiling(void **state XA_UNUSED)
{
    const struct example e = {.before = "users:\n", .login = "a"};
    XA_AUTO(xa_buf_free) struct xa_buf out = XA_BUF(20);
    struct xa_err err = XA_ERR_NONE;
    bool is_new;

    assert_int_equal(edit(&e, &out, &is_new, &err), XA_E_INVALID);
}

static void
test_edit__twice_is_as_good_as_once(void **state XA_UNUSED)
{
    for (size_t i = 0; i < XA_COUNT(added); i++) {
        struct example e = added[i];
        XA_AUTO(xa_buf_free) struct xa_buf out = XA_BUF(MAX);
        bool is_new = true;

        e.before = e.after;
        assert_int_equal(edit(&e, &out, &is_new, NULL), XA_OK);
        assert_string_equal(xa_buf_text(&out), e.after);
        assert_false(is_new);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edit__adds_a_user),
        cmocka_unit_test(test_edit__changes_a_user_and_nothing_else),
        cmocka_unit_test(test_edit__refuses_what_it_could_not_keep),
        cmocka_unit_test(test_edit__stays_below_its_ceiling),
        cmocka_unit_test(test_edit__twice_is_as_good_as_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
