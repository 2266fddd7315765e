/* test_xivo_text.c - texts of XiVO's database and its address. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "backends/xivo_text.h"
#include "core/base/auto.h"
#include "tests/unit/unit.h"

static void
test_uri__is_taken_as_sqlalchemy_and_libpq_write_it(void **state XA_UNUSED)
{
    static const char *const cases[][2] = {
        {"postgresql://asterisk:proformatique@localhost/asterisk",
         "postgresql://asterisk:proformatique@localhost/asterisk"},
        {"postgresql+psycopg2://a:b@h:5433/d?sslmode=verify-full",
         "postgresql://a:b@h:5433/d?sslmode=verify-full"},
        {"postgres://a@h/d", "postgresql://a@h/d"},
        {"postgresql:///d?host=/run/postgresql",
         "postgresql:///d?host=/run/postgresql"},
        {"postgresql://a:p%40s%2Fs@h/d", "postgresql://a:p%40s%2Fs@h/d"},
        {"postgresql://a:p?s#s:s=s@h/d", "postgresql://a:p?s#s:s=s@h/d"},
        {"postgresql://a:b@h/d?user=me@work",
         "postgresql://a:b@h/d?user=me@work"},
        {"postgresql://h1,h2/d", "postgresql://h1,h2/d"},
        {"host=h user=a password='b@/://' dbname=d",
         "host=h user=a password='b@/://' dbname=d"},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        char *uri = NULL;

        assert_null(xivo_text_uri(cases[i][0], &uri));
        assert_string_equal(uri, cases[i][1]);
        free(uri);
    }
}

static void
test_uri__is_refused_without_a_word_of_it(void **state XA_UNUSED)
{
    static const char *const cases[] = {
        "asterisk",
        "",
        "mysql://a:SECRET@h/d",
        "postgresqlx://a:SECRET@h/d",
        "postgre://a:SECRET@h/d",
        "+psycopg2://a:SECRET@h/d",
        "://a:SECRET@h/d",
        "sqlite:///SECRET",
        "postgresql:a:SECRET@h",
        "postgresql://a:SECRET@SECRET@h/d",
        "postgresql://a:SECRET/SECRET@h/d",
        "postgresql://a:SECRET?SECRET@SECRET@h/d",
        "postgresql://a:SECRET/SECRET?SECRET@h/d",
        "postgresql://a:SECRET@h/d@d",
        "postgresql://h/d?user=a@h",
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        char *uri = NULL;
        const char *why = xivo_text_uri(cases[i], &uri);

        assert_non_null(why);
        assert_null(strstr(why, "SECRET"));
        assert_null(uri);
    }
}

static void
test_is_local__means_each_of_the_hosts(void **state XA_UNUSED)
{
    static const char *const local[] = {
        NULL,        "",        "localhost", "127.0.0.1",           "127.1.2.3",
        "::1",       "/run/pg", "@abstract", "localhost,127.0.0.1", "/a,/b,::1",
        "localhost,"};
    static const char *const far[] = {
        "db",   "localhost.example.org", "10.127.0.0",   "1270.0.0.1",     "::",
        "::10", "localhost,db",          "db,localhost", "/a,192.0.2.1,/b"};

    for (size_t i = 0; i < XA_COUNT(local); i++)
        assert_int_equal(xivo_text_is_local(local[i]), 1);
    for (size_t i = 0; i < XA_COUNT(far); i++)
        assert_int_equal(xivo_text_is_local(far[i]), 0);
}

static void
test_stored__tells_plain_from_hashed_from_locked(void **state XA_UNUSED)
{
    static const struct {
        const char *stored;
        enum xivo_stored kind;
    } cases[] = {
        {NULL, XIVO_NO_PASSWORD},
        {"", XIVO_NO_PASSWORD},
        {"*", XIVO_NO_PASSWORD},
        {"!", XIVO_NO_PASSWORD},
        {"!!", XIVO_NO_PASSWORD},
        {"!*", XIVO_NO_PASSWORD},
        {"*0", XIVO_NO_PASSWORD},
        {"*1", XIVO_NO_PASSWORD},
        {"!$6$salt$hash", XIVO_NO_PASSWORD},
        {"*$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA", XIVO_NO_PASSWORD},
        {"$6$salt$hash", XIVO_HASHED},
        {"$y$j9T$salt$hash", XIVO_HASHED},
        {"$2b$10$saltandhash", XIVO_HASHED},
        {"$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA", XIVO_HASHED},
        {"$1$salt$hash", XIVO_HASHED},
        {"$sha1$1000$salt$hash", XIVO_HASHED},
        {"$md5$salt$hash", XIVO_HASHED},
        {"$gost-yescrypt$x", XIVO_HASHED},
        {"proformatique", XIVO_PLAIN},
        {"0", XIVO_PLAIN},
        {" ", XIVO_PLAIN},
        {"!important", XIVO_PLAIN},
        {"*0*", XIVO_PLAIN},
        {"*2", XIVO_PLAIN},
        {"$", XIVO_PLAIN},
        {"$$", XIVO_PLAIN},
        {"$ecret", XIVO_PLAIN},
        {"$e cret$", XIVO_PLAIN},
        {"$averyverylongword$", XIVO_PLAIN},
        {"pa$6$salt$hash", XIVO_PLAIN},
        {"\xc3\xa9t\xc3\xa9", XIVO_PLAIN},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++)
        assert_int_equal(xivo_text_stored(cases[i].stored), cases[i].kind);
}

static void
test_tenant_acl__names_that_tenant_alone(void **state XA_UNUSED)
{
    static const char *const good[][2] = {
        {"acme", "dird.tenants.acme.#"},
        {"mel", "dird.tenants.mel.#"},
        {"ME", "dird.tenants.ME.#"},
        {"a b!c/d\\e", "dird.tenants.a b!c/d\\e.#"},
        {"soci\xc3\xa9t\xc3\xa9", "dird.tenants.soci\xc3\xa9t\xc3\xa9.#"},
    };
    static const char *const bad[] = {"",     "me",   "*",     "#",
                                      ".",    "a.b",  "a*",    "#a",
                                      "a\nb", "a\tb", "a\x7f", "\x01",
                                      "l\xc2\x92" "agence"};
    char acl[XIVO_ACL_MAX];

    for (size_t i = 0; i < XA_COUNT(good); i++) {
        assert_int_equal(xivo_text_tenant_acl(good[i][0], acl), 0);
        assert_string_equal(acl, good[i][1]);
    }
    for (size_t i = 0; i < XA_COUNT(bad); i++)
        assert_int_equal(xivo_text_tenant_acl(bad[i], acl), -1);
}

static void
test_tenant_acl__is_as_long_as_an_acl_may_be(void **state XA_UNUSED)
{
    size_t most = XA_BACKEND_ACL_MAX - strlen("dird.tenants..#");
    char name[XIVO_ACL_MAX];
    char acl[XIVO_ACL_MAX];

    memset(name, 'a', sizeof name);
    name[most] = '\0';
    assert_int_equal(xivo_text_tenant_acl(name, acl), 0);
    assert_int_equal(strlen(acl), XA_BACKEND_ACL_MAX);
    name[most] = 'a';
    name[most + 1] = '\0';
    assert_int_equal(xivo_text_tenant_acl(name, acl), -1);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uri__is_taken_as_sqlalchemy_and_libpq_write_it),
        cmocka_unit_test(test_uri__is_refused_without_a_word_of_it),
        cmocka_unit_test(test_is_local__means_each_of_the_hosts),
        cmocka_unit_test(test_stored__tells_plain_from_hashed_from_locked),
        cmocka_unit_test(test_tenant_acl__names_that_tenant_alone),
        cmocka_unit_test(test_tenant_acl__is_as_long_as_an_acl_may_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
