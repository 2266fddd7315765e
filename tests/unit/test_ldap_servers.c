/* test_ldap_servers.c - the servers of ldap.uri. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "backends/ldap_servers.h"
#include "core/base/auto.h"
#include "tests/unit/unit.h"

static struct xa_ldap_server servers[XA_LDAP_SERVERS_MAX];
static char why[256];

static size_t
read_uris(const char *text)
{
    why[0] = '\0';
    return xa_ldap_read_uris(text, servers, why, sizeof why);
}

static void
test_read_uris__takes_one_apart(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        int is_tls;
        const char *host;
        const char *port;
        const char *uri;
    } cases[] = {
        {"ldap://a", 0, "a", "389", "ldap://a:389"},
        {"ldaps://a", 1, "a", "636", "ldaps://a:636"},
        {"LDAPS://a.Example", 1, "a.Example", "636", "ldaps://a.Example:636"},
        {"ldap://a/", 0, "a", "389", "ldap://a:389"},
        {"ldap://a:1389/dc=x?uid", 0, "a", "1389", "ldap://a:1389"},
        {"ldap://192.0.2.1:65535", 0, "192.0.2.1", "65535",
         "ldap://192.0.2.1:65535"},
        {"ldap://[::1]", 0, "::1", "389", "ldap://[::1]:389"},
        {"ldaps://[2001:db8::1]:1636/", 1, "2001:db8::1", "1636",
         "ldaps://[2001:db8::1]:1636"},
        {" ldap://a\t", 0, "a", "389", "ldap://a:389"},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        if (read_uris(cases[i].text) != 1)
            fail_msg("%s: %s", cases[i].text, why);
        assert_int_equal(servers[0].is_tls, cases[i].is_tls);
        assert_string_equal(servers[0].host, cases[i].host);
        assert_string_equal(servers[0].port, cases[i].port);
        assert_string_equal(servers[0].uri, cases[i].uri);
    }
}

static void
test_read_uris__says_what_is_wrong(void **state XA_UNUSED)
{
    static const char *const cases[] = {
        "",
        " , ",
        "a",
        "http://a",
        "ldap:",
        "ldap://",
        "ldaps://",
        "ldap:///",
        "ldap://:389",
        "ldap://a:",
        "ldap://a:0",
        "ldap://a:65536",
        "ldap://a:1x",
        "ldap://a:+1",
        "ldap://a:100000",
        "ldap://[::1",
        "ldap://[]",
        "ldap://[::1]x",
        "ldap://[::1]389",
        "ldap://a b",
        "ldap://u@a",
        "ldap://a%2f",
        "ldap://[g]",
        "ldapi:///",
        "ldap://a?b",
        "ldap://a ldap://b:x",
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        if (read_uris(cases[i]) != 0)
            fail_msg("\"%s\" was taken", cases[i]);
        assert_memory_equal(why, "ldap.uri: ", 10);
    }
}

static void
test_read_uris__takes_a_list(void **state XA_UNUSED)
{
    char text[XA_LDAP_SERVERS_MAX * 12 + 32] = "";

    assert_int_equal(read_uris("ldap://a ldaps://b:1,ldap://c, ldap://d"), 4);
    assert_string_equal(servers[1].uri, "ldaps://b:1");
    assert_string_equal(servers[3].uri, "ldap://d:389");
    for (int i = 0; i < XA_LDAP_SERVERS_MAX; i++)
        sprintf(text + strlen(text), "ldap://s%d ", i);
    assert_int_equal(read_uris(text), XA_LDAP_SERVERS_MAX);
    strcat(text, "ldap://more");
    assert_int_equal(read_uris(text), 0);
    assert_non_null(strstr(why, "too many"));
}

static void
test_read_uris__bounds_the_host(void **state XA_UNUSED)
{
    char text[XA_LDAP_HOST_MAX + 16] = "ldaps://";

    memset(text + 8, 'a', XA_LDAP_HOST_MAX - 1);
    assert_int_equal(read_uris(text), 1);
    assert_int_equal(strlen(servers[0].host), XA_LDAP_HOST_MAX - 1);
    assert_int_equal(strlen(servers[0].uri), 8 + XA_LDAP_HOST_MAX - 1 + 4);
    text[8 + XA_LDAP_HOST_MAX - 1] = 'a';
    assert_int_equal(read_uris(text), 0);
}

static void
test_is_local__knows_this_machine(void **state XA_UNUSED)
{
    assert_int_equal(read_uris("ldap://localhost ldap://127.0.0.2 "
                               "ldap://[::1] ldap://a ldap://1.127.0.0"),
                     5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(xa_ldap_is_local(&servers[i]), i < 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_uris__takes_one_apart),
        cmocka_unit_test(test_read_uris__says_what_is_wrong),
        cmocka_unit_test(test_read_uris__takes_a_list),
        cmocka_unit_test(test_read_uris__bounds_the_host),
        cmocka_unit_test(test_is_local__knows_this_machine),
    };

    return cmocka_run_group_tests_name("ldap_servers", tests, NULL, NULL);
}
