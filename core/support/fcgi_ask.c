/* fcgi_ask.c - one GET to a FastCGI pool, without waiting. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/fcgi_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/clock.h"

/* FastCGI 1.0, section 8. */
enum { BEGIN_REQUEST = 1, END_REQUEST = 3, PARAMS = 4, STDIN = 5, STDOUT = 6 };
enum { HEAD_LEN = 8, END_LEN = 8, RESPONDER = 1, PROTOCOL = 1, REQUEST = 1 };

#define REQUEST_MAX 1024
#define STATUS_LINE_MAX 256 /* bytes of the answer in which it stands */

struct xa_fcgi_call {
    int fd;
    bool is_connected;
    struct sockaddr_un address;
    int64_t deadline_ms;
    struct xa_buf request;
    size_t sent;
    struct xa_buf answer; /* the records, as they came */
};

/* --- the request --------------------------------------------------------- */

static void
put_record(struct xa_buf *out, int kind, const void *content, size_t len)
{
    const unsigned char head[HEAD_LEN] = {
        PROTOCOL, (unsigned char)kind,       0,
        REQUEST,  (unsigned char)(len >> 8), (unsigned char)len,
    };

    xa_buf_put(out, head, sizeof head);
    xa_buf_put(out, content, len);
}

/* Names and values are shorter than 128 bytes. */
static void
put_pair(struct xa_buf *out, const char *name, const char *value)
{
    xa_buf_putc(out, (char)strlen(name));
    xa_buf_putc(out, (char)strlen(value));
    xa_buf_puts(out, name);
    xa_buf_puts(out, value);
}

static void
put_request(struct xa_buf *out, const char *path)
{
    static const unsigned char begin[] = {0, RESPONDER, 0, 0, 0, 0, 0, 0};
    XA_AUTO(xa_buf_free) struct xa_buf params = XA_BUF(REQUEST_MAX);

    put_pair(&params, "REQUEST_METHOD", "GET");
    put_pair(&params, "REQUEST_URI", path);
    put_pair(&params, "QUERY_STRING", "");
    put_pair(&params, "CONTENT_LENGTH", "");
    put_pair(&params, "REMOTE_ADDR", "127.0.0.1");
    put_pair(&params, "SERVER_PROTOCOL", "HTTP/1.1");
    put_pair(&params, "GATEWAY_INTERFACE", "CGI/1.1");
    put_record(out, BEGIN_REQUEST, begin, sizeof begin);
    put_record(out, PARAMS, xa_buf_text(&params), params.len);
    put_record(out, PARAMS, NULL, 0);
    put_record(out, STDIN, NULL, 0);
    if (params.broken != XA_OK)
        out->broken = params.broken;
}

/* --- the connection ------------------------------------------------------ */

static enum xa_rc
fail_errno(const struct xa_fcgi_call *call, struct xa_err *err)
{
    return xa_fail(err, XA_E_UNAVAILABLE, "%s: %s", call->address.sun_path,
                   strerror(errno));
}

/* A queue that is full (EAGAIN) is tried again at the next look. */
static enum xa_rc
try_connect(struct xa_fcgi_call *call, struct xa_err *err)
{
    if (call->is_connected)
        return XA_OK;
    if (connect(call->fd, (const struct sockaddr *)&call->address,
                sizeof call->address) == 0)
        call->is_connected = true;
    else if (errno != EAGAIN && errno != EINTR)
        return fail_errno(call, err);
    return XA_OK;
}

enum xa_rc
xa_fcgi_start(const char *socket_path, const char *path, int64_t deadline_ms,
              struct xa_fcgi_call **out, struct xa_err *err)
{
    XA_AUTO(xa_fcgi_free) struct xa_fcgi_call *call = NULL;
    enum xa_rc rc;

    call = calloc(1, sizeof *call);
    if (!call)
        return xa_fail_nomem(err);
    call->fd = -1;
    call->deadline_ms = deadline_ms;
    call->request.max = REQUEST_MAX;
    call->answer.max = XA_FCGI_ANSWER_MAX;
    call->address.sun_family = AF_UNIX;
    if (strlen(socket_path) >= sizeof call->address.sun_path ||
        strlen(path) >= XA_FCGI_PATH_MAX)
        return xa_fail(err, XA_E_INVALID, "the path is too long");
    memcpy(call->address.sun_path, socket_path, strlen(socket_path));
    put_request(&call->request, path);
    rc = xa_buf_check(&call->request, err);
    if (rc != XA_OK)
        return rc;
    call->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (call->fd < 0)
        return fail_errno(call, err);
    rc = try_connect(call, err);
    if (rc != XA_OK)
        return rc;
    *out = XA_TAKE(call);
    return XA_OK;
}

