/* test_path_acl.c - the ACL that a method and a path ask for. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/base/auto.h"
#include "core/base/str.h"
#include "core/support/path_acl.h"
#include "tests/unit/unit.h"

static struct xa_path_rules
read_rules(const char *yaml)
{
    XA_AUTO(xa_node_free) struct xa_node *node = NULL;
    struct xa_path_rules rules = {0};

    assert_int_equal(
        xa_yaml_parse("site.yml", yaml, strlen(yaml), 1000, &node, NULL),
        XA_OK);
    assert_int_equal(
        xa_path_rules_read(xa_node_get(node, "rows"), &rules, NULL), XA_OK);
    return rules;
}

/* expected: NULL if there must be none. */
static void
check(const struct xa_path_rules *rules, const char *prefix, const char *method,
      const char *target, const char *expected)
{
    XA_AUTO(xa_str_free) char *acl = NULL;
    struct xa_err err = XA_ERR_NONE;
    enum xa_rc rc = xa_path_acl(rules, prefix, method, target, &acl, &err);

    if (expected && rc != XA_OK)
        fail_msg("%s %s: %s", method, target, err.text);
    if (!expected && rc != XA_E_FORBIDDEN)
        fail_msg("%s %s gives %s", method ? method : "(none)",
                 target ? target : "(none)", acl ? acl : xa_rc_name(rc));
    if (expected)
        assert_string_equal(acl, expected);
    else
        assert_null(acl);
}

static void
test_path_acl__is_the_path_in_words(void **state XA_UNUSED)
{
    static const struct xa_path_rules none = {0};
    static const struct {
        const char *target;
        const char *expected;
    } cases[] = {
        {"/users", "p.users.read"},
        {"/users/42", "p.users.42.read"},
        {"/confd/1.1/users/42", "p.confd.1_1.users.42.read"},
        {"/a.b.c/.d/e.", "p.a_b_c._d.e_.read"},
        {"/...", "p.___.read"},
        {"/users?x=/../*#;", "p.users.read"},
        {"/users%3Fx", "p.users?x.read"},
        {"/%75sers", "p.users.read"},
        {"/a%2Eb", "p.a_b.read"},
        {"/a%252Fb", "p.a%2Fb.read"}, /* decoded once */
        {"/a%252e%252e/b", "p.a%2e%2e.b.read"},
        {"/a+b", "p.a+b.read"}, /* a blank in queries alone */
        {"/a%20b", "p.a b.read"},
        {"/l\xc3\xa9", "p.l\xc3\xa9.read"},
        {"/l%C3%A9", "p.l\xc3\xa9.read"},
        {"/!a", "p.!a.read"},
        {"/a,b", "p.a,b.read"},
        {"/me", "p.me.read"},
        {"/a%C2%A0", "p.a\xc2\xa0.read"},

        {"/a%C2%9B", NULL}, /* U+009B, a control character */
        {"", NULL},
        {"/", NULL},
        {"?x", NULL},
        {"*", NULL},
        {"users", NULL},
        {"http://h/users", NULL},
        {"//users", NULL},
        {"/users/", NULL},
        {"/users//42", NULL},
        {"/..", NULL},
        {"/a/../users", NULL},
        {"/a/%2e%2e/users", NULL},
        {"/a/.%2E/users", NULL},
        {"/./users", NULL},
        {"/a/%2e/users", NULL},
        {"/users/.", NULL},
        {"/a%2fb", NULL},
        {"/a%2Fb", NULL},
        {"/a%", NULL},
        {"/a%2", NULL},
        {"/a%zz", NULL},
        {"/a%00b", NULL},
        {"/a%0ab", NULL},
        {"/a%1f", NULL},
        {"/a%7f", NULL},
        {"/a\tb", NULL},
        {"/a b", NULL},
        {"/a, /b", NULL},
        {"/*", NULL},
        {"/a*", NULL},
        {"/%2a", NULL},
        {"/a/#", NULL},
        {"/a%23b", NULL},
        {"/a;b", NULL},
        {"/a%3bb=c", NULL},
        {"/a\\..\\b", NULL}, /* what URL parsers of browsers make slashes */
        {"/a\\b", NULL},
        {"/a%5cb", NULL},
        {"/a%5C..%5Cb", NULL},
        {"/\xff", NULL},
        {"/%ff", NULL},
        {"/%c0%af", NULL},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++)
        check(&none, "p", "GET", cases[i].target, cases[i].expected);
    check(&none, "p", "GET", NULL, NULL);
}

