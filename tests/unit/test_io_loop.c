/* test_io_loop.c - what the loop is begun with. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/auto.h"
#include "core/base/log.h"
#include "fcgi/io.h"
#include "tests/unit/unit.h"

static const struct xa_io_handler handler;
static const struct xa_io_limits modest = {
    .max_connections = 1,
    .read_timeout_ms = 1000,
    .drain_timeout_ms = 1000,
    .max_request = 65536,
};

static char said[1024];

static void
keep(void *ctx XA_UNUSED, enum xa_level level XA_UNUSED, const char *line)
{
    size_t len = strlen(said);

    snprintf(said + len, sizeof said - len, "%s\n", line);
}

static int
begin(void **state XA_UNUSED)
{
    said[0] = '\0';
    xa_log_capture(keep, NULL, XA_INFO);
    return 0;
}

static int
end(void **state XA_UNUSED)
{
    xa_log_capture(NULL, NULL, XA_INFO);
    return 0;
}

/* Bound to no name, the kernel chooses one. */
static int
listening(void)
{
    const struct sockaddr any = {.sa_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, &any, sizeof any.sa_family), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void
test_new__wants_a_listening_socket(void **state XA_UNUSED)
{
    XA_AUTO(xa_fd_close) int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    XA_AUTO(xa_fd_close) int plain =
        socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int refused[] = {-1, file, plain};

    for (size_t i = 0; i < XA_COUNT(refused); i++) {
        struct xa_err err = XA_ERR_NONE;
        struct xa_io *io = NULL;
        char expected[80];

        assert_int_equal(xa_io_new(refused[i], &modest, &handler, &io, &err),
                         XA_E_INVALID);
        assert_null(io);
        snprintf(expected, sizeof expected,
                 "file descriptor %d is no listening socket", refused[i]);
        assert_string_equal(err.text, expected);
    }
}

static void
test_new__makes_the_socket_non_blocking_and_leaves_it_open(
    void **state XA_UNUSED)
{
    XA_AUTO(xa_fd_close) int fd = listening();
    struct xa_io *io = NULL;

    assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_int_equal(xa_io_new(fd, &modest, &handler, &io, NULL), XA_OK);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    xa_io_free(&io);
    assert_null(io);
    assert_true(fcntl(fd, F_GETFD) >= 0);
    assert_string_equal(said, "");
}

static void
test_new__cuts_limits_and_says_so(void **state XA_UNUSED)
{
    static const struct {
        rlim_t files;
        uint32_t connections, request;
        const char *said;
    } cases[] = {
        {200, 136, 163840, ""},
        {200, 137, 163840, "WARNING connections.cut wanted=137 got=136\n"},
        {65, 2, 1000, "WARNING connections.cut wanted=2 got=1\n"},
        {64, 2, 1000, "WARNING connections.cut wanted=2 got=1\n"},
        {30, 2, 1000, "WARNING connections.cut wanted=2 got=1\n"},
        {200, 1, 163841, "WARNING requests.cut wanted=163841 got=163840\n"},
        {200, UINT32_MAX, UINT32_MAX,
         "WARNING connections.cut wanted=4294967295 got=136\n"
         "WARNING requests.cut wanted=4294967295 got=163840\n"},
        {200, 0, 0, ""}, /* too little is raised without a word */
    };
    XA_AUTO(xa_fd_close) int fd = listening();
    struct rlimit before;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct xa_io_limits limits = modest;
        struct rlimit now = {cases[i].files, before.rlim_max};
        XA_AUTO(xa_io_free) struct xa_io *io = NULL;

        limits.max_connections = cases[i].connections;
        limits.max_request = cases[i].request;
        said[0] = '\0';
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
        assert_int_equal(xa_io_new(fd, &limits, &handler, &io, NULL), XA_OK);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_string_equal(said, cases[i].said);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_new__wants_a_listening_socket,
                                        begin, end),
        cmocka_unit_test_setup_teardown(
            test_new__makes_the_socket_non_blocking_and_leaves_it_open, begin,
            end),
        cmocka_unit_test_setup_teardown(test_new__cuts_limits_and_says_so,
                                        begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
