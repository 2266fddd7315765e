/* io.c - the request in hand, over libfcgi. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/io.h"

#include <errno.h>
#include <limits.h>
#ifdef HAVE_MALLOPT
#include <malloc.h>
#endif
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <fcgiapp.h>

#include "core/base/clock.h"
#include "core/base/secret.h"
#include "fcgi/io_call.h"
#include "fcgi/io_record.h"

#define PART_MAX 16384    /* bytes of an answer in one record */
#define MORE_TIME_MS 2000 /* for an answer that takes more than one write */

struct xa_call {
    FCGX_Request request;
    struct xa_buf *unread; /* not NULL: the answer to a request unread */
    enum xa_role role;
    bool close_after;
    /* What goes out: not by libfcgi, which takes an interrupted write for the
     * end of the connection.  No memory is needed to say that there is none. */
    bool is_lost;
    int64_t end_ms; /* of all sending; 0: it may be over with one write */
    size_t len;     /* of content, behind the header */
    uint8_t record[XA_RECORD_HEADER + PART_MAX + XA_RECORD_CLOSING];
};

enum xa_role
xa_call_role(const struct xa_call *call)
{
    return call->role;
}

const char *const *
xa_call_params(const struct xa_call *call)
{
    static const char *const none[] = {NULL};

    return call->unread ? none : (const char *const *)call->request.envp;
}

const char *
xa_call_param(const struct xa_call *call, const char *name)
{
    const char *const *p = xa_call_params(call);
    size_t len = strlen(name);

    for (; *p; p++) {
        if (strncmp(*p, name, len) == 0 && (*p)[len] == '=')
            return *p + len + 1;
    }
    return NULL;
}

size_t
xa_call_read(struct xa_call *call, void *out, size_t len)
{
    /* an authorizer's request has no body, and libfcgi would wait for it */
    if (call->unread || call->role != XA_ROLE_RESPONDER)
        return 0;
    return (size_t)FCGX_GetStr(out, len < INT_MAX ? (int)len : INT_MAX,
                               call->request.in);
}

/*
 * The socket lets one write wait for a peer that reads nothing for a while, and
 * no longer.  The next write begins that while anew: of a large answer, and
 * after the watch on a request that has been in hand for long interrupted one.
 */
static bool
may_go_on(struct xa_call *call)
{
    int64_t now_ms = xa_clock_mono_ms();

    if (call->end_ms == 0)
        call->end_ms = now_ms + MORE_TIME_MS;
    return now_ms < call->end_ms;
}

static void
send_bytes(struct xa_call *call, size_t len, bool is_last)
{
    const uint8_t *p = call->record;
    ssize_t n;

    while (len > 0 && !call->is_lost) {
        n = send(call->request.ipcFd, p, len, MSG_NOSIGNAL);
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
        if (n == 0 || (n < 0 && errno != EINTR) ||
            ((len > 0 || !is_last) && !may_go_on(call)))
            call->is_lost = true;
    }
}

static void
drop_body(struct xa_call *call)
{
    char dropped[1024];

    while (xa_call_read(call, dropped, sizeof dropped) == sizeof dropped)
        ;
    xa_wipe(dropped, sizeof dropped);
}

/* Send the part of the answer that is there; behind the last one its end. */
static void
send_part(struct xa_call *call, bool is_last)
{
    size_t len = 0;

    drop_body(call); /* before any answer */
    if (call->len > 0) {
        xa_record_write_head(call->record, XA_RECORD_STDOUT,
                             (uint16_t)call->request.requestId, call->len);
        len = XA_RECORD_HEADER + call->len;
    }
    if (is_last)
        len += xa_record_write_closing(call->record + len,
                                       (uint16_t)call->request.requestId);
    send_bytes(call, len, is_last);
    xa_wipe(call->record, len); /* it may hold a token */
    call->len = 0;
}

