/* test_crypto.c - what we take from libsodium. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "core/support/crypto.h"
#include "tests/unit/unit.h"

static int
start(void **state XA_UNUSED)
{
    return xa_crypto_init(NULL) == XA_OK ? 0 : -1;
}

static void
test_base64_decode__is_strict(void **state XA_UNUSED)
{
    static const struct {
        const char *in;
        const char *out; /* NULL: refused */
    } cases[] = {
        {"", ""},
        {"Zg==", "f"},
        {"Zm8=", "fo"},
        {"Zm9v", "foo"},
        {"Zm9vYg==", "foob"},
        {"Zm9vYmE=", "fooba"},
        {"+/+/", "\xfb\xff\xbf"},
        {"Zg", NULL},
        {"Zg=", NULL},
        {"Zg===", NULL},
        {"Zm8", NULL},
        {"Zm8==", NULL},
        {"Z", NULL},
        {"=", NULL},
        {"====", NULL},
        {"Zh==", NULL}, /* stray bits */
        {"Zm9=", NULL},
        {"Zm9v\n", NULL},
        {" Zm9v", NULL},
        {"Zm 9v", NULL},
        {"-_-_", NULL},
        {"Zg==Zg==", NULL},
        {"Zg=\xc3=", NULL},
        {"Zm9v!", NULL},
    };
    char out[16];

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        ptrdiff_t n =
            xa_base64_decode(cases[i].in, strlen(cases[i].in), out, sizeof out);

        if (!cases[i].out) {
            if (n != -1)
                fail_msg("\"%s\"", cases[i].in);
            continue;
        }
        assert_int_equal(n, strlen(cases[i].out));
        assert_memory_equal(out, cases[i].out, strlen(cases[i].out));
    }
    assert_int_equal(xa_base64_decode("Zm9v\0", 5, out, sizeof out), -1);
    for (int byte = 0x80; byte <= 0xff; byte++) {
        const char text[] = {'Z', 'm', (char)byte, 'v'};

        assert_int_equal(xa_base64_decode(text, 4, out, sizeof out), -1);
    }
}

static void
test_base64_decode__keeps_to_its_room(void **state XA_UNUSED)
{
    char out[4] = {'.', '.', '.', '.'};

    assert_int_equal(xa_base64_decode("Zm9v", 4, out, 2), -1);
    assert_int_equal(out[2], '.');
    assert_int_equal(xa_base64_decode("Zm9v", 4, out, 3), 3);
    assert_int_equal(out[3], '.');
}

static void
test_base64_put__gives_what_decode_takes(void **state XA_UNUSED)
{
    static const struct {
        const char *bytes;
        const char *text;
    } cases[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"\xff\xfe", "//4="},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_buf_free) struct xa_buf buf = XA_BUF(9);

        xa_buf_putc(&buf, '>');
        xa_base64_put(&buf, cases[i].bytes, strlen(cases[i].bytes));
        assert_int_equal(xa_buf_check(&buf, NULL), XA_OK);
        assert_string_equal(xa_buf_text(&buf) + 1, cases[i].text);
        assert_int_equal(buf.len, 1 + strlen(cases[i].text));
    }
}

static void
test_base64_put__keeps_to_the_ceiling(void **state XA_UNUSED)
{
    XA_AUTO(xa_buf_free) struct xa_buf buf = XA_BUF(7);

    xa_base64_put(&buf, "foob", 4);
    assert_int_equal(xa_buf_check(&buf, NULL), XA_E_INVALID);
    assert_int_equal(buf.len, 0);
    xa_base64_put(&buf, "f", SIZE_MAX);
    assert_int_equal(xa_buf_check(&buf, NULL), XA_E_INVALID);
}

static void
test_argon2id__knows_what_it_made(void **state XA_UNUSED)
{
    char hash[XA_ARGON2ID_TEXT];

    assert_int_equal(xa_argon2id_hash("secret", 6, hash, NULL), XA_OK);
    assert_int_equal(strncmp(hash, "$argon2id$v=19$", 15), 0);
    assert_true(xa_argon2id_verify(hash, "secret", 6));
    assert_false(xa_argon2id_verify(hash, "secret", 5));
    assert_false(xa_argon2id_verify(hash, "Secret", 6));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64_decode__is_strict),
        cmocka_unit_test(test_base64_decode__keeps_to_its_room),
        cmocka_unit_test(test_base64_put__gives_what_decode_takes),
        cmocka_unit_test(test_base64_put__keeps_to_the_ceiling),
        cmocka_unit_test(test_argon2id__knows_what_it_made),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
