/* test_io_conn.c - the loop's connections and how long each waits. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <fcntl.h>
#include <unistd.h>

#include "fcgi/io_conn.h"
#include "tests/unit/unit.h"

#include "core/base/auto.h"

static struct xa_conn *
add(struct xa_conns *conns, int64_t now_ms)
{
    struct xa_conn *conn =
        xa_conns_add(conns, open("/dev/null", O_RDONLY | O_CLOEXEC), now_ms);

    assert_non_null(conn);
    return conn;
}

static void
test_first__is_who_came_first(void **state XA_UNUSED)
{
    struct xa_conns conns = {0};
    struct xa_conn *a = add(&conns, 10);
    struct xa_conn *b = add(&conns, 20);
    struct xa_conn *c = add(&conns, 30);

    assert_ptr_equal(xa_conns_first(&conns, XA_CONN_SILENT), a);
    xa_conns_close(&conns, a);
    assert_ptr_equal(xa_conns_first(&conns, XA_CONN_SILENT), b);
    xa_conns_close(&conns, c); /* the last: b must find its way */
    xa_conns_close(&conns, b);
    assert_null(xa_conns_first(&conns, XA_CONN_SILENT));
    assert_int_equal(conns.count, 0);
}

static void
test_move__goes_to_the_end_since_now(void **state XA_UNUSED)
{
    struct xa_conns conns = {0};
    struct xa_conn *a = add(&conns, 10);
    struct xa_conn *b = add(&conns, 20);

    xa_conns_move(&conns, a, XA_CONN_IDLE, 30);
    xa_conns_move(&conns, b, XA_CONN_IDLE, 40);
    xa_conns_move(&conns, a, XA_CONN_IDLE, 50); /* another request */
    assert_ptr_equal(xa_conns_first(&conns, XA_CONN_IDLE), b);
    assert_int_equal(a->since_ms, 50);
    assert_null(xa_conns_first(&conns, XA_CONN_SILENT));
    assert_int_equal(conns.count, 2);
    xa_conns_close_all(&conns);
    assert_int_equal(conns.count, 0);
}

static void
test_move__counts_half_since_its_first_byte(void **state XA_UNUSED)
{
    struct xa_conns conns = {0};
    struct xa_conn *a = add(&conns, 10);

    xa_conns_move(&conns, a, XA_CONN_HALF, 20);
    xa_conns_move(&conns, a, XA_CONN_HALF, 30);
    assert_int_equal(a->since_ms, 20);
    xa_conns_move(&conns, a, XA_CONN_IDLE, 40);
    xa_conns_move(&conns, a, XA_CONN_HALF, 50);
    assert_int_equal(a->since_ms, 50);
    xa_conns_close_all(&conns);
}

static void
test_close__closes_what_it_owns(void **state XA_UNUSED)
{
    struct xa_conns conns = {0};
    struct xa_conn *a = add(&conns, 0);
    int fd = a->fd;

    xa_conns_close(&conns, a);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    a = add(&conns, 0);
    assert_int_equal(close(a->fd), 0); /* somebody else did already */
    a->fd = -1;
    xa_conns_close_all(&conns);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first__is_who_came_first),
        cmocka_unit_test(test_move__goes_to_the_end_since_now),
        cmocka_unit_test(test_move__counts_half_since_its_first_byte),
        cmocka_unit_test(test_close__closes_what_it_owns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
