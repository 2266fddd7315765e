/* test_acl.c - may a holder of these ACLs do that? SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/auto.h"
#include "core/token/acl.h"
#include "tests/fuzz/acl_oracle.h"
#include "tests/unit/unit.h"

#define SELF "63f3dc3c-865d-419e-bec2-e18c4b118224"

static void
check(const char *pattern, const char *auth_id, const char *required,
      bool expected)
{
    if (xa_acl_matches(pattern, auth_id, required) != expected)
        fail_msg("\"%s\" for \"%s\" and \"%s\" should %smatch", pattern,
                 auth_id, required, expected ? "" : "not ");
}

static void
test_matches__literally(void **state XA_UNUSED)
{
    static const struct {
        const char *pattern;
        const char *required;
        bool expected;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"foo", "foo", true},
        {"foo", "Foo", false},
        {"foo", "fo", false},
        {"foo", "fooo", false},
        {"foo", "foo\n", false},
        {"foo", "xfoo", false},
        {"foo.bar", "foo.bar", true},
        {"foo.bar", "fooxbar", false},
        {"foo.bar", "foo.bar.", false},
        {"foo.", "foo.", true},
        {".", ".", true},
        {"a+b", "a+b", true},
        {"a+b", "aab", false},
        {"[a-z]", "a", false},
        {"[a-z]", "[a-z]", true},
        {"(a|b)", "a", false},
        {"a?", "a", false},
        {"a?", "ab", false},
        {"a\\", "a\\", true},
        {"^a$", "a", false},
        {"caf\xc3\xa9", "caf\xc3\xa9", true},
        {"foo bar", "foo bar", true},
        {"!foo", "!foo", true}, /* only the first `!` of an ACL forbids */
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++)
        check(cases[i].pattern, SELF, cases[i].required, cases[i].expected);
}

static void
test_matches__a_star_within_a_word(void **state XA_UNUSED)
{
    static const struct {
        const char *pattern;
        const char *required;
        bool expected;
    } cases[] = {
        {"*", "", true},
        {"*", "foo", true},
        {"*", "foo.bar", false},
        {"*", ".", false},
        {"*", "#", false},
        {"*", "a#b", false},
        {"*", "*", true},
        {"**", "foo", true},
        {"**", "foo.bar", false},
        {"foo.*", "foo.bar", true},
        {"foo.*", "foo.", true},
        {"foo.*", "foo", false},
        {"foo.*", "foo.bar.baz", false},
        {"foo.*.baz", "foo.bar.baz", true},
        {"foo.*.baz", "foo..baz", true},
        {"foo.*.baz", "foo.baz", false},
        {"foo.*.baz", "foo.a.b.baz", false},
        {"f*o", "foo", true},
        {"f*o", "fo", true},
        {"f*o", "fooooo", true},
        {"f*o", "f.o", false},
        {"f*o", "f#o", false},
        {"*oo", "foo", true},
        {"*oo", "oo", true},
        {"fo*", "foo", true},
        {"*.*", "foo.bar", true},
        {"*.*", "foo", false},
        {"*.*.*", "a.b.c", true},
        {"*a*b*c", "xaxbxc", true},
        {"*a*b*c", "xaxcxb", false},
        {"a*b*c", "abbc", true},
        {"foo*", "foo.", false},
        {"foo*.bar", "foo1.bar", true},
        {"ctid-ng.users.*.presences.read", "ctid-ng.users.1.presences.read",
         true},
        {"confd.users.me.funckeys.*", "confd.users.me.funckeys.1.2", false},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++)
        check(cases[i].pattern, SELF, cases[i].required, cases[i].expected);
}

