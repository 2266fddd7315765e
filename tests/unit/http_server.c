/* http_server.c - a server that plays a script, for one test. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tests/unit/http_server.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define REQUEST_MAX 65536
#define LIFE_S 20    /* a test that waits for it ends, and fails */
#define UNPLAYED 100 /* exit code: the client ended before the script */

static int
listen_anywhere(unsigned *out_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *out_port = ntohs(address.sin_port);
    return fd;
}

unsigned
unused_port(void)
{
    unsigned port;

    close(listen_anywhere(&port));
    return port;
}

/* --- in the child: no assertions ----------------------------------------- */

static size_t
body_len(const char *request)
{
    const char *field = strstr(request, "Content-Length: ");

    return field ? strtoul(field + strlen("Content-Length: "), NULL, 10) : 0;
}

/* A whole request, NUL behind it; 0: the client went away. */
static size_t
read_request(int fd, char *out)
{
    size_t len = 0;
    ssize_t n;

    while (len < REQUEST_MAX) {
        const char *end;

        n = read(fd, out + len, REQUEST_MAX - len);
        if (n <= 0)
            return 0;
        len += (size_t)n;
        out[len] = '\0';
        end = strstr(out, "\r\n\r\n");
        if (end && len >= (size_t)(end + 4 - out) + body_len(out))
            return len;
    }
    return 0;
}

static void
send_text(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        text += n;
        len -= (size_t)n;
    }
}

static void
reset_on_close(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* false: the connection is to end. */
static int
play(int fd, const struct step *step, const char *request, size_t len)
{
    static char rest[REQUEST_MAX];
    char head[64];

    switch (step->kind) {
    case STEP_ANSWER:
        send_text(fd, step->text, strlen(step->text));
        return 1;
    case STEP_ECHO:
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu",
                 len);
        send_text(fd, head, strlen(head));
        send_text(fd, "\r\n\r\n", 4);
        send_text(fd, request, len);
        return 1;
    case STEP_SILENT:
        while (read(fd, rest, sizeof rest) > 0)
            ;
        return 0;
    case STEP_CLOSE:
        send_text(fd, step->text, strlen(step->text));
        return 0;
    case STEP_RESET:
    default:
        reset_on_close(fd);
        return 0;
    }
}

static int
serve(int listener, const struct step *steps, size_t count)
{
    static char request[REQUEST_MAX + 1];
    int connections = 0;
    size_t at = 0;

    while (at < count) {
        int fd = accept(listener, NULL, NULL);
        int goes_on = 1;

        if (fd < 0)
            return UNPLAYED;
        connections++;
        while (goes_on && at < count) {
            size_t len = read_request(fd, request);

            goes_on = len > 0 && play(fd, &steps[at++], request, len);
        }
        if (goes_on) /* until the client ends it */
            while (read(fd, request, REQUEST_MAX) > 0)
                ;
        close(fd);
    }
    return connections;
}

/* ------------------------------------------------------------------------- */

void
server_begin(struct server *server, const struct step *steps, size_t count)
{
    int listener = listen_anywhere(&server->port);

    assert_int_equal(listen(listener, 16), 0);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        alarm(LIFE_S);
        _exit(serve(listener, steps, count));
    }
    close(listener);
}

int
server_end(struct server *server)
{
    int status = 0;

    if (waitpid(server->pid, &status, 0) != server->pid)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
