/* pam_wire.c - what a process and its PAM helper say to each other. SPDX-License-Identifier: GPL-3.0-or-later */
#include "pam_wire.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void
pam_question_make(struct pam_question *out, uint64_t number, int32_t limit_ms,
                  const char *login, const char *password)
{
    memset(out, 0, sizeof *out);
    out->number = number;
    out->limit_ms = limit_ms;
    snprintf(out->login, sizeof out->login, "%s", login);
    snprintf(out->password, sizeof out->password, "%s", password);
}

void
pam_answer_refuse(struct pam_answer *out, uint64_t number,
                  enum xa_verdict verdict, const char *why)
{
    memset(out, 0, sizeof *out);
    out->number = number;
    out->verdict = verdict;
    snprintf(out->why, sizeof out->why, "%s", why);
}

int64_t
pam_now_ms(void)
{
    struct timespec ts = {0};

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int
pam_send(int fd, const void *message, size_t size)
{
    ssize_t n;

    /* There is room: nobody sends before the last message was taken. */
    do
        n = send(fd, message, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)size ? 0 : -1;
}

/* 1: something is there, the end of it perhaps; 0: time is up. */
static int
is_ready(int fd, int64_t until_ms)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int64_t left_ms = -1;
    int n;

    do {
        if (until_ms >= 0) {
            left_ms = until_ms - pam_now_ms();
            if (left_ms < 0)
                left_ms = 0;
            else if (left_ms > INT_MAX)
                left_ms = INT_MAX;
        }
        n = poll(&wait, 1, (int)left_ms);
    } while (n < 0 && errno == EINTR);
    return n != 0;
}

enum pam_receipt
pam_receive(int fd, void *message, size_t size, int64_t until_ms)
{
    ssize_t n;

    if (!is_ready(fd, until_ms))
        return PAM_LATE;
    do
        n = read(fd, message, size);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)size ? PAM_RECEIVED : PAM_CLOSED;
}