void
xa_fcgi_free(struct xa_fcgi_call **place)
{
    struct xa_fcgi_call *call = XA_TAKE(*place);

    if (!call)
        return;
    if (call->fd >= 0)
        close(call->fd);
    xa_buf_free(&call->request);
    xa_buf_free(&call->answer);
    free(call);
}

static enum xa_rc
send_rest(struct xa_fcgi_call *call, struct xa_err *err)
{
    const char *rest = xa_buf_text(&call->request) + call->sent;
    size_t len = call->request.len - call->sent;
    ssize_t sent;

    if (!call->is_connected || len == 0)
        return XA_OK;
    sent = send(call->fd, rest, len, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR ? XA_OK
                                                 : fail_errno(call, err);
    call->sent += (size_t)sent;
    return XA_OK;
}

/* What has come so far; the peer may close only behind its answer. */
static enum xa_rc
read_some(struct xa_fcgi_call *call, bool *out_closed, struct xa_err *err)
{
    char bytes[4096];
    ssize_t got;

    *out_closed = false;
    while (call->is_connected) {
        got = recv(call->fd, bytes, sizeof bytes, 0);
        if (got < 0)
            return errno == EAGAIN || errno == EINTR ? XA_OK
                                                     : fail_errno(call, err);
        if (got == 0) {
            *out_closed = true;
            return XA_OK;
        }
        xa_buf_put(&call->answer, bytes, (size_t)got);
        if (xa_buf_check(&call->answer, NULL) != XA_OK)
            return xa_fail(err, call->answer.broken,
                           "%s: the answer is too large",
                           call->address.sun_path);
    }
    return XA_OK;
}

/* --- the answer ---------------------------------------------------------- */

static int
status_of(const char *head)
{
    static const char name[] = "Status:";
    const char *line = head;

    while (line && *line && *line != '\r' && *line != '\n') {
        if (strncasecmp(line, name, sizeof name - 1) == 0)
            return atoi(line + sizeof name - 1);
        line = strchr(line, '\n');
        if (line)
            line++;
    }
    return 200;
}

/* Walk the records; *out_done once the last of the answer is there. */
static enum xa_rc
parse(const struct xa_fcgi_call *call, bool *out_done, int *out_status,
      struct xa_err *err)
{
    const unsigned char *at = (const unsigned char *)call->answer.data;
    size_t left = call->answer.len;
    char head[STATUS_LINE_MAX] = "";
    size_t head_len = 0;

    *out_done = false;
    while (left >= HEAD_LEN) {
        size_t len = (size_t)at[4] << 8 | at[5];
        size_t whole = HEAD_LEN + len + at[6];

        if (at[0] != PROTOCOL)
            return xa_fail(err, XA_E_INVALID, "%s: the answer is no FastCGI",
                           call->address.sun_path);
        if (left < whole)
            return XA_OK;
        if (at[1] == STDOUT && head_len < sizeof head - 1) {
            size_t room = sizeof head - 1 - head_len;

            if (room > len)
                room = len;
            memcpy(head + head_len, at + HEAD_LEN, room);
            head_len += room;
            head[head_len] = '\0';
        }
        if (at[1] == END_REQUEST) {
            if (len < END_LEN || at[HEAD_LEN + 4] != 0 || head_len == 0)
                return xa_fail(err, XA_E_INVALID,
                               "%s: the pool refuses the request",
                               call->address.sun_path);
            *out_status = status_of(head);
            *out_done = true;
            return XA_OK;
        }
        at += whole;
        left -= whole;
    }
    return XA_OK;
}

enum xa_rc
xa_fcgi_look(struct xa_fcgi_call *call, bool *out_done, int *out_status,
             struct xa_err *err)
{
    bool is_closed = false;
    enum xa_rc rc;

    *out_done = true;
    rc = try_connect(call, err);
    if (rc == XA_OK)
        rc = send_rest(call, err);
    if (rc == XA_OK)
        rc = read_some(call, &is_closed, err);
    if (rc == XA_OK)
        rc = parse(call, out_done, out_status, err);
    if (rc != XA_OK) {
        *out_done = true;
        return rc;
    }
    if (*out_done)
        return XA_OK;
    *out_done = true;
    if (is_closed)
        return xa_fail(err, XA_E_UNAVAILABLE, "%s: the answer breaks off",
                       call->address.sun_path);
    if (xa_clock_mono_ms() >= call->deadline_ms)
        return xa_fail(err, XA_E_TIMEOUT, "%s: no answer in time",
                       call->address.sun_path);
    *out_done = false;
    return XA_OK;
}
