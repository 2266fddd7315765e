/* test_basic.c - credentials out of an Authorization header. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "fcgi/basic.h"
#include "tests/unit/unit.h"

static const struct {
    const char *header;
    const char *login; /* NULL: refused */
    const char *password;
} headers[] = {
    {"Basic Zm9vOmJhcg==", "foo", "bar"},
    {"basic Zm9vOmJhcg==", "foo", "bar"},
    {"BASIC Zm9vOmJhcg==", "foo", "bar"},
    {"Basic Zm9vOmI6YTpy", "foo", "b:a:r"}, /* the first colon */
    {"Basic Zm9vOg==", "foo", ""},
    {"Basic OmJhcg==", "", "bar"},
    {"Basic Og==", "", ""},
    {"Basic w6k6w6k=", "\xc3\xa9", "\xc3\xa9"},
    {"Basic YSBiOmMgZA==", "a b", "c d"},
    {"Basic Zm9vOmLCgA==", "foo", "b\xc2\x80"}, /* RFC 5234 CTL is of ASCII */

    {NULL, NULL, NULL},
    {"", NULL, NULL},
    {"Basic", NULL, NULL},
    {"Basic ", NULL, NULL},
    {"BasicZm9vOmJhcg==", NULL, NULL},
    {"Basic  Zm9vOmJhcg==", NULL, NULL},
    {"Basic\tZm9vOmJhcg==", NULL, NULL},
    {" Basic Zm9vOmJhcg==", NULL, NULL},
    {"Basic Zm9vOmJhcg== ", NULL, NULL},
    {"Basic Zm9vOmJhcg", NULL, NULL}, /* padding is missing */
    {"Basic Zm9vOmJhcg=", NULL, NULL},
    {"Basic Zm9vOmJhcg===", NULL, NULL},
    {"Basic Zm9vOmJhch==", NULL, NULL}, /* stray bits */
    {"Basic Zm9v\nOmJhcg==", NULL, NULL},
    {"Basic Zm9v-mJhcg==", NULL, NULL}, /* the other alphabet */
    {"Basic Zm9vOmJhcg==, Basic Zm9vOmJhcg==", NULL, NULL},
    {"Basic Zm9vOmJhcg==,Basic Zm9vOmJhcg==", NULL, NULL},
    {"Bearer Zm9vOmJhcg==", NULL, NULL},
    {"Basic Zm9v", NULL, NULL},         /* no colon */
    {"Basic Zm9vAGI6YmFy", NULL, NULL}, /* NUL */
    {"Basic Zm9vOmIAcg==", NULL, NULL},
    {"Basic Zm9vOmIKcg==", NULL, NULL}, /* line feed */
    {"Basic Zm9vOmJ/cg==", NULL, NULL}, /* 0x7f */
    {"Basic Zm9vOv8=", NULL, NULL},     /* no UTF-8 */
    {"Basic Zm9vOpg=", NULL, NULL},
};

static void
test_basic_read__takes_rfc_7617_and_nothing_else(void **state XA_UNUSED)
{
    for (size_t i = 0; i < XA_COUNT(headers); i++) {
        XA_AUTO(xa_credentials_done)
        struct xa_credentials got = XA_CREDENTIALS_EMPTY;
        enum xa_rc rc = xa_basic_read(headers[i].header, &got, NULL);

        if (rc != (headers[i].login ? XA_OK : XA_E_DENIED))
            fail_msg("case %zu: %s", i, xa_rc_name(rc));
        if (rc != XA_OK) {
            assert_null(got.login);
            assert_null(got.password);
            continue;
        }
        assert_string_equal(got.login, headers[i].login);
        assert_string_equal(xa_secret_text(got.password), headers[i].password);
    }
}

/* "Basic " and base64 of `login` times a, a colon, `password` times a. */
static void
build(char *out, size_t login, size_t password)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                                 "qrstuvwxyz0123456789+/";
    size_t len = login + 1 + password;

    out = stpcpy(out, "Basic ");
    for (size_t i = 0; i < len; i += 3) {
        unsigned bits = 0;

        for (size_t k = i; k < i + 3; k++)
            bits = bits << 8 | (k >= len ? 0u : k == login ? ':' : 'a');
        *out++ = digits[bits >> 18 & 63];
        *out++ = digits[bits >> 12 & 63];
        *out++ = i + 1 < len ? digits[bits >> 6 & 63] : '=';
        *out++ = i + 2 < len ? digits[bits & 63] : '=';
    }
    *out = '\0';
}

static void
test_basic_read__bounds_login_and_password(void **state XA_UNUSED)
{
    static const struct {
        size_t login;
        size_t password;
        enum xa_rc rc;
    } cases[] = {
        {256, 512, XA_OK},     {257, 0, XA_E_DENIED},   {257, 511, XA_E_DENIED},
        {0, 513, XA_E_DENIED}, {256, 513, XA_E_DENIED}, {1, 2000, XA_E_DENIED},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_credentials_done)
        struct xa_credentials got = XA_CREDENTIALS_EMPTY;
        char header[4096];

        build(header, cases[i].login, cases[i].password);
        assert_int_equal(xa_basic_read(header, &got, NULL), cases[i].rc);
        if (cases[i].rc == XA_OK)
            assert_int_equal(xa_secret_len(got.password), cases[i].password);
    }
}

static void
test_basic_read__shows_nothing_in_its_complaint(void **state XA_UNUSED)
{
    XA_AUTO(xa_credentials_done)
    struct xa_credentials got = XA_CREDENTIALS_EMPTY;
    struct xa_err err = XA_ERR_NONE;

    assert_int_equal(xa_basic_read("Basic c2VjcmV0", &got, &err), XA_E_DENIED);
    assert_true(err.text[0] != '\0');
    assert_null(strstr(err.text, "secret"));
    assert_null(strstr(err.text, "c2Vjcm"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_basic_read__takes_rfc_7617_and_nothing_else),
        cmocka_unit_test(test_basic_read__bounds_login_and_password),
        cmocka_unit_test(test_basic_read__shows_nothing_in_its_complaint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