static void
test_matches__a_hash_over_anything(void **state XA_UNUSED)
{
    static const struct {
        const char *pattern;
        const char *required;
        bool expected;
    } cases[] = {
        {"#", "", true},
        {"#", "foo", true},
        {"#", "foo.bar.baz", true},
        {"#", "...", true},
        {"#", "#", true},
        {"#", "a\nb", true},
        {"##", "foo", true},
        {"foo.#", "foo.", true},
        {"foo.#", "foo.bar", true},
        {"foo.#", "foo.bar.baz", true},
        {"foo.#", "foo", false},
        {"foo.#", "food.bar", false},
        {"foo#", "foo", true},
        {"foo#", "food.bar", true},
        {"#.read", "foo.read", true},
        {"#.read", ".read", true},
        {"#.read", "read", false},
        {"#.read", "foo.read.", false},
        {"foo.#.bar", "foo.x.y.bar", true},
        {"foo.#.bar", "foo..bar", true},
        {"foo.#.bar", "foo.bar", false},
        {"foo.#.bar", "foo.bar.bar", true},
        {"#a#b#", "xxayybzz", true},
        {"#a#b#", "xxbyyazz", false},
        {"#.*.read", "a.b.read", true},
        {"#.*.read", "a.read", false},
        {"*#*", "a.b", true},
        {"#*", "a.b.c", true},
        {"*.#", "a.b.c", true},
        {"*.#", "abc", false},
        {"confd.#", "confd.users.1.read", true},
        {"dird.#.me.read", "dird.personal.me.read", true},
        {"dird.#.me.read", "dird.a.b.c.me.read", true},
        {"dird.#.me.read", "dird.me.read", false},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++)
        check(cases[i].pattern, SELF, cases[i].required, cases[i].expected);
}

static const struct {
    const char *pattern;
    const char *auth_id;
    const char *required;
    bool expected;
} me_cases[] = {
    {"me", "u1", "me", true},
    {"me", "u1", "u1", true},
    {"me", "u1", "u2", false},
    {"me", "u1", "", false},
    {"me", "u1", "u1.", false},
    {"me", "u1", "meu1", false},
    {"me.read", "u1", "u1.read", true},
    {"foo.me", "u1", "foo.u1", true},
    {"foo.me", "u1", "foo.me", true},
    {"foo.me.read", "u1", "foo.u1.read", true},
    {"foo.me.read", "u1", "foo.me.read", true},
    {"foo.me.read", "u1", "foo.u2.read", false},
    {"foo.me.read", "u1", "foo.u1x.read", false},
    {"foo.me.read", "u1", "foo.xu1.read", false},
    {"home", "u1", "hou1", false},
    {"home", "u1", "home", true},
    {"mea", "u1", "u1a", false},
    {"mea", "u1", "mea", true},
    {"me*", "u1", "u1", false},
    {"me*", "u1", "me2", true},
    {"*me", "u1", "u1", false},
    {"*me", "u1", "xme", true},
    {"me#", "u1", "u1.x", false},
    {"Me", "u1", "u1", false},
    {"me.me", "u1", "me.u1", true},
    {"me.me", "u1", "u1.me", true},
    {"me.me", "u1", "u1.u2", false},
    {"m.e", "u1", "u1", false},
    /* what auth_id holds is literal */
    {"foo.me", "*", "foo.bar", false},
    {"foo.me", "*", "foo.*", true},
    {"foo.me", "#", "foo.bar.baz", false},
    {"foo.me", "#", "foo.#", true},
    {"foo.me", ".*", "foo.x", false},
    {"foo.me", "a.b", "foo.a.b", true},
    {"foo.me", "a.b", "foo.a", false},
    {"me.b", "a.me", "a.me.b", true},
    {"me.b", "a.me", "a.a.me.b", false},
    {"#.me", "u1", "x.y.u1", true},
    {"#.me", "u1", "u1", false},
    {"#.me.#", "u1", "x.u1.y.z", true},
    {"*.me.*", "u1", "x.u1.y", true},
    {"*.me.*", "u1", "x.u1.y.z", false},
    {"me", "a-very-long-id-that-is-longer-than-what-is-asked", "me", true},
    {"me", "a-very-long-id-that-is-longer-than-what-is-asked", "a", false},
    {"confd.users.me.read", SELF, "confd.users." SELF ".read", true},
    {"events.chat.message.*.me", SELF, "events.chat.message.x." SELF, true},
    {"events.chat.message.*.me", SELF, "events.chat.message.x.y", false},
};

static void
test_matches__me_as_a_whole_word(void **state XA_UNUSED)
{
    for (size_t i = 0; i < XA_COUNT(me_cases); i++)
        check(me_cases[i].pattern, me_cases[i].auth_id, me_cases[i].required,
              me_cases[i].expected);
}

