/* pam_helper.c - the process that PAM's modules run in. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pam_helper.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pam_keeper.h"

/* The helper answers that much sooner than we stop waiting, so that it is
 * ended itself only when it is stuck. */
#define SOONER_MS 200

int
pam_helper_start(struct pam_helper *helper)
{
    pid_t parent = getpid();
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        helper->host->log(helper->host, XA_HOST_ERROR, "no socket: %s",
                          strerror(errno));
        return -1;
    }
    pid = fork();
    if (pid == 0)
        pam_keeper_run(ends[1], parent, helper->service);
    close(ends[1]);
    if (pid < 0) {
        helper->host->log(helper->host, XA_HOST_ERROR, "no process: %s",
                          strerror(errno));
        close(ends[0]);
        return -1;
    }
    helper->pid = pid;
    helper->fd = ends[0];
    return 0;
}

void
pam_helper_end(struct pam_helper *helper)
{
    if (helper->pid > 0) {
        kill(helper->pid, SIGKILL);
        while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (helper->fd >= 0)
        close(helper->fd);
    helper->pid = 0;
    helper->fd = -1;
}

/* What the other process says is looked at before it is believed. */
static int
is_sound(struct pam_answer *answer, uint64_t number)
{
    answer->user[sizeof answer->user - 1] = '\0';
    answer->why[sizeof answer->why - 1] = '\0';
    return answer->number == number;
}

/* One try.  0, or -1: the helper was dead, and is buried. */
static int
try_to_ask(struct pam_helper *helper, const char *login, const char *password,
           int64_t until_ms, struct pam_answer *out)
{
    int64_t left_ms = until_ms - SOONER_MS - pam_now_ms();
    enum pam_receipt receipt = PAM_CLOSED;
    struct pam_question question;

    pam_question_make(&question, ++helper->asked,
                      left_ms > 0 ? (int32_t)left_ms : 0, login, password);
    if (pam_send(helper->fd, &question, sizeof question) == 0)
        receipt = pam_receive(helper->fd, out, sizeof *out, until_ms);
    explicit_bzero(&question, sizeof question);
    if (receipt == PAM_RECEIVED && is_sound(out, helper->asked))
        return 0;
    pam_helper_end(helper);
    if (receipt == PAM_CLOSED)
        return -1;
    pam_answer_refuse(out, helper->asked, XA_UNAVAILABLE,
                      "the helper was silent and was ended");
    return 0;
}

void
pam_helper_ask(struct pam_helper *helper, const char *login,
               const char *password, int64_t until_ms, struct pam_answer *out)
{
    if (helper->fd >= 0) {
        if (try_to_ask(helper, login, password, until_ms, out) == 0)
            return;
        helper->host->log(helper->host, XA_HOST_WARNING,
                          "the helper was dead: each login has one of its own "
                          "now");
    }
    /* Forked in the midst of a login, it has the password in more places than
     * can be wiped: libfcgi's, say.  So it ends with the login. */
    if (pam_helper_start(helper) != 0 ||
        try_to_ask(helper, login, password, until_ms, out) != 0)
        pam_answer_refuse(out, helper->asked, XA_UNAVAILABLE,
                          "no helper lives");
    pam_helper_end(helper);
}
