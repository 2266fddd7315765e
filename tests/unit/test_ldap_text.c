/* test_ldap_text.c - text from outside, made fit for LDAP. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "backends/ldap_text.h"
#include "core/base/auto.h"
#include "tests/unit/unit.h"

#define LOGIN_MAX 256

struct escaped {
    const char *value;
    size_t len;
    const char *expected;
};

#define CASE(value, expected)                                                  \
    {                                                                          \
        value, sizeof value - 1, expected                                      \
    }

typedef ptrdiff_t escape_fn(const char *value, size_t len, char *out,
                            size_t size);

/* Each result, then the least place for it, then one byte less. */
static void
check_escapes(escape_fn *escape, const struct escaped *cases, size_t count)
{
    char out[64];

    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(cases[i].expected);

        if (escape(cases[i].value, cases[i].len, out, sizeof out) !=
                (ptrdiff_t)len ||
            strcmp(out, cases[i].expected) != 0)
            fail_msg("\"%s\" became \"%s\"", cases[i].value, out);
        memset(out, 'x', sizeof out);
        assert_int_equal(escape(cases[i].value, cases[i].len, out, len + 1),
                         len);
        assert_int_equal(out[len + 1], 'x');
        if (len > 0) {
            assert_int_equal(escape(cases[i].value, cases[i].len, out, len),
                             -1);
            assert_string_equal(out, "");
        }
    }
    out[0] = 'x';
    assert_int_equal(escape("", 0, out, 0), -1);
    assert_int_equal(out[0], 'x');
}

static void
test_escape_filter__leaves_no_byte_a_meaning(void **state XA_UNUSED)
{
    static const struct escaped cases[] = {
        CASE("", ""),
        CASE("alice", "alice"),
        CASE("alice@xivo.example", "alice@xivo.example"),
        CASE("*", "\\2A"),
        CASE("(", "\\28"),
        CASE(")", "\\29"),
        CASE("\\", "\\5C"),
        CASE("\0", "\\00"),
        CASE("a\0b", "a\\00b"),
        CASE("\\2a", "\\5C2a"),
        CASE("*)(uid=*))(|(uid=*", "\\2A\\29\\28uid=\\2A\\29\\29\\28|"
                                   "\\28uid=\\2A"),
        CASE("a\nb\x7f", "a\\0Ab\\7F"),
        CASE(" a ", " a "),
        CASE("a,b=c#d+e;<f>\"", "a,b=c#d+e;<f>\""),
        CASE("&|!~", "&|!~"),
        CASE("\xc3\xa9", "\xc3\xa9"),
    };

    check_escapes(xa_ldap_escape_filter, cases, XA_COUNT(cases));
}

static void
test_escape_dn__leaves_no_byte_a_meaning(void **state XA_UNUSED)
{
    static const struct escaped cases[] = {
        CASE("", ""),
        CASE("alice", "alice"),
        CASE(",", "\\2C"),
        CASE("+", "\\2B"),
        CASE("=", "\\3D"),
        CASE(";", "\\3B"),
        CASE("<", "\\3C"),
        CASE(">", "\\3E"),
        CASE("\"", "\\22"),
        CASE("\\", "\\5C"),
        CASE("\0", "\\00"),
        CASE("a\0b", "a\\00b"),
        CASE("#", "\\23"),
        CASE("#a#", "\\23a#"),
        CASE(" ", "\\20"),
        CASE("  ", "\\20\\20"),
        CASE(" a b ", "\\20a b\\20"),
        CASE("   a", "\\20  a"),
        CASE("alice,ou=admins", "alice\\2Cou\\3Dadmins"),
        CASE("a\\,b", "a\\5C\\2Cb"),
        CASE("a\r\nb\x7f", "a\\0D\\0Ab\\7F"),
        CASE("*()", "*()"),
        CASE("\xc3\xa9", "\xc3\xa9"),
    };

    check_escapes(xa_ldap_escape_dn, cases, XA_COUNT(cases));
}

static void
test_put_filter__names_the_attribute(void **state XA_UNUSED)
{
    char out[32] = "";

    assert_int_equal(xa_ldap_put_filter("uid", "a*", out, sizeof out), 0);
    assert_string_equal(out, "(uid=a\\2A)");
    assert_int_equal(xa_ldap_put_filter("uid", "a*", out, 10), -1);
    assert_string_equal(out, "");
    assert_int_equal(xa_ldap_put_filter("uid", "a*", out, 11), 0);
}