static void
test_path_acl__ends_with_what_the_method_does(void **state XA_UNUSED)
{
    static const struct xa_path_rules none = {0};
    static const struct {
        const char *method;
        const char *expected;
    } cases[] = {
        {"GET", "p.a.read"},
        {"HEAD", "p.a.read"},
        {"POST", "p.a.create"},
        {"PUT", "p.a.update"},
        {"PATCH", "p.a.update"},
        {"DELETE", "p.a.delete"},
        {"OPTIONS", NULL},
        {"TRACE", NULL},
        {"CONNECT", NULL},
        {"PROPFIND", NULL},
        {"get", NULL},
        {"GET ", NULL},
        {"GET, DELETE", NULL},
        {"", NULL},
        {NULL, NULL},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++)
        check(&none, "p", cases[i].method, "/a", cases[i].expected);
}

static void
test_path_acl__begins_with_a_prefix(void **state XA_UNUSED)
{
    static const struct xa_path_rules none = {0};
    char prefix[2000];

    memset(prefix, 'p', sizeof prefix - 1);
    prefix[sizeof prefix - 1] = '\0';
    check(&none, prefix, "GET", "/a", NULL);
    check(&none, "", "GET", "/a", NULL);
    check(&none, "p\n", "GET", "/a", NULL);
    check(&none, "\xff", "GET", "/a", NULL);
    check(&none, "confd.users", "GET", "/a", "confd.users.a.read");
}

static void
test_path_acl__has_a_longest_path(void **state XA_UNUSED)
{
    static const struct xa_path_rules none = {0};
    char target[XA_PATH_ACL_MAX + 3];
    char expected[XA_PATH_ACL_MAX + 16];

    memset(target, 'a', sizeof target);
    target[0] = '/';
    target[XA_PATH_ACL_MAX] = '\0';
    sprintf(expected, "p.%s.read", target + 1);
    check(&none, "p", "GET", target, expected);
    target[XA_PATH_ACL_MAX] = '?'; /* a query is not counted */
    target[XA_PATH_ACL_MAX + 1] = '\0';
    check(&none, "p", "GET", target, expected);
    target[XA_PATH_ACL_MAX] = 'a';
    check(&none, "p", "GET", target, NULL);
}

static void
test_path_acl__is_shaped_by_the_first_row_that_fits(void **state XA_UNUSED)
{
    XA_AUTO(xa_path_rules_free)
    struct xa_path_rules rules =
        read_rules("rows:\n"
                   "- {path: /confd/1.1, as: /}\n"
                   "- {path: /confd/1.1/users, as: /never}\n"
                   "- {path: /dird/*/directories, as: /dird.x/dir}\n"
                   "- {path: /dird/*, as: /dird}\n"
                   "- {path: /r\xc3\xa9sum\xc3\xa9, as: /cv}\n");
    static const struct {
        const char *target;
        const char *expected;
    } cases[] = {
        {"/confd/1.1/users/42", "confd.users.42.read"},
        {"/confd/1.1", "confd.read"},
        {"/confd/%31.1/users", "confd.users.read"},
        {"/confd/1_1/users", "confd.confd.1_1.users.read"},
        {"/confd/1.10/users", "confd.confd.1_10.users.read"},
        {"/confd/1", "confd.confd.1.read"},
        {"/confd", "confd.confd.read"},
        {"/CONFD/1.1/users", "confd.CONFD.1_1.users.read"},
        {"/x/confd/1.1", "confd.x.confd.1_1.read"},
        {"/dird/0.1/directories/a.b", "confd.dird_x.dir.a_b.read"},
        {"/dird/0.1/personal", "confd.dird.personal.read"},
        {"/dird", "confd.dird.read"},
        {"/r%C3%A9sum%C3%A9/1", "confd.cv.1.read"},
        {"/confd/1.1/", NULL},
        {"/confd//1.1/users", NULL},
        {"/confd/1.1/../users", NULL},
        {"/confd/1.1/a;b", NULL},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++)
        check(&rules, "confd", "GET", cases[i].target, cases[i].expected);
}

static void
test_path_acl__may_be_shaped_for_every_path(void **state XA_UNUSED)
{
    XA_AUTO(xa_path_rules_free)
    struct xa_path_rules rules = read_rules("rows: [{path: /, as: /all}]\n");

    check(&rules, "p", "PUT", "/a/b", "p.all.a.b.update");
    check(&rules, "p", "PUT", "/", NULL);
}

