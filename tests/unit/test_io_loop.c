/* test_io_loop.c - what the loop is begun with, and its turns. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/auto.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "fcgi/io.h"
#include "fcgi/io_record.h"
#include "tests/fakes/io_signal.h"
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
    assert_int_equal(listen(fd, 8), 0);
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

/* --- turns: clients that send while a request is in hand --- */

#define BEGIN_LEN (XA_RECORD_HEADER + 8)
#define PARAMS_LEN (XA_RECORD_HEADER + 6)
#define REQUEST_LEN (BEGIN_LEN + PARAMS_LEN + 2 * XA_RECORD_HEADER)
#define HALF_LEN (REQUEST_LEN - XA_RECORD_HEADER)

enum { A, B, C, D, CLIENTS };

static struct {
    int64_t now_ms;
    int listen_fd;
    int client[CLIENTS];
    char served[16];       /* a letter for each request */
    void (*in_hand)(void); /* what happens while a request is served */
} world;

int64_t __wrap_xa_clock_mono_ms(void);

int64_t
__wrap_xa_clock_mono_ms(void)
{
    return world.now_ms;
}

static void
serve(void *ctx XA_UNUSED, struct xa_call *call)
{
    size_t len = strlen(world.served);

    assert_true(len + 1 < sizeof world.served);
    world.served[len] = xa_call_param(call, "WHO")[0];
    world.served[len + 1] = '\0';
    if (world.in_hand)
        world.in_hand();
}

static int
begin_turns(void **state)
{
    memset(&world, 0, sizeof world);
    world.now_ms = 1000000;
    world.listen_fd = listening();
    for (int i = 0; i < CLIENTS; i++)
        world.client[i] = -1;
    fake_signal_stop(false);
    return begin(state);
}

static void
close_clients(void)
{
    for (int i = 0; i < CLIENTS; i++)
        xa_fd_close(&world.client[i]);
}

static int
end_turns(void **state)
{
    close_clients();
    xa_fd_close(&world.listen_fd);
    return end(state);
}

static void
come(int who)
{
    struct sockaddr_un name;
    socklen_t len = sizeof name;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(
        getsockname(world.listen_fd, (struct sockaddr *)&name, &len), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, len), 0);
    world.client[who] = fd;
}

/* The bytes of a client's request from one place to another. */
static void
say_part(int who, size_t from, size_t to)
{
    uint8_t all[REQUEST_LEN] = {0};
    uint8_t *p = all;

    xa_record_write_head(p, XA_RECORD_BEGIN, 1, 8);
    p[XA_RECORD_HEADER + 1] = XA_FCGI_ROLE_RESPONDER;
    p[XA_RECORD_HEADER + 2] = 1; /* keep the connection */
    p += BEGIN_LEN;
    xa_record_write_head(p, XA_RECORD_PARAMS, 1, 6);
    memcpy(p + XA_RECORD_HEADER, "\3\1WHO", 5);
    p[XA_RECORD_HEADER + 5] = (uint8_t)('a' + who);
    p += PARAMS_LEN;
    xa_record_write_head(p, XA_RECORD_PARAMS, 1, 0);
    xa_record_write_head(p + XA_RECORD_HEADER, XA_RECORD_STDIN, 1, 0);
    /* may fail: its connection may be closed, and what is served tells */
    (void)!send(world.client[who], all + from, to - from, MSG_NOSIGNAL);
}

static void
say(int who)
{
    say_part(who, 0, REQUEST_LEN);
}

static void
come_and_say(int who)
{
    come(who);
    say(who);
}

/* Run the loop until it is told to stop; who was served by then. */
static const char *
run(uint32_t max_connections)
{
    const struct xa_io_handler serves = {.serve = serve};
    XA_AUTO(xa_io_free) struct xa_io *io = NULL;
    struct xa_io_limits limits = modest;

    limits.max_connections = max_connections;
    assert_int_equal(xa_io_new(world.listen_fd, &limits, &serves, &io, NULL),
                     XA_OK);
    assert_int_equal(xa_io_run(io, NULL), XA_OK);
    return world.served;
}

static void
test_run__takes_those_it_was_woken_for_before_it_leaves(void **state XA_UNUSED)
{
    come_and_say(A);
    come_and_say(B);
    fake_signal_stop(true);
    assert_string_equal(run(10), "ab");
}

static void
takes_long(void)
{
    world.now_ms += 300;
}

