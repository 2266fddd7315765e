/* test_ldap_memory.c - memory that is overwritten when it is freed. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "backends/ldap_memory.h"
#include "core/base/auto.h"
#include "tests/unit/unit.h"

#define SECRET "a password in a message"

/* What the last free() was given still held. */
static size_t freed;
static char last[256];

void __real_free(void *bytes);
void __wrap_free(void *bytes);

void
__wrap_free(void *bytes)
{
    if (bytes) {
        size_t size = malloc_usable_size(bytes);

        freed++;
        memcpy(last, bytes, size < sizeof last ? size : sizeof last);
    }
    __real_free(bytes);
}

static void
check_wiped(size_t len)
{
    for (size_t i = 0; i < len; i++)
        assert_int_equal(last[i], 0);
}

static void
test_free__leaves_nothing(void **state XA_UNUSED)
{
    char *bytes = xa_ldap_malloc(64, NULL);

    assert_non_null(bytes);
    memset(bytes, 'x', 64);
    freed = 0;
    xa_ldap_free(bytes, NULL);
    assert_int_equal(freed, 1);
    check_wiped(64);
    xa_ldap_free(NULL, NULL);
    assert_int_equal(freed, 1);
}

static void
test_realloc__leaves_nothing_behind(void **state XA_UNUSED)
{
    char *bytes = xa_ldap_calloc(1, 64, NULL);

    assert_non_null(bytes);
    memcpy(bytes, SECRET, sizeof SECRET);
    for (size_t size = 4096; size >= 64; size /= 64) { /* more, then less */
        freed = 0;
        memset(last, 'x', sizeof last);
        bytes = xa_ldap_realloc(bytes, size, NULL);
        assert_non_null(bytes);
        assert_string_equal(bytes, SECRET);
        assert_int_equal(freed, 1);
        check_wiped(64);
    }
    xa_ldap_free(bytes, NULL);
    bytes = xa_ldap_realloc(NULL, 8, NULL);
    assert_non_null(bytes);
    xa_ldap_free(bytes, NULL);
}

static void
test_calloc__gives_zeros_and_counts(void **state XA_UNUSED)
{
    char *bytes = xa_ldap_calloc(4, 16, NULL);

    assert_non_null(bytes);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(bytes[i], 0);
    xa_ldap_free(bytes, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_free__leaves_nothing),
        cmocka_unit_test(test_realloc__leaves_nothing_behind),
        cmocka_unit_test(test_calloc__gives_zeros_and_counts),
    };

    return cmocka_run_group_tests_name("ldap_memory", tests, NULL, NULL);
}