/* Every pattern and every requirement of up to five characters. */
static void
test_matches__as_the_oracle_for_all_short_texts(void **state XA_UNUSED)
{
    static const char letters[] = "me.*#";
    static const char asked[] = "me.#";
    char pattern[6];
    char required[6];
    size_t patterns = 0;
    size_t matches = 0;

    for (unsigned p = 0; p < 6 * 6 * 6 * 6 * 6; p++) {
        size_t n = 0;

        for (unsigned rest = p; rest > 0; rest /= 6)
            if (rest % 6 > 0)
                pattern[n++] = letters[rest % 6 - 1];
        pattern[n] = '\0';
        patterns++;
        for (unsigned q = 0; q < 5 * 5 * 5 * 5; q += 1 + p % 3) {
            size_t m = 0;
            bool expected;

            for (unsigned rest = q; rest > 0; rest /= 5)
                if (rest % 5 > 0)
                    required[m++] = asked[rest % 5 - 1];
            required[m] = '\0';
            expected = acl_oracle(pattern, "e.m", required);
            matches += expected;
            check(pattern, "e.m", required, expected);
        }
    }
    assert_int_equal(patterns, 7776);
    assert_true(matches > 1000);
}

static void
test_matches__the_longest_texts_in_bounded_work(void **state XA_UNUSED)
{
    XA_AUTO(xa_str_free) char *required = malloc(XA_SCOPE_MAX + 2);
    char pattern[201];

    /* exponential for a backtracking matcher; here it must simply end */
    for (size_t i = 0; i < 200; i += 2)
        memcpy(pattern + i, "#a", 2);
    pattern[200] = '\0';
    assert_non_null(required);
    memset(required, 'a', XA_SCOPE_MAX);
    required[XA_SCOPE_MAX] = '\0';
    check(pattern, SELF, required, true);
    required[XA_SCOPE_MAX - 1] = 'b';
    check(pattern, SELF, required, false);
}

static void
test_allows__one_that_allows_and_none_that_forbids(void **state XA_UNUSED)
{
    static const struct {
        const char *acls[4];
        const char *required;
        bool expected;
    } cases[] = {
        {{NULL}, "foo", false},
        {{NULL}, "", false},
        {{"foo"}, "foo", true},
        {{"foo", "bar"}, "bar", true},
        {{"foo", "bar"}, "baz", false},
        {{"#"}, "", true},
        {{"foo.#", "!foo.secret"}, "foo.open", true},
        {{"foo.#", "!foo.secret"}, "foo.secret", false},
        {{"!foo.secret", "foo.#"}, "foo.secret", false},
        {{"!foo.*", "foo.bar", "foo.#"}, "foo.bar", false},
        {{"!foo"}, "bar", false},
        {{"!foo"}, "!foo", false},
        {{"#", "!"}, "", false},
        {{"#", "!"}, "foo", true},
        {{"#", "!#"}, "foo", false},
        {{"#", "!!x"}, "!x", false},
        {{"#", "!users.me"}, "users." SELF, false},
        {{"#", "!users.me"}, "users.other", true},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        size_t count = 0;

        while (count < 4 && cases[i].acls[count])
            count++;
        if (xa_acl_allows(cases[i].acls, count, SELF, cases[i].required) !=
            cases[i].expected)
            fail_msg("case %zu, \"%s\"", i, cases[i].required);
    }
}

static void
test_allows__nothing_beyond_the_longest_scope(void **state XA_UNUSED)
{
    XA_AUTO(xa_str_free) char *required = malloc(XA_SCOPE_MAX + 2);
    const char *all[] = {"#"};

    assert_non_null(required);
    memset(required, 'a', XA_SCOPE_MAX + 1);
    required[XA_SCOPE_MAX + 1] = '\0';
    assert_false(xa_acl_allows(all, 1, SELF, required));
    required[XA_SCOPE_MAX] = '\0';
    assert_true(xa_acl_allows(all, 1, SELF, required));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches__literally),
        cmocka_unit_test(test_matches__a_star_within_a_word),
        cmocka_unit_test(test_matches__a_hash_over_anything),
        cmocka_unit_test(test_matches__me_as_a_whole_word),
        cmocka_unit_test(test_matches__as_the_oracle_for_all_short_texts),
        cmocka_unit_test(test_matches__the_longest_texts_in_bounded_work),
        cmocka_unit_test(test_allows__one_that_allows_and_none_that_forbids),
        cmocka_unit_test(test_allows__nothing_beyond_the_longest_scope),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
