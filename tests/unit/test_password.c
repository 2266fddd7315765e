/* test_password.c - password hashes: verify, make, the decoy. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <crypt.h>
#include <errno.h>
#include <string.h>

#include "core/support/crypto.h"
#include "core/support/password.h"
#include "tests/unit/unit.h"

#define B53 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"
#define H43 "abcdefghijabcdefghijabcdefghijabcdefghijabc"
#define H86 H43 H43

static const char bcrypt_of_72_a[] =
    "$2b$04$CCCCCCCCCCCCCCCCCCCCC.mDyzbhj.9K0apb9O/AGMWwoLXiYAu6u";
static const char sha256_of_nothing[] =
    "$5$saltstring$FdNfA4gXqvCeO6iZs7G/.wwwoywYZqo0l1pwmfWaBA7";
static const char sha256_of_511_x[] =
    "$5$saltstring$kgqaNXY5tz0cp40e.7LJJyKIKHEuWY.FGe.SXxU8Zn2";
static const char argon2id_of_password[] =
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ"
    "$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

char *__real_crypt_r(const char *phrase, const char *setting,
                     struct crypt_data *data);
char *__wrap_crypt_r(const char *phrase, const char *setting,
                     struct crypt_data *data);

/* What the code under test asked of crypt(3), and what it is to get. */
static struct {
    unsigned calls;
    char setting[XA_HASH_TEXT];
    const char *answer; /* NULL: the real one */
    bool answer_null;
    int fails_with;
} crypt3;

char *
__wrap_crypt_r(const char *phrase, const char *setting,
               struct crypt_data *data)
{
    crypt3.calls++;
    strncpy(crypt3.setting, setting, sizeof crypt3.setting - 1);
    errno = crypt3.fails_with;
    if (crypt3.answer_null)
        return NULL;
    if (crypt3.answer)
        return strcpy(data->output, crypt3.answer);
    return __real_crypt_r(phrase, setting, data);
}

static int
reset(void **state XA_UNUSED)
{
    memset(&crypt3, 0, sizeof crypt3);
    return 0;
}

static int
start(void **state XA_UNUSED)
{
    return xa_crypto_init(NULL) == XA_OK ? 0 : -1;
}

