/* authctl_input.c - secrets from the terminal or from standard input. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/authctl.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define LINE_MAX_LEN 4096 /* bytes */

/* Signals that end or stop us: the terminal gets its echo back first. */
static const int signals[] = {SIGINT,  SIGTERM, SIGHUP,
                              SIGQUIT, SIGTSTP, SIGALRM};

static volatile sig_atomic_t caught;

static void
on_signal(int number)
{
    caught = number;
}

/* Read one byte.  While we wait, and only then, signals of this mask come
 * in: none can slip in before the wait.  -1 and EINTR: one came. */
static ssize_t
read_byte(char *out, const sigset_t *while_waiting)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    ssize_t n;

    if (while_waiting && ppoll(&in, 1, NULL, while_waiting) < 0)
        return -1;
    do
        n = read(STDIN_FILENO, out, 1);
    while (n < 0 && errno == EINTR);
    return n;
}

/*
 * Read to the end of the line, byte by byte, so that what stands behind it is
 * left for whoever reads next.
 *
 *   while_waiting  signals that stay blocked meanwhile; NULL: no matter
 *
 * XA_E_TIMEOUT: a signal came (nobody else sees this code).
 */
static enum xa_rc
read_line(const sigset_t *while_waiting, struct xa_secret **out,
          struct xa_err *err)
{
    char line[LINE_MAX_LEN];
    size_t len = 0;
    enum xa_rc rc = XA_OK;
    ssize_t n;
    char c = '\0';

    while ((n = read_byte(&c, while_waiting)) > 0 && c != '\n') {
        if (len < sizeof line)
            line[len] = c;
        len++;
    }
    if (n < 0 && errno == EINTR)
        rc = XA_E_TIMEOUT;
    else if (n < 0)
        rc = xa_fail(err, XA_E_UNAVAILABLE, "cannot read standard input: %s",
                     strerror(errno));
    else if (n == 0 && len == 0)
        rc = xa_fail(err, XA_E_INVALID, "nothing came on standard input");
    else if (len > sizeof line)
        rc = xa_fail(err, XA_E_INVALID, "more than %d bytes in a line",
                     LINE_MAX_LEN);
    else if (memchr(line, '\0', len) || !xa_str_is_utf8(line, len))
        rc = xa_fail(err, XA_E_INVALID, "the line is not UTF-8 text");
    else
        rc = xa_secret_new(line, len, out, err);
    xa_wipe(line, sizeof line);
    return rc;
}

static void
set_echo(const struct termios *how)
{
    while (tcsetattr(STDIN_FILENO, TCSAFLUSH, how) != 0 && errno == EINTR)
        continue;
}

/* Ask once.  A signal that came is in `caught`, and the echo is back. */
static enum xa_rc
ask_once(const char *prompt, const struct termios *echo, struct xa_secret **out,
         struct xa_err *err)
{
    const struct sigaction act = {.sa_handler = on_signal};
    struct sigaction old[XA_COUNT(signals)];
    struct termios quiet = *echo;
    sigset_t blocked;
    sigset_t before;
    enum xa_rc rc;

    caught = 0;
    sigemptyset(&blocked);
    for (size_t i = 0; i < XA_COUNT(signals); i++)
        sigaddset(&blocked, signals[i]);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    for (size_t i = 0; i < XA_COUNT(signals); i++)
        sigaction(signals[i], &act, &old[i]);
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    set_echo(&quiet);
    fprintf(stderr, "%s: ", prompt);
    rc = read_line(&before, out, err);
    fputc('\n', stderr);
    set_echo(echo);
    for (size_t i = 0; i < XA_COUNT(signals); i++)
        sigaction(signals[i], &old[i], NULL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return rc;
}

static enum xa_rc
ask(const char *prompt, struct xa_secret **out, struct xa_err *err)
{
    struct termios echo;
    enum xa_rc rc;

    if (tcgetattr(STDIN_FILENO, &echo) != 0)
        return xa_fail(err, XA_E_INVALID, "cannot ask the terminal: %s",
                       strerror(errno));
    for (;;) {
        rc = ask_once(prompt, &echo, out, err);
        if (rc != XA_E_TIMEOUT)
            return rc;
        raise(caught); /* now it has its usual effect */
        /* stopped and continued, or the signal is ignored: ask again */
    }
}

enum xa_rc
xa_ctl_read_secret(const char *prompt, struct xa_secret **out,
                   struct xa_err *err)
{
    if (isatty(STDIN_FILENO))
        return ask(prompt, out, err);
    return read_line(NULL, out, err);
}

enum xa_rc
xa_ctl_read_new_password(struct xa_secret **out, struct xa_err *err)
{
    XA_AUTO(xa_secret_free) struct xa_secret *first = NULL;
    XA_AUTO(xa_secret_free) struct xa_secret *again = NULL;
    enum xa_rc rc;

    rc = xa_ctl_read_secret("New password", &first, err);
    if (rc != XA_OK)
        return rc;
    if (isatty(STDIN_FILENO)) {
        rc = xa_ctl_read_secret("The same again", &again, err);
        if (rc != XA_OK)
            return rc;
        if (!xa_secret_equal(xa_secret_text(first), xa_secret_len(first),
                             xa_secret_text(again), xa_secret_len(again)))
            return xa_fail(err, XA_E_INVALID, "the two passwords differ");
    }
    *out = XA_TAKE(first);
    return XA_OK;
}
