/* pam_keeper.c - the inside of the PAM helper. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pam_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "pam_talk.h"

#define KEPT_FD 3 /* 0 to 2 are /dev/null */

/* Not what pools count as processes of theirs. */
#define PROCESS_NAME "xivo-auth-pam"

static void
close_from(int first)
{
    struct rlimit limit = {0, 0};

#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)first, ~0u, 0u) == 0)
        return;
#endif
    getrlimit(RLIMIT_NOFILE, &limit);
    for (int fd = first; (rlim_t)fd < limit.rlim_cur; fd++)
        close(fd);
}

/* Keep nothing of the parent's but this one: no listening socket, log, store
 * or connection.  The end of the pipe to it becomes KEPT_FD. */
static void
keep_only(int fd)
{
    int null = open("/dev/null", O_RDWR);

    closelog(); /* else libc would write to a number that is another's now */
    if (fd != KEPT_FD && dup2(fd, KEPT_FD) < 0)
        _exit(1);
    for (int i = 0; i < KEPT_FD; i++)
        if (null >= 0 ? dup2(null, i) < 0 : close(i) < 0)
            _exit(1);
    close_from(KEPT_FD + 1);
    fcntl(KEPT_FD, F_SETFD, FD_CLOEXEC);
}

/* Nor memory that it shares with others, such as the locks of a store: a
 * module that goes wild shall not write there. */
static void
unmap_shared(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    unsigned long from, to;
    char line[4096 + 128]; /* with a path */
    char mode[5];

    while (maps && fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) == 3 &&
            mode[1] == 'w' && mode[3] == 's')
            munmap((void *)from, to - from);
    if (maps)
        fclose(maps);
}

/* What a program finds that was started by hand. */
static void
reset_signals(void)
{
    sigset_t none;

    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL); /* fails for some that nobody can change */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Stopping is the parent's part: it may have a login in hand. */
static void
ignore_stops(void)
{
    static const int stops[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
                                SIGUSR1, SIGUSR2, SIGPIPE};

    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
        signal(stops[i], SIG_IGN);
}

static void
die_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before that counted */
        _exit(1);
}

/* The process of one login: it never comes back. */
static _Noreturn void
run_login(int pipe_fd, pid_t keeper, const char *service,
          struct pam_question *question)
{
    struct pam_answer answer;

    setpgid(0, 0); /* with what its modules start, it can be ended at once */
    die_with(keeper);
    close(KEPT_FD);
    reset_signals();
    pam_talk(service, question, &answer);
    explicit_bzero(question, sizeof *question);
    if (write(pipe_fd, &answer, sizeof answer) != (ssize_t)sizeof answer)
        _exit(1);
    _exit(0);
}

/* End it, and those that it left behind. */
static void
end_login(pid_t pid)
{
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL); /* it may not have come as far as to lead a group */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

static void
await(int fd, const struct pam_question *question, int64_t until_ms,
      struct pam_answer *out)
{
    switch (pam_receive(fd, out, sizeof *out, until_ms)) {
    case PAM_RECEIVED:
        out->number = question->number; /* whatever a module did to it */
        return;
    case PAM_LATE:
        pam_answer_refuse(out, question->number, XA_UNAVAILABLE,
                          "the modules of PAM took too long and were ended");
        return;
    case PAM_CLOSED:
        pam_answer_refuse(out, question->number, XA_FAILED,
                          "the process with the modules of PAM died");
        return;
    }
}

static void
serve(const char *service, struct pam_question *question,
      struct pam_answer *out)
{
    int64_t until_ms = pam_now_ms() + question->limit_ms;
    pid_t keeper = getpid();
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        pam_answer_refuse(out, question->number, XA_UNAVAILABLE, "no pipe");
        return;
    }
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        run_login(ends[1], keeper, service, question);
    }
    close(ends[1]);
    explicit_bzero(question->password, sizeof question->password);
    if (pid > 0) {
        await(ends[0], question, until_ms, out);
        end_login(pid);
    } else {
        pam_answer_refuse(out, question->number, XA_UNAVAILABLE, "no process");
    }
    close(ends[0]);
}

void
pam_keeper_run(int fd, pid_t parent, const char *service)
{
    struct pam_question question;
    struct pam_answer answer;

    prctl(PR_SET_NAME, PROCESS_NAME);
    die_with(parent);
    reset_signals();
    ignore_stops();
    keep_only(fd);
    unmap_shared();
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* of what a login leaves behind */
    while (pam_receive(KEPT_FD, &question, sizeof question, -1) ==
           PAM_RECEIVED) {
        serve(service, &question, &answer);
        if (pam_send(KEPT_FD, &answer, sizeof answer) != 0)
            break;
    }
    _exit(0);
}
