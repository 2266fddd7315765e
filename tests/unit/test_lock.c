/* test_lock.c - one process at a time, but no waiting for ever. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/auto.h"
#include "core/support/lock.h"
#include "tests/unit/unit.h"

static int
open_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY);

    assert_true(fd >= 0);
    return fd;
}

static void
test_exclusive__is_given_up_when_another_holds_it(void **state XA_UNUSED)
{
    char path[] = "/tmp/xa-lock-XXXXXX";
    XA_AUTO(xa_fd_close) int first = -1;
    XA_AUTO(xa_fd_close) int second = -1;

    assert_non_null(mkdtemp(path));
    first = open_folder(path);
    second = open_folder(path);
    assert_int_equal(xa_lock_exclusive(first, 0), 0);
    assert_int_equal(xa_lock_exclusive(first, 0), 0); /* it has it */
    assert_int_equal(xa_lock_exclusive(second, 0), EWOULDBLOCK);
    assert_int_equal(xa_lock_exclusive(second, 30), EWOULDBLOCK);
    xa_fd_close(&first);
    assert_int_equal(xa_lock_exclusive(second, 0), 0);
    assert_int_equal(rmdir(path), 0);
}

static void
test_exclusive__tells_any_other_failure(void **state XA_UNUSED)
{
    assert_int_equal(xa_lock_exclusive(-1, 1000), EBADF);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exclusive__is_given_up_when_another_holds_it),
        cmocka_unit_test(test_exclusive__tells_any_other_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
