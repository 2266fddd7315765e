/* test_process.c - how a program starts, and the signals that end it. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/support/process.h"
#include "core/support/signals.h"
#include "tests/unit/unit.h"

/* What these calls do to a process lasts, so each test is one of its own:
 * it ends with 0, or with the line of what was not so. */
#define CHILD_MUST(condition)                                                  \
    do {                                                                       \
        if (!(condition))                                                      \
            _exit(__LINE__ % 249 + 1);                                         \
    } while (0)

static int
run_child(void (*body)(void))
{
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void
protect(void)
{
    struct rlimit limit = {1, 1};

    xa_process_protect();
    CHILD_MUST(getrlimit(RLIMIT_CORE, &limit) == 0);
    CHILD_MUST(limit.rlim_cur == 0 && limit.rlim_max == 0);
#ifndef __SANITIZE_ADDRESS__
    CHILD_MUST(prctl(PR_GET_DUMPABLE) == 0);
#endif
}

static void
test_protect__leaves_no_core(void **state XA_UNUSED)
{
    assert_int_equal(run_child(protect), 0);
}

static void
protect_without_streams(void)
{
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    xa_process_protect();
    CHILD_MUST(open("/dev/null", O_RDONLY | O_CLOEXEC) > STDERR_FILENO);
    CHILD_MUST(write(STDERR_FILENO, "x", 1) == 1);
}

static void
test_protect__gives_no_file_the_number_of_a_stream(void **state XA_UNUSED)
{
    assert_int_equal(run_child(protect_without_streams), 0);
}

static char log_path[] = "/tmp/xivo-auth-log-XXXXXX";

static void
become_nobody(void)
{
    const struct passwd *pw = getpwnam("nobody");
    struct xa_err err;
    struct stat st;
    gid_t groups[64];
    int count;

    CHILD_MUST(pw);
    CHILD_MUST(setgroups(1, (gid_t[]){0}) == 0);
    CHILD_MUST(xa_process_become("nobody", log_path, &err) == XA_OK);
    CHILD_MUST(getuid() == pw->pw_uid && geteuid() == pw->pw_uid);
    CHILD_MUST(getgid() == pw->pw_gid && getegid() == pw->pw_gid);
    CHILD_MUST(setuid(0) != 0 && seteuid(0) != 0 && setgid(0) != 0);
    count = getgroups(XA_COUNT(groups), groups);
    CHILD_MUST(count >= 0);
    for (int i = 0; i < count; i++)
        CHILD_MUST(groups[i] != 0);
    CHILD_MUST(stat(log_path, &st) == 0);
    CHILD_MUST(st.st_uid == pw->pw_uid && (st.st_mode & 07777) == 0640);
    CHILD_MUST(open(log_path, O_WRONLY | O_APPEND | O_CLOEXEC) >= 0);
#ifndef __SANITIZE_ADDRESS__
    CHILD_MUST(prctl(PR_GET_DUMPABLE) == 0);
#endif
    /* Whoever it is already, it may "become" again; nobody else. */
    CHILD_MUST(xa_process_become("nobody", log_path, &err) == XA_OK);
    CHILD_MUST(xa_process_become("root", log_path, &err) == XA_E_CONFIG);
}

static void
test_become__drops_everything_for_good(void **state XA_UNUSED)
{
    if (geteuid() != 0)
        skip();
    close(mkstemp(log_path));
    unlink(log_path);
    assert_int_equal(run_child(become_nobody), 0);
    unlink(log_path);
}

static void
test_become__refuses_whom_it_does_not_know(void **state XA_UNUSED)
{
    struct xa_err err;

    assert_int_equal(xa_process_become(NULL, "stderr", &err), XA_OK);
    assert_int_equal(xa_process_become("no such user", "stderr", &err),
                     XA_E_CONFIG);
    assert_non_null(strstr(err.text, "no such user"));
}

/* --- detach --- */

static void
detach_and_report(void)
{
    struct xa_err err;
    int report = -1;

    CHILD_MUST(xa_process_detach(&report, &err) == XA_OK);
    xa_process_report(&report, EX_UNAVAILABLE);
    _exit(0);
}

static void
detach_and_succeed(void)
{
    struct xa_err err;
    int report = -1;

    CHILD_MUST(xa_process_detach(&report, &err) == XA_OK);
    xa_process_report(&report, EX_OK);
    xa_process_report(&report, EX_SOFTWARE); /* a second one is no more */
    _exit(1);                                /* and nobody waits for this */
}

static void
detach_and_die(void)
{
    struct xa_err err;
    int report = -1;

    CHILD_MUST(xa_process_detach(&report, &err) == XA_OK);
    raise(SIGKILL);
}

static void
test_detach__ends_with_what_the_new_process_reports(void **state XA_UNUSED)
{
    assert_int_equal(run_child(detach_and_report), EX_UNAVAILABLE);
    assert_int_equal(run_child(detach_and_succeed), EX_OK);
    assert_int_equal(run_child(detach_and_die), EX_SOFTWARE);
}

/* --- signals --- */

static void
take_signals(void)
{
    static const int ends[] = {SIGTERM, SIGINT, SIGUSR1};
    int64_t hour_ms = xa_clock_mono_ms() + 3600000;
    struct xa_signals signals;

    for (size_t i = 0; i < XA_COUNT(ends); i++) {
        xa_signals_block(&signals);
        xa_signals_wait(&signals, 0); /* nothing is pending */
        CHILD_MUST(!signals.stop);
        raise(SIGPIPE);
        raise(SIGHUP);
        xa_signals_wait(&signals, 0); /* HUP ends nothing */
        CHILD_MUST(!signals.stop);
        raise(ends[i]);
        CHILD_MUST(!signals.stop); /* until somebody waits */
        xa_signals_wait(&signals, hour_ms);
        CHILD_MUST(signals.stop);
    }
    CHILD_MUST(xa_clock_mono_ms() < hour_ms - 1800000);
}

static void
test_signals__are_taken_while_waiting(void **state XA_UNUSED)
{
    assert_int_equal(run_child(take_signals), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_protect__leaves_no_core),
        cmocka_unit_test(test_protect__gives_no_file_the_number_of_a_stream),
        cmocka_unit_test(test_become__drops_everything_for_good),
        cmocka_unit_test(test_become__refuses_whom_it_does_not_know),
        cmocka_unit_test(test_detach__ends_with_what_the_new_process_reports),
        cmocka_unit_test(test_signals__are_taken_while_waiting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