static void
test_path_rules__complain(void **state XA_UNUSED)
{
    static const struct {
        const char *yaml;
        const char *why;
    } cases[] = {
        {"rows: [/confd]\n", "site.yml:1: authorize.paths: found \"/confd\", "
                             "expected a row like {path: "},
        {"rows:\n- {path: /a, as: /b}\n- {path: /a, as: /b, by: c}\n",
         "site.yml:3: authorize.paths: found key \"by\", expected a row like"},
        {"rows: [{as: /b}]\n",
         "site.yml:1: authorize.paths.path: found a mapping, expected a path"},
        {"rows: [{path: /a}]\n",
         "site.yml:1: authorize.paths.as: found a mapping, expected / or a"},
        {"rows: [{path: a, as: /}]\n",
         "site.yml:1: authorize.paths.path: found \"a\", expected a path"},
        {"rows: [{path: /a/, as: /}]\n", "authorize.paths.path: found \"/a/\""},
        {"rows: [{path: /a//b, as: /}]\n", "found \"/a//b\""},
        {"rows: [{path: /a/../b, as: /}]\n", "found \"/a/../b\""},
        {"rows: [{path: /./b, as: /}]\n", "found \"/./b\""},
        {"rows: [{path: /a*, as: /}]\n", "found \"/a*\""},
        {"rows: [{path: \"/#\", as: /}]\n", "found \"/#\""},
        {"rows: [{path: /a%20b, as: /}]\n", "found \"/a%20b\""},
        {"rows: [{path: \"/a\\n\", as: /}]\n", "authorize.paths.path: found "},
        {"rows: [{path: [], as: /}]\n", "found a list"},
        {"rows: [{path: \"\", as: /}]\n", "found \"\""},
        {"rows: [{path: /a, as: \"/*\"}]\n",
         "authorize.paths.as: found \"/*\", expected / or a path like /users"},
        {"rows: [{path: /a, as: b}]\n", "authorize.paths.as: found \"b\""},
        {"rows: [{path: /a, as: /b/}]\n", "authorize.paths.as: found \"/b/\""},
        {"rows: [{path: /a, as: ~}]\n", "authorize.paths.as: found nothing"},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_node_free) struct xa_node *node = NULL;
        struct xa_path_rules rules = {0};
        struct xa_err err = XA_ERR_NONE;

        assert_int_equal(xa_yaml_parse("site.yml", cases[i].yaml,
                                       strlen(cases[i].yaml), 1000, &node,
                                       NULL),
                         XA_OK);
        assert_int_equal(
            xa_path_rules_read(xa_node_get(node, "rows"), &rules, &err),
            XA_E_CONFIG);
        if (!strstr(err.text, cases[i].why))
            fail_msg("case %zu: %s", i, err.text);
        assert_null(rules.rows);
    }
}

/* Rows of `len` bytes each in path and as; what reading them says. */
static enum xa_rc
read_many(unsigned count, int len, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf yaml = XA_BUF(1u << 20);
    XA_AUTO(xa_node_free) struct xa_node *node = NULL;
    XA_AUTO(xa_path_rules_free) struct xa_path_rules rules = {0};
    enum xa_rc rc;

    xa_buf_puts(&yaml, "rows:\n");
    for (unsigned i = 0; i < count; i++)
        xa_buf_putf(&yaml, "- {path: /%0*u, as: /%0*u}\n", len - 1, i, len - 1,
                    i);
    assert_int_equal(xa_yaml_parse("site.yml", xa_buf_text(&yaml), yaml.len,
                                   10000, &node, NULL),
                     XA_OK);
    rc = xa_path_rules_read(xa_node_get(node, "rows"), &rules, err);
    assert_int_equal(rules.count, rc == XA_OK ? count : 0);
    return rc;
}

static void
test_path_rules__have_a_largest_size(void **state XA_UNUSED)
{
    struct xa_err err = XA_ERR_NONE;

    assert_int_equal(read_many(0, 10, &err), XA_OK);
    assert_int_equal(read_many(1024, 10, &err), XA_OK);
    assert_int_equal(read_many(1025, 10, &err), XA_E_CONFIG);
    assert_string_equal(err.text, "authorize.paths: more than 1024 rows");
    assert_int_equal(read_many(1, 1024, &err), XA_OK);
    assert_int_equal(read_many(1, 1025, &err), XA_E_CONFIG);
    assert_non_null(strstr(err.text, "site.yml:2: authorize.paths.path: "));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path_acl__is_the_path_in_words),
        cmocka_unit_test(test_path_acl__ends_with_what_the_method_does),
        cmocka_unit_test(test_path_acl__begins_with_a_prefix),
        cmocka_unit_test(test_path_acl__has_a_longest_path),
        cmocka_unit_test(test_path_acl__is_shaped_by_the_first_row_that_fits),
        cmocka_unit_test(test_path_acl__may_be_shaped_for_every_path),
        cmocka_unit_test(test_path_rules__complain),
        cmocka_unit_test(test_path_rules__have_a_largest_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