void
xa_call_write(struct xa_call *call, const void *bytes, size_t len)
{
    const char *p = bytes;
    size_t n;

    if (call->unread) {
        xa_buf_put(call->unread, bytes, len);
        return;
    }
    for (; len > 0; p += n, len -= n) {
        if (call->len == PART_MAX)
            send_part(call, false);
        n = PART_MAX - call->len;
        if (n > len)
            n = len;
        memcpy(call->record + XA_RECORD_HEADER + call->len, p, n);
        call->len += n;
    }
}

void
xa_call_close_after(struct xa_call *call)
{
    call->close_after = true;
}

/* --- for the loop --- */

enum xa_rc
xa_call_new(struct xa_call **out, struct xa_err *err)
{
    struct xa_call *call;

    if (FCGX_Init() != 0)
        return xa_fail(err, XA_E_UNAVAILABLE, "libfcgi does not start");
    call = calloc(1, sizeof *call);
    if (!call)
        return xa_fail_nomem(err);
    /* no listening socket: when a read fails libfcgi would accept the next
     * connection by itself, and wait for it */
    FCGX_InitRequest(&call->request, -1, 0);
    *out = call;
    return XA_OK;
}

void
xa_call_free(struct xa_call **call)
{
    free(XA_TAKE(*call));
}

/* Passwords and tokens stand in the parameters, and libfcgi frees them as
 * they are. */
static void
wipe_params(char **envp)
{
    for (; *envp; envp++)
        xa_wipe(*envp, strlen(*envp));
}

/* Have the C library fill what is freed, if it can: glibc does from some 1 KiB
 * on.  Not all the time, for it would fill what is allocated, too. */
static void
fill_what_is_freed(bool yes)
{
#if defined HAVE_MALLOPT && defined M_PERTURB
    mallopt(M_PERTURB, yes ? 0xff : 0);
#else
    (void)yes;
#endif
}

static bool
has_password(char **envp)
{
    const char *value = FCGX_GetParam("HTTP_AUTHORIZATION", envp);

    return value && strncasecmp(value, "Basic", 5) == 0;
}

/*
 * What libfcgi read from the socket, a password with it, stands in a buffer of
 * 8 KiB that is private to it and that it frees as it is.  Filling it takes a
 * quarter of the time of a check, so it is done where there is a password; the
 * token of a check is overwritten by the next one.
 */
static void
free_request(FCGX_Request *request)
{
    bool is_secret = has_password(request->envp);

    wipe_params(request->envp);
    if (is_secret)
        fill_what_is_freed(true);
    FCGX_Free(request, 0);
    if (is_secret)
        fill_what_is_freed(false);
}

/* Send the rest of the answer, free the request. */
static enum xa_call_end
finish(struct xa_call *call)
{
    FCGX_Request *request = &call->request;
    bool failed;

    send_part(call, true);
    failed = call->is_lost || FCGX_GetError(request->in) != 0;
    free_request(request);
    return failed ? XA_CALL_FAILED : XA_CALL_ANSWERED;
}

enum xa_call_end
xa_call_serve(struct xa_call *call, int fd, enum xa_role role,
              const struct xa_io_handler *handler, bool *out_close)
{
    enum xa_call_end end;

    call->role = role;
    call->close_after = false;
    call->is_lost = false;
    call->end_ms = 0;
    call->len = 0;
    call->request.ipcFd = fd;
    call->request.keepConnection = 1; /* else libfcgi closes it first */
    if (FCGX_Accept_r(&call->request) != 0)
        return XA_CALL_CLOSED;
    handler->serve(handler->ctx, call);
    end = finish(call);
    if (end == XA_CALL_ANSWERED)
        *out_close = call->close_after;
    return end;
}

void
xa_call_refuse(enum xa_role role, const struct xa_io_handler *handler,
               struct xa_buf *out)
{
    struct xa_call call = {.unread = out, .role = role};

    handler->too_large(handler->ctx, &call);
}
