/* test_sha256.c - SHA-256. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdbool.h>
#include <string.h>

#include "core/base/auto.h"
#include "core/support/sha256.h"
#include "tests/unit/unit.h"

static void
test_sha256__matches_fips_180_4(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        const char *hex;
    } cases[] = {
        {"",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc",
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        /* two blocks, and the longest padding */
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
        /* a token */
        {"1823c1ee-6c6a-4cdc-9869-964a7f08a744",
         "b60f8a20cbcd940f27434dafc0ed266c357499baa5ef969b7e30d6339db46a67"},
    };
    unsigned char digest[XA_SHA256_LEN];
    char hex[XA_SHA256_TEXT];

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        xa_sha256_hex(cases[i].text, strlen(cases[i].text), hex);
        assert_string_equal(hex, cases[i].hex);
    }
    xa_sha256("abc", 3, digest);
    assert_memory_equal(digest, "\xba\x78\x16\xbf", 4);
}

/* --- what is wiped --- */

#define TOKEN "1823c1ee-6c6a-4cdc-9869-964a7f08a744"

static bool looks;     /* nettle's state may have bytes that were never set */
static unsigned wiped; /* times that it held the token */

void __real_xa_wipe(void *bytes, size_t len);
void __wrap_xa_wipe(void *bytes, size_t len);

void
__wrap_xa_wipe(void *bytes, size_t len)
{
    if (looks)
        wiped += memmem(bytes, len, TOKEN, sizeof TOKEN - 1) != NULL;
    __real_xa_wipe(bytes, len);
}

/* nettle leaves what was hashed last in its state. */
static void
test_sha256__leaves_no_token_behind(void **state XA_UNUSED)
{
    unsigned char digest[XA_SHA256_LEN];

    wiped = 0;
    looks = true;
    xa_sha256(TOKEN, sizeof TOKEN - 1, digest);
    looks = false;
    assert_int_equal(wiped, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256__matches_fips_180_4),
        cmocka_unit_test(test_sha256__leaves_no_token_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