static void
test_put_dn__stands_below_the_base(void **state XA_UNUSED)
{
    char out[64] = "";

    assert_int_equal(
        xa_ldap_put_dn("uid", "a,b", "ou=people,dc=x", out, sizeof out), 0);
    assert_string_equal(out, "uid=a\\2Cb,ou=people,dc=x");
    assert_int_equal(xa_ldap_put_dn("uid", "a,b", "ou=people,dc=x", out, 24),
                     -1);
    assert_string_equal(out, "");
}

/* The longest login, of bytes that become three each, fits. */
static void
test_put_dn__takes_the_longest_login(void **state XA_UNUSED)
{
    char login[LOGIN_MAX + 2];
    char out[1024];

    memset(login, ',', sizeof login);
    login[LOGIN_MAX] = '\0';
    assert_int_equal(xa_ldap_put_dn("uid", login, "dc=x", out, sizeof out), 0);
    assert_int_equal(strlen(out), strlen("uid=,dc=x") + 3 * LOGIN_MAX);
    assert_int_equal(xa_ldap_put_filter("uid", login, out, sizeof out), 0);
    login[LOGIN_MAX] = ',';
    login[LOGIN_MAX + 1] = '\0';
    assert_int_equal(xa_ldap_put_dn("uid", login, "dc=x", out, sizeof out), -1);
    memset(login, '*', LOGIN_MAX + 1);
    assert_int_equal(xa_ldap_put_filter("uid", login, out, sizeof out), -1);
}

static void
test_is_attribute__takes_names_and_oids(void **state XA_UNUSED)
{
    static const char *const good[] = {"uid", "sAMAccountName", "x-login",
                                       "0.9.2342.19200300.100.1.1",
                                       "cn;lang-fr"};
    static const char *const bad[] = {"",     "-",        ".1",   ";x",
                                      "uid=", "uid)",     "(uid", "a b",
                                      "uid*", "u\xc3\xa9"};

    for (size_t i = 0; i < XA_COUNT(good); i++)
        if (!xa_ldap_is_attribute(good[i]))
            fail_msg("\"%s\"", good[i]);
    for (size_t i = 0; i < XA_COUNT(bad); i++)
        if (xa_ldap_is_attribute(bad[i]))
            fail_msg("\"%s\"", bad[i]);
}

static void
test_is_plain__refuses_what_no_email_holds(void **state XA_UNUSED)
{
    static const struct {
        const char *value;
        size_t len;
        int plain;
    } cases[] = {
        {"alice@xivo.example", 18, 1},
        {"", 0, 0},
        {"a\0b", 3, 0},
        {"a\n", 2, 0},
        {"\x7f", 1, 0},
        {"\xc3\xa9", 2, 1},
        {"\xe2\x82\xac", 3, 1},
        {"\xf0\x9f\x98\x80", 4, 1},
        {"\xf4\x8f\xbf\xbf", 4, 1},
        {"\xc3\xa9", 1, 0},         /* cut short */
        {"\xe2\x82\xac", 2, 0},     /* cut short */
        {"\x80", 1, 0},             /* a tail without a head */
        {"\xc0\xaf", 2, 0},         /* overlong */
        {"\xe0\x9f\xbf", 3, 0},     /* overlong */
        {"\xf0\x8f\xbf\xbf", 4, 0}, /* overlong */
        {"\xed\xa0\x80", 3, 0},     /* a surrogate */
        {"\xf4\x90\x80\x80", 4, 0}, /* above U+10FFFF */
        {"\xf5\x80\x80\x80", 4, 0},
        {"\xe2\x82\x2c", 3, 0},
        {"\xff", 1, 0},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++)
        if (xa_ldap_is_plain(cases[i].value, cases[i].len) != cases[i].plain)
            fail_msg("case %zu", i);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escape_filter__leaves_no_byte_a_meaning),
        cmocka_unit_test(test_escape_dn__leaves_no_byte_a_meaning),
        cmocka_unit_test(test_put_filter__names_the_attribute),
        cmocka_unit_test(test_put_dn__stands_below_the_base),
        cmocka_unit_test(test_put_dn__takes_the_longest_login),
        cmocka_unit_test(test_is_attribute__takes_names_and_oids),
        cmocka_unit_test(test_is_plain__refuses_what_no_email_holds),
    };

    return cmocka_run_group_tests_name("ldap_text", tests, NULL, NULL);
}