static void
test_verify__knows_the_vectors(void **state XA_UNUSED)
{
    static const struct {
        const char *given;
        const char *stored;
    } cases[] = {
        {"secret", "$y$j75$M7Pcy2A2aXpZjlVnkZsB2/"
                   "$BFHRIY6iiut3AmlN7kehqh8wxNTn5bw6A53lStotVj6"},
        {"U*U",
         "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
        {"U*U",
         "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
        {"U*U",
         "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
        {"Hello world!",
         "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJ"
         "uesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"},
        {"Hello world!",
         "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0"
         "sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v."},
        {"Hello world!",
         "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"},
        {"password", argon2id_of_password},
        {"password", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ"
                     "$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct xa_err err = XA_ERR_NONE;

        if (xa_password_verify(cases[i].stored, cases[i].given, &err) != XA_OK)
            fail_msg("%s: %s", cases[i].stored, err.text);
        assert_int_equal(
            xa_password_verify(cases[i].stored, "hello world!", NULL),
            XA_E_DENIED);
        assert_int_equal(xa_password_verify(cases[i].stored, "", NULL),
                         XA_E_DENIED);
    }
}

static const char *const bad_hashes[] = {
    "",
    "*",
    "!",
    "!!",
    "x",
    "*0",
    "secret",
    "rl.3StKT.4T8M",                        /* DES */
    "_J9..rasmBYk8r9AiWNc",                 /* BSDi */
    "$1$saltstri$YMyguxXMBpd2TEZ.vS/3q1",   /* MD5 */
    "$3$$8846f7eaee8fb117ad06bdd830b7586c", /* NT */
    "$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqH",
    "$sha1$1$abcd$abcdefghijabcdefghijabcdefgh",
    "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$" H43,
    "$gy$j9T$abcd$" H43,
    "$2x$05$" B53,
    "$2$05$" B53,
    "$y",
    "$y$",
    "$y$j9T",
    "$y$j9T$",
    "$y$j9T$abcd",
    "$y$j9T$abcd$",
    "$y$j9T$abcd$" H43 "a",
    "$y$j9T$abcde$" H43, /* no such length */
    "$y$j9T$ab:d$" H43,
    "$y$j9T$abcd$" H43 "\n",
    "$y$.9T$abcd$" H43,
    "$y$j9T3$abcd$" H43,
    "$y$j$abcd$" H43,
    "$y$j9",
    "$y$j9:$abcd$" H43,
    "$2b$05$" B53 "a",
    "$2b$5$" B53,
    "$2b$005$" B53,
    "$2b$03$" B53,
    "$2b$+5$" B53,
    "$2b$05",
    "$2b$05$",
    "$2b$05:" B53,
    "$2b$05$abcdefghijabcdefghijab",
    "$6$saltstring",
    "$6$saltstring$",
    "$6$saltstring$" H43,
    "$6$" H86,
    "$6$saltstringsaltstr$" H86,
    "$6$saltstring$" H86 "a",
    "$6$rounds=1000",
    "$6$rounds=$saltstring$" H86,
    "$6$rounds=0$saltstring$" H86,
    "$6$rounds=999$saltstring$" H86,
    "$6$rounds=01000$saltstring$" H86,
    "$6$rounds=-1000$saltstring$" H86,
    "$6$rounds=5000 $saltstring$" H86,
    "$6$rounds=18446744073709556616$saltstring$" H86,
    "$5$saltstring$" H86,
    "$argon2id$",
    "$argon2id$m=256,t=2,p=1$c29tZXNhbHQ$" H43,
    "$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHQ$" H43,
    "$argon2id$v=19$m=256,t=2$c29tZXNhbHQ$" H43,
    "$argon2id$v=19$t=2,m=256,p=1$c29tZXNhbHQ$" H43,
    "$argon2id$v=19$m=,t=2,p=1$c29tZXNhbHQ$" H43,
    "$argon2id$v=19$m=256,t=,p=1$c29tZXNhbHQ$" H43,
    "$argon2id$v=19$m=256,t=2,p=$c29tZXNhbHQ$" H43,
    "$argon2id$v=19$m=256",
    "$argon2id$v=19$m=256,t=2,p=1",
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ",
    "$argon2id$v=19$m=7,t=2,p=1$c29tZXNhbHQ$" H43,
    "$argon2id$v=19$m=256,t=0,p=1$c29tZXNhbHQ$" H43,
    "$argon2id$v=19$m=256,t=2,p=0$c29tZXNhbHQ$" H43,
    "$argon2id$v=19$m=256,t=2,p=1$c29t$" H43,
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$abc",
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$" H43 "=",
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$" H43 "$a",
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$" H86 "a",
};

static void
test_is_hash__refuses_other_kinds_and_broken_ones(void **state XA_UNUSED)
{
    for (size_t i = 0; i < XA_COUNT(bad_hashes); i++) {
        struct xa_err err = XA_ERR_NONE;

        if (xa_password_is_hash(bad_hashes[i], &err))
            fail_msg("\"%s\"", bad_hashes[i]);
        assert_int_equal(err.code, XA_E_INVALID);
        if (strlen(bad_hashes[i]) > 8)
            assert_null(strstr(err.text, bad_hashes[i]));
        assert_int_equal(xa_password_verify(bad_hashes[i], "secret", NULL),
                         XA_E_INVALID);
    }
    assert_int_equal(crypt3.calls, 0);
}

static void
test_is_hash__refuses_a_text_without_end(void **state XA_UNUSED)
{
    char stored[2000];

    memset(stored, 'a', sizeof stored - 1);
    memcpy(stored, "$6$", 3);
    stored[sizeof stored - 1] = '\0';
    assert_false(xa_password_is_hash(stored, NULL));
}

static void
test_is_hash__draws_the_line_at_the_cost(void **state XA_UNUSED)
{
    static const struct {
        const char *stored;
        bool accepted;
    } cases[] = {
        {"$y$j75$abcd$" H43, true},
        {"$y$jFT$abcd$" H43, true},  /* cost 11 */
        {"$y$jGT$abcd$" H43, false}, /* twice that */
        {"$y$jFU$abcd$" H43, false},
        {"$y$jz.$abcd$" H43, false},
        {"$2b$04$" B53, true},
        {"$2b$14$" B53, true},
        {"$2b$15$" B53, false},
        {"$2b$31$" B53, false},
        {"$2b$99$" B53, false},
        {"$6$rounds=1000$abcd$" H86, true},
        {"$6$rounds=5000000$abcd$" H86, true},
        {"$6$rounds=5000001$abcd$" H86, false},
        {"$6$rounds=999999999$abcd$" H86, false},
        {"$5$rounds=5000000$abcd$" H43, true},
        {"$5$rounds=5000001$abcd$" H43, false},
        {"$5$$" H43, true},
        {"$argon2id$v=19$m=262144,t=10,p=16$c29tZXNhbHQ$" H43, true},
        {"$argon2id$v=19$m=262145,t=10,p=1$c29tZXNhbHQ$" H43, false},
        {"$argon2id$v=19$m=262144,t=11,p=1$c29tZXNhbHQ$" H43, false},
        {"$argon2id$v=19$m=262144,t=1,p=17$c29tZXNhbHQ$" H43, false},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++)
        if (xa_password_is_hash(cases[i].stored, NULL) != cases[i].accepted)
            fail_msg("%s", cases[i].stored);
}

static void
test_verify__bcrypt_denies_over_72_bytes_after_the_work(void **state XA_UNUSED)
{
    char given[80];

    memset(given, 'a', sizeof given);
    given[72] = '\0';
    assert_int_equal(xa_password_verify(bcrypt_of_72_a, given, NULL), XA_OK);
    given[72] = 'a';
    given[73] = '\0';
    reset(NULL);
    assert_int_equal(xa_password_verify(bcrypt_of_72_a, given, NULL),
                     XA_E_DENIED);
    assert_int_equal(crypt3.calls, 1);
}

static void
test_verify__empty_matches_nothing_after_the_work(void **state XA_UNUSED)
{
    assert_int_equal(xa_password_verify(sha256_of_nothing, "", NULL),
                     XA_E_DENIED);
    assert_int_equal(crypt3.calls, 1);
}

static void
test_verify__length_alone_decides_whether_work_is_done(void **state XA_UNUSED)
{
    static const struct {
        size_t len;
        enum xa_rc rc;
        unsigned calls;
    } cases[] = {
        {511, XA_OK, 1},
        {512, XA_E_DENIED, 1},
        {513, XA_E_DENIED, 0},
        {2000, XA_E_DENIED, 0},
    };
    char given[2001];

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        memset(given, 'x', sizeof given);
        given[cases[i].len] = '\0';
        reset(NULL);
        assert_int_equal(xa_password_verify(sha256_of_511_x, given, NULL),
                         cases[i].rc);
        assert_int_equal(crypt3.calls, cases[i].calls);
        reset(NULL);
        assert_int_equal(xa_password_verify(NULL, given, NULL), XA_E_DENIED);
        assert_int_equal(crypt3.calls, cases[i].calls);
    }
}

static void
test_verify__decoy_costs_the_default_and_never_matches(void **state XA_UNUSED)
{
    char decoy[XA_HASH_TEXT];
    struct crypt_data data = {0};

    assert_int_equal(xa_password_verify(NULL, "secret", NULL), XA_E_DENIED);
    assert_int_equal(crypt3.calls, 1);
    assert_int_equal(strncmp(crypt3.setting, "$y$j9T$", 7), 0);

    /* not even when crypt(3) answers with the setting itself */
    memcpy(decoy, crypt3.setting, sizeof decoy);
    assert_true(__real_crypt_r("secret", decoy, &data)[0] == '$');
    crypt3.answer = decoy;
    assert_int_equal(xa_password_verify(NULL, "secret", NULL), XA_E_DENIED);
}

static void
test_verify__failures_of_crypt_are_no_match(void **state XA_UNUSED)
{
    static const char stored[] = "$5$saltstring$" H43;

    crypt3.answer = "*0";
    crypt3.fails_with = EINVAL;
    assert_int_equal(xa_password_verify(stored, "x", NULL), XA_E_INVALID);
    crypt3.answer = "*1";
    assert_int_equal(xa_password_verify(stored, "x", NULL), XA_E_INVALID);
    crypt3.answer = "*0";
    crypt3.fails_with = ENOMEM;
    assert_int_equal(xa_password_verify(stored, "x", NULL), XA_E_NOMEM);
    crypt3.answer_null = true;
    crypt3.fails_with = EINVAL;
    assert_int_equal(xa_password_verify(stored, "x", NULL), XA_E_INVALID);
}

static void
test_hash__every_method_verifies(void **state XA_UNUSED)
{
    static const struct {
        enum xa_hash_method method;
        const char *prefix;
    } cases[] = {
        {XA_HASH_YESCRYPT, "$y$j9T$"},
        {XA_HASH_BCRYPT, "$2b$12$"},
        {XA_HASH_SHA512, "$6$rounds=200000$"},
        {XA_HASH_ARGON2ID, "$argon2id$v=19$m=65536,t=2,p=1$"},
    };
    char hash[XA_HASH_TEXT];
    char again[XA_HASH_TEXT];

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        assert_int_equal(
            xa_password_hash(cases[i].method, "s\xc3\xa9" "cret", hash, NULL),
            XA_OK);
        assert_int_equal(
            strncmp(hash, cases[i].prefix, strlen(cases[i].prefix)), 0);
        assert_true(xa_password_is_hash(hash, NULL));
        assert_int_equal(xa_password_verify(hash, "s\xc3\xa9" "cret", NULL),
                         XA_OK);
        assert_int_equal(xa_password_verify(hash, "secret", NULL),
                         XA_E_DENIED);
        assert_int_equal(
            xa_password_hash(cases[i].method, "s\xc3\xa9" "cret", again, NULL),
            XA_OK);
        assert_string_not_equal(hash, again);
    }
}

static void
test_hash__refuses_what_could_not_be_verified(void **state XA_UNUSED)
{
    static const struct {
        enum xa_hash_method method;
        size_t len;
    } cases[] = {
        {XA_HASH_YESCRYPT, 0}, {XA_HASH_YESCRYPT, 512},
        {XA_HASH_BCRYPT, 73},  {XA_HASH_SHA512, 512},
        {XA_HASH_ARGON2ID, 0}, {XA_HASH_ARGON2ID, 513},
    };
    char password[600];
    char hash[XA_HASH_TEXT] = "before";

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        memset(password, 'x', sizeof password);
        password[cases[i].len] = '\0';
        assert_int_equal(
            xa_password_hash(cases[i].method, password, hash, NULL),
            XA_E_INVALID);
        assert_string_equal(hash, "before");
    }
}

static void
test_hash__says_when_libcrypt_lacks_the_method(void **state XA_UNUSED)
{
    char hash[XA_HASH_TEXT] = "before";

    crypt3.answer = "*0";
    crypt3.fails_with = EINVAL;
    assert_int_equal(xa_password_hash(XA_HASH_YESCRYPT, "x", hash, NULL),
                     XA_E_UNAVAILABLE);
    assert_string_equal(hash, "before");
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_verify__knows_the_vectors),
        TEST(test_is_hash__refuses_other_kinds_and_broken_ones),
        TEST(test_is_hash__refuses_a_text_without_end),
        TEST(test_is_hash__draws_the_line_at_the_cost),
        TEST(test_verify__bcrypt_denies_over_72_bytes_after_the_work),
        TEST(test_verify__empty_matches_nothing_after_the_work),
        TEST(test_verify__length_alone_decides_whether_work_is_done),
        TEST(test_verify__decoy_costs_the_default_and_never_matches),
        TEST(test_verify__failures_of_crypt_are_no_match),
        TEST(test_hash__every_method_verifies),
        TEST(test_hash__refuses_what_could_not_be_verified),
        TEST(test_hash__says_when_libcrypt_lacks_the_method),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
