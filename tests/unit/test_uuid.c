/* test_uuid.c - random UUIDs and their one spelling. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>

#include "core/support/uuid.h"
#include "tests/unit/unit.h"

ssize_t __real_getrandom(void *buf, size_t len, unsigned flags);
ssize_t __wrap_getrandom(void *buf, size_t len, unsigned flags);

/* What getrandom() does first; 0: its work. */
static int fails_with;
static size_t gives_at_most = SIZE_MAX;

ssize_t
__wrap_getrandom(void *buf, size_t len, unsigned flags)
{
    if (fails_with != 0) {
        errno = fails_with;
        if (fails_with == EINTR)
            fails_with = 0;
        return -1;
    }
    return __real_getrandom(buf, len < gives_at_most ? len : gives_at_most,
                            flags);
}

static int
reset(void **state XA_UNUSED)
{
    fails_with = 0;
    gives_at_most = SIZE_MAX;
    return 0;
}

static void
test_random__is_version_4_in_lower_case(void **state XA_UNUSED)
{
    char uuid[XA_UUID_TEXT];
    char again[XA_UUID_TEXT];

    for (int i = 0; i < 1000; i++) {
        assert_int_equal(xa_uuid_random(uuid, NULL), XA_OK);
        assert_int_equal(strlen(uuid), XA_UUID_LEN);
        assert_int_equal(strspn(uuid, "0123456789abcdef-"), XA_UUID_LEN);
        assert_int_equal(uuid[14], '4');
        assert_non_null(strchr("89ab", uuid[19]));
        assert_true(xa_uuid_parse(uuid, XA_UUID_LEN, again));
        assert_string_equal(uuid, again);
    }
}

static void
test_random__draws_all_122_bits(void **state XA_UNUSED)
{
    static const char digits[] = "0123456789abcdef";
    char uuid[XA_UUID_TEXT];
    unsigned ones[XA_UUID_LEN] = {0};
    unsigned zeros[XA_UUID_LEN] = {0};

    for (int n = 0; n < 200; n++) {
        assert_int_equal(xa_uuid_random(uuid, NULL), XA_OK);
        for (size_t i = 0; i < XA_UUID_LEN; i++) {
            unsigned value = (unsigned)(strchr(digits, uuid[i]) - digits);

            if (uuid[i] == '-')
                continue;
            ones[i] |= value;
            zeros[i] |= ~value & 15;
        }
    }
    for (size_t i = 0; i < XA_UUID_LEN; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23 || i == 14)
            continue;
        assert_int_equal(ones[i], i == 19 ? 11 : 15);
        assert_int_equal(zeros[i], i == 19 ? 7 : 15);
    }
}

static void
test_random__goes_on_after_a_signal_and_a_short_read(void **state XA_UNUSED)
{
    char uuid[XA_UUID_TEXT];
    char again[XA_UUID_TEXT];

    fails_with = EINTR;
    gives_at_most = 3;
    assert_int_equal(xa_uuid_random(uuid, NULL), XA_OK);
    assert_true(xa_uuid_parse(uuid, strlen(uuid), again));
    assert_int_equal(fails_with, 0);
}

static void
test_random__gives_no_weak_uuid_when_the_kernel_refuses(void **state XA_UNUSED)
{
    struct xa_err err = XA_ERR_NONE;
    char uuid[XA_UUID_TEXT] = "before";

    fails_with = ENOSYS;
    assert_int_equal(xa_uuid_random(uuid, &err), XA_E_UNAVAILABLE);
    assert_string_equal(uuid, "");

    fails_with = 0;
    gives_at_most = 0;
    assert_int_equal(xa_uuid_random(uuid, &err), XA_E_UNAVAILABLE);
    assert_string_equal(uuid, "");
}

static void
test_parse__takes_8_4_4_4_12_of_either_case(void **state XA_UNUSED)
{
    char out[XA_UUID_TEXT];

    assert_true(xa_uuid_parse("1823C1EE-6c6a-4CDC-9869-964A7f08a744",
                              XA_UUID_LEN, out));
    assert_string_equal(out, "1823c1ee-6c6a-4cdc-9869-964a7f08a744");
    assert_true(xa_uuid_parse("00000000-0000-0000-0000-000000000000tail",
                              XA_UUID_LEN, out));
    assert_true(xa_uuid_parse("ffffffff-ffff-ffff-ffff-ffffffffffff",
                              XA_UUID_LEN, out));
}

static void
test_parse__refuses_every_other_form(void **state XA_UNUSED)
{
    static const char *const bad[] = {
        "",
        "1823c1ee-6c6a-4cdc-9869-964a7f08a74",
        "1823c1ee-6c6a-4cdc-9869-964a7f08a7444",
        "1823c1ee6c6a4cdc9869964a7f08a744",
        "1823c1ee-6c6a-4cdc-9869-964a7f08a74g",
        "1823c1ee-6c6a-4cdc-98699-64a7f08a744",
        "1823c1ee_6c6a_4cdc_9869_964a7f08a744",
        "1823c1ee-6c6a-4cdc-9869--64a7f08a744",
        "------------------------------------",
        " 823c1ee-6c6a-4cdc-9869-964a7f08a744",
        "1823c1ee-6c6a-4cdc-9869-964a7f08a74 ",
        "1823c1ee-6c6a-4cdc-9869-964a7f08a74\n",
        "{823c1ee-6c6a-4cdc-9869-964a7f08a74}",
        "0x23c1ee-6c6a-4cdc-9869-964a7f08a744",
        "+823c1ee-6c6a-4cdc-9869-964a7f08a744",
        "\xef\xbc\x91" "3c1ee-6c6a-4cdc-9869-964a7f08a744",
    };
    char out[XA_UUID_TEXT] = "before";

    for (size_t i = 0; i < XA_COUNT(bad); i++)
        if (xa_uuid_parse(bad[i], strlen(bad[i]), out))
            fail_msg("\"%s\"", bad[i]);
    assert_false(xa_uuid_parse("1823c1ee-6c6a-4cdc-9869-964a7f08a74\0",
                               XA_UUID_LEN, out));
    assert_false(xa_uuid_parse("1823c1ee\0" "6c6a-4cdc-9869-964a7f08a744",
                               XA_UUID_LEN, out));
    assert_string_equal(out, "before");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random__is_version_4_in_lower_case),
        cmocka_unit_test(test_random__draws_all_122_bits),
        cmocka_unit_test_teardown(
            test_random__goes_on_after_a_signal_and_a_short_read, reset),
        cmocka_unit_test_teardown(
            test_random__gives_no_weak_uuid_when_the_kernel_refuses, reset),
        cmocka_unit_test(test_parse__takes_8_4_4_4_12_of_either_case),
        cmocka_unit_test(test_parse__refuses_every_other_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
