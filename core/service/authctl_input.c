/* authctl_input.c - secrets from the terminal or from standard input. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/authctl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define LINE_MAX_LEN 4096 /* bytes */

/* Signals that end or stop us: the terminal gets its echo back first. */
static const int signals[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
                              SIGTSTP, SIGTTIN, SIGTTOU, SIGALRM};

static volatile sig_atomic_t caught;

static void
on_signal(int number)
{
    caught = number;
}

/*
 * Read to the end of the line, byte by byte, so that what stands behind it is
 * left for whoever reads next.
 *
 * XA_E_TIMEOUT: a signal came (nobody else sees this code).
 */
static enum xa_rc
read_line(struct xa_secret **out, struct xa_err *err)
{
    char line[LINE_MAX_LEN];
    size_t len = 0;
    enum xa_rc rc = XA_OK;
    ssize_t n;
    char c = '\0';

    for (;;) {
        n = read(STDIN_FILENO, &c, 1);
        if (n < 0 && errno == EINTR && !caught)
            continue;
        if (n <= 0 || c == '\n')
            break;
        if (len < sizeof line)
            line[len] = c;
        len++;
    }
    if (n < 0 && errno == EINTR)
        rc = XA_E_TIMEOUT;
    else if (n < 0)
        rc = xa_fail(err, XA_E_INVALID, "cannot read standard input: %s",
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
    while (tcsetattr(STDIN_FILENO, TCSAFLUSH, how) != 0 && errno == EINTR &&
           !caught)
        continue;
}

/* Ask once.  A signal has its usual effect, after the echo is back. */
static enum xa_rc
ask_once(const char *prompt, const struct termios *echo, struct xa_secret **out,
         struct xa_err *err)
{
    struct sigaction act = {.sa_handler = on_signal}; /* no SA_RESTART */
    struct sigaction old[XA_COUNT(signals)];
    struct termios quiet = *echo;
    enum xa_rc rc;

    caught = 0;
    for (size_t i = 0; i < XA_COUNT(signals); i++)
        sigaction(signals[i], &act, &old[i]);
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    set_echo(&quiet);
    fprintf(stderr, "%s: ", prompt);
    fflush(stderr);
    rc = read_line(out, err);
    fputc('\n', stderr);
    set_echo(echo);
    for (size_t i = 0; i < XA_COUNT(signals); i++)
        sigaction(signals[i], &old[i], NULL);
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
        if (caught)
            raise(caught);
        if (rc != XA_E_TIMEOUT)
            return rc;
        /* stopped and continued, or the signal is ignored: ask again */
    }
}

enum xa_rc
xa_ctl_read_secret(const char *prompt, struct xa_secret **out,
                   struct xa_err *err)
{
    if (isatty(STDIN_FILENO))
        return ask(prompt, out, err);
    return read_line(out, err);
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