static void
test_run__leaves_a_long_queue_to_others(void **state XA_UNUSED)
{
    for (int i = 0; i < CLIENTS; i++)
        come_and_say(i);
    world.in_hand = takes_long;
    fake_signal_stop(true);
    assert_string_equal(run(10), "a");
}

static bool
have_been(const char *who)
{
    return strcmp(world.served, who) == 0;
}

/* The loop ends once nobody is there any more. */
static void
go(void)
{
    fake_signal_stop(true);
    close_clients();
}

static void
rest_comes_late(void)
{
    if (have_been("ac"))
        say(A);
    if (have_been("aca")) {
        say_part(B, HALF_LEN, REQUEST_LEN);
        say(C);
        world.now_ms += modest.read_timeout_ms;
    }
    if (have_been("acabc") || have_been("acac"))
        go();
}

static void
test_run__serves_what_became_whole_behind_a_slow_request(void **state XA_UNUSED)
{
    come_and_say(A);
    come(B);
    say_part(B, 0, HALF_LEN);
    come_and_say(C);
    world.in_hand = rest_comes_late;
    assert_string_equal(run(10), "acabc");
    assert_null(strstr(said, "request.timeout"));
}

/* A record of the body, in front of the empty one. */
static void
drip(int who)
{
    uint8_t record[XA_RECORD_HEADER + 1] = {0};

    xa_record_write_head(record, XA_RECORD_STDIN, 1, 1);
    assert_int_equal(
        send(world.client[who], record, sizeof record, MSG_NOSIGNAL),
        sizeof record);
}

static void
drips_come(void)
{
    if (have_been("ac"))
        say(A);
    if (have_been("aca")) {
        drip(B);
        say(C);
        world.now_ms += modest.read_timeout_ms;
    }
    if (have_been("acac")) {
        say_part(B, HALF_LEN, REQUEST_LEN);
        say(A);
    }
    if (have_been("acaca") || have_been("acacba"))
        go();
}

static void
test_run__has_a_limit_for_a_request_that_drips_in(void **state XA_UNUSED)
{
    come_and_say(A);
    come(B);
    say_part(B, 0, HALF_LEN);
    come_and_say(C);
    world.in_hand = drips_come;
    assert_string_equal(run(10), "acaca");
    assert_non_null(strstr(said, "WARNING request.timeout after_ms=1000\n"));
}

static void
silent_one_speaks(void)
{
    if (have_been("bc")) {
        say(B);
        come_and_say(D);
    }
    if (have_been("bcb"))
        say(A);
    if (have_been("bcbd"))
        say(C);
    if (have_been("bcbdac") || have_been("bcbdc"))
        go();
}

static void
test_run__makes_room_by_none_that_has_spoken(void **state XA_UNUSED)
{
    come(A);
    come_and_say(B);
    come_and_say(C);
    world.in_hand = silent_one_speaks;
    assert_string_equal(run(3), "bcbdac");
}

static void
idle_ones_speak_in_a_drain(void)
{
    if (have_been("acd")) {
        say(C);
        fake_signal_stop(true);
    }
    if (have_been("acdc")) {
        say(A);
        say(B);
        world.now_ms += 300;
    }
}

static void
test_run__serves_in_a_drain_what_came_behind_a_slow_request(
    void **state XA_UNUSED)
{
    come_and_say(A);
    come(B); /* and is silent */
    come_and_say(C);
    come_and_say(D);
    world.in_hand = idle_ones_speak_in_a_drain;
    assert_string_equal(run(10), "acdcab");
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
        cmocka_unit_test_setup_teardown(
            test_run__takes_those_it_was_woken_for_before_it_leaves,
            begin_turns, end_turns),
        cmocka_unit_test_setup_teardown(test_run__leaves_a_long_queue_to_others,
                                        begin_turns, end_turns),
        cmocka_unit_test_setup_teardown(
            test_run__serves_what_became_whole_behind_a_slow_request,
            begin_turns, end_turns),
        cmocka_unit_test_setup_teardown(
            test_run__has_a_limit_for_a_request_that_drips_in, begin_turns,
            end_turns),
        cmocka_unit_test_setup_teardown(
            test_run__makes_room_by_none_that_has_spoken, begin_turns,
            end_turns),
        cmocka_unit_test_setup_teardown(
            test_run__serves_in_a_drain_what_came_behind_a_slow_request,
            begin_turns, end_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
