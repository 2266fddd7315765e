/* process.c - how a program of ours starts: rights, log, background. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/base/log.h"

/* Else a file of ours, the store even, may get the number of a stream that
 * was closed, and be written over by a complaint. */
static void
open_closed_streams(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

void
xa_process_protect(void)
{
    const struct rlimit none = {0, 0};

    open_closed_streams();
    setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__ /* its leak check is a debugger */
    /* The limit alone does not stop a core that goes to a pipe. */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

/* An existing file keeps its owner: it may be there on purpose. */
static enum xa_rc
make_log_file(const char *path, const struct passwd *pw, struct xa_err *err)
{
    XA_AUTO(xa_fd_close) int fd = -1;

    if (strcmp(path, "stderr") == 0 || strcmp(path, "syslog") == 0)
        return XA_OK;
    fd = open(path,
              O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
              0640);
    if (fd < 0 && errno == EEXIST)
        return XA_OK;
    if (fd < 0 || fchown(fd, pw->pw_uid, pw->pw_gid) != 0)
        return xa_fail(err, XA_E_CONFIG, "cannot make log file %s: %s", path,
                       strerror(errno));
    return XA_OK;
}

static bool
is_nobody_else(const struct passwd *pw)
{
    uid_t uid[3];
    gid_t gid[3];

    return getresuid(&uid[0], &uid[1], &uid[2]) == 0 &&
           getresgid(&gid[0], &gid[1], &gid[2]) == 0 && uid[0] == pw->pw_uid &&
           uid[1] == pw->pw_uid && uid[2] == pw->pw_uid &&
           gid[0] == pw->pw_gid && gid[1] == pw->pw_gid &&
           gid[2] == pw->pw_gid && (pw->pw_uid == 0 || setuid(0) != 0);
}

enum xa_rc
xa_process_become(const char *user, const char *log_filename,
                  struct xa_err *err)
{
    const struct passwd *pw;
    enum xa_rc rc;

    if (!user)
        return XA_OK;
    errno = 0;
    pw = getpwnam(user);
    if (!pw)
        return xa_fail(err, XA_E_CONFIG, "user \"%s\": %s", user,
                       errno ? strerror(errno) : "no such user");
    if (geteuid() != 0) {
        if (geteuid() == pw->pw_uid)
            return XA_OK;
        return xa_fail(err, XA_E_CONFIG,
                       "cannot become user \"%s\" without being root", user);
    }
    rc = make_log_file(log_filename, pw, err);
    if (rc != XA_OK)
        return rc;
    if (initgroups(user, pw->pw_gid) != 0 ||
        setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
        setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
        return xa_fail(err, XA_E_CONFIG, "cannot become user \"%s\": %s", user,
                       strerror(errno));
    if (!is_nobody_else(pw))
        return xa_fail(err, XA_E_CONFIG, "did not become user \"%s\"", user);
    xa_process_protect(); /* the kernel undid it with the change of user */
    return XA_OK;
}

enum xa_rc
xa_process_open_log(const char *ident, const struct xa_config *config,
                    struct xa_err *err)
{
    enum xa_level level = config->debug ? XA_DEBUG : config->log_level;
    enum xa_rc rc;

    rc = xa_log_open(ident, config->log_filename, level, err);
    if (rc != XA_OK)
        return rc;
    xa_config_log_notes(config);
    if (geteuid() == 0)
        xa_log(XA_WARNING, "process.root",
               "this program needs no rights of root");
    return XA_OK;
}

int
xa_process_fail(const char *ident, const struct xa_err *err)
{
    char quoted[XA_LOG_VALUE_MAX];

    xa_log_complain(ident, err->text);
    if (!xa_log_is_stderr())
        xa_log(XA_CRITICAL, "process.failed", "reason=%s",
               xa_log_quote(err->text, quoted));
    return xa_rc_exit_code(err->code);
}

/* Wait for the exit code of the start, and end with it. */
static _Noreturn void
await_report(int fd, pid_t middle)
{
    unsigned char code;
    ssize_t n;

    while (waitpid(middle, NULL, 0) < 0 && errno == EINTR)
        ;
    do
        n = read(fd, &code, 1);
    while (n < 0 && errno == EINTR);
    _exit(n == 1 ? code : EX_SOFTWARE);
}

enum xa_rc
xa_process_detach(int *out_report, struct xa_err *err)
{
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return xa_fail(err, XA_E_UNAVAILABLE, "no pipe: %s", strerror(errno));
    pid = fork();
    if (pid < 0) {
        close(ends[0]);
        close(ends[1]);
        return xa_fail(err, XA_E_UNAVAILABLE, "no process: %s",
                       strerror(errno));
    }
    if (pid > 0) {
        close(ends[1]);
        await_report(ends[0], pid);
    }
    close(ends[0]);
    setsid();
    pid = fork(); /* who leads no session never gets a terminal */
    if (pid != 0)
        _exit(pid > 0 ? EX_OK : EX_OSERR);
    umask(027);
    if (chdir("/") != 0)
        return xa_fail(err, XA_E_UNAVAILABLE, "cannot enter /: %s",
                       strerror(errno));
    *out_report = ends[1];
    return XA_OK;
}

void
xa_process_report(int *report, int exit_code)
{
    unsigned char code = (unsigned char)exit_code;
    int null;

    if (*report < 0)
        return;
    if (exit_code == EX_OK) {
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
        for (int fd = 0; null >= 0 && fd < 3; fd++)
            dup2(null, fd);
        if (null > 2)
            close(null);
    }
    while (write(*report, &code, 1) < 0 && errno == EINTR)
        ;
    xa_fd_close(report);
}
