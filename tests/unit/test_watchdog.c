/* test_watchdog.c - ends a process whose backend does not. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/service/watchdog.h"
#include "tests/unit/unit.h"

#define LATE_SIGNAL (SIGRTMIN + 1)

static char path[64];

static int
set_up(void **state XA_UNUSED)
{
    int fd;

    snprintf(path, sizeof path, "/tmp/xa-watchdog-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    return 0;
}

static int
tear_down(void **state XA_UNUSED)
{
    return unlink(path);
}

/* In a process of its own, that logs to the file. */
static int
status_of(void (*act)(void))
{
    const struct rlimit none = {0, 0};
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &none);
        if (xa_log_open("test", path, XA_INFO, NULL) != XA_OK ||
            xa_watchdog_open(NULL) != XA_OK)
            _exit(1);
        act();
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static const char *
log_text(void)
{
    static char text[1024];
    FILE *file = fopen(path, "r");
    size_t n;

    assert_non_null(file);
    n = fread(text, 1, sizeof text - 1, file);
    text[n] = '\0';
    fclose(file);
    return text;
}

static void
check_line(const char *expected)
{
    const char *text = log_text();

    if (!strstr(text, expected))
        fail_msg("`%s` is not in: %s", expected, text);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void
hang(void)
{
    xa_log_hold(true);
    xa_watchdog_begin("slow", "authenticate", 20);
    for (;;)
        pause();
}

static void
test_begin__ends_a_process_that_hangs_with_one_line(void **state XA_UNUSED)
{
    int status = status_of(hang);

    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EX_SOFTWARE);
    check_line("] CRITICAL backend.hung name=slow call=authenticate ms=20\n");
}

static void
crash(void)
{
    signal(SIGFPE, SIG_DFL); /* where a sanitizer has it */
    if (xa_watchdog_open(NULL) != XA_OK)
        _exit(1);
    xa_watchdog_begin("bad", "start", 60000);
    raise(SIGFPE);
}

static void
test_begin__names_the_backend_that_crashes(void **state XA_UNUSED)
{
    int status = status_of(crash);

    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGFPE);
    check_line("] CRITICAL backend.crashed name=bad call=start\n");
}

static void
crash_elsewhere(void)
{
    signal(SIGFPE, SIG_DFL);
    if (xa_watchdog_open(NULL) != XA_OK)
        _exit(1);
    xa_watchdog_begin("good", "authenticate", 60000);
    xa_watchdog_end();
    raise(SIGFPE);
}

static void
test_end__accuses_no_backend_of_a_later_crash(void **state XA_UNUSED)
{
    int status = status_of(crash_elsewhere);

    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGFPE);
    assert_string_equal(log_text(), "");
}

/* The line of the request that did it waits for others. */
static void
crash_with_a_line_held_back(void)
{
    signal(SIGFPE, SIG_DFL);
    if (xa_watchdog_open(NULL) != XA_OK)
        _exit(1);
    xa_log_hold(true);
    xa_log_later(XA_INFO, "request.done", "status=200");
    raise(SIGFPE);
}

static void
test_open__lets_a_crash_lose_no_line(void **state XA_UNUSED)
{
    int status = status_of(crash_with_a_line_held_back);

    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGFPE);
    check_line("] INFO request.done status=200\n");
}

/* The timer fires, but the call ends before the handler can run. */
static void
end_in_the_last_moment(void)
{
    sigset_t late;
    sigset_t pending;

    sigemptyset(&late);
    sigaddset(&late, LATE_SIGNAL);
    sigprocmask(SIG_BLOCK, &late, NULL);
    xa_watchdog_begin("slow", "authenticate", 1);
    do
        sigpending(&pending);
    while (sigismember(&pending, LATE_SIGNAL) != 1);
    xa_watchdog_end();
    sigprocmask(SIG_UNBLOCK, &late, NULL);
}

static void
test_end__wins_against_a_timer_that_just_fired(void **state XA_UNUSED)
{
    assert_int_equal(status_of(end_in_the_last_moment), 0);
    assert_string_equal(log_text(), "");
}

static void
test_begin__does_nothing_in_a_program_without_it(void **state XA_UNUSED)
{
    struct sigaction now;

    xa_watchdog_begin("x", "authenticate", 1);
    xa_watchdog_end();
    xa_watchdog_close();
    assert_int_equal(sigaction(LATE_SIGNAL, NULL, &now), 0);
    assert_true(now.sa_handler == SIG_DFL);
}

#define WITH_LOG(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOG(test_begin__ends_a_process_that_hangs_with_one_line),
        WITH_LOG(test_begin__names_the_backend_that_crashes),
        WITH_LOG(test_end__accuses_no_backend_of_a_later_crash),
        WITH_LOG(test_open__lets_a_crash_lose_no_line),
        WITH_LOG(test_end__wins_against_a_timer_that_just_fired),
        cmocka_unit_test(test_begin__does_nothing_in_a_program_without_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
