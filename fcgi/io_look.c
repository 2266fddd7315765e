/* io_look.c - what a ready connection asks for. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/secret.h"
#include "fcgi/io_call.h"
#include "fcgi/io_loop.h"
#include "fcgi/io_peek.h"
#include "fcgi/io_record.h"
#include "fcgi/io_signal.h"

#define UNREAD_ANSWER_MAX 65536 /* to a request that libfcgi never read */
#define READS_A_TURN 16         /* from one lingering connection */
#define MANAGED_IN_A_ROW 8      /* then their sender is a nuisance */

static bool
close_conn(struct xa_io *io, struct xa_conn *conn)
{
    xa_conns_close(&io->conns, conn);
    return false;
}

/* What a connection wakes the loop for; from now on, if there is something. */
static struct epoll_event
interest(struct xa_conn *conn)
{
    return (struct epoll_event){
        .events = EPOLLIN | EPOLLRDHUP | EPOLLET,
        .data.ptr = conn,
    };
}

bool
xa_io_watch(struct xa_io *io, struct xa_conn *conn)
{
    struct epoll_event ev = interest(conn);

    if (epoll_ctl(io->epoll_fd, EPOLL_CTL_ADD, conn->fd, &ev) == 0)
        return true;
    xa_log(XA_ERROR, "connection.unwatched", "why=\"%s\"", strerror(errno));
    return close_conn(io, conn);
}

/* recv() that no signal interrupts: what is there is taken without waiting,
 * but a debugger or a frozen group may interrupt anything. */
static ssize_t
receive(const struct xa_conn *conn, void *out, size_t len, int flags)
{
    ssize_t n;

    do
        n = recv(conn->fd, out, len, flags | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n;
}

bool
xa_io_drop_input(struct xa_io *io, struct xa_conn *conn)
{
    struct epoll_event ev = interest(conn);

    for (int i = 0; i < READS_A_TURN; i++) {
        ssize_t n = receive(conn, io->window, XA_IO_WINDOW(io), 0);

        if (n < 0 && errno == EAGAIN)
            return true;
        if (n <= 0) /* it has closed its side, which is what we wait for */
            return close_conn(io, conn);
        xa_wipe(io->window, (size_t)n);
    }
    /* let others have their turn; it fails if the connection is so new that
     * it is not yet watched, and will be */
    (void)epoll_ctl(io->epoll_fd, EPOLL_CTL_MOD, conn->fd, &ev);
    return true;
}

/* Close, but let the peer read its answer: closing with bytes of its own
 * unread would take the answer away. */
static bool
linger(struct xa_io *io, struct xa_conn *conn)
{
    if (shutdown(conn->fd, SHUT_WR) != 0)
        return close_conn(io, conn);
    xa_conns_move(&io->conns, conn, XA_CONN_LINGER, io->now_ms);
    return xa_io_drop_input(io, conn);
}

/* Send records of our own.  A peer that does not read them goes without. */
static bool
send_records(const struct xa_conn *conn, const struct xa_buf *out)
{
    return xa_buf_check(out, NULL) == XA_OK &&
           send(conn->fd, out->data, out->len, MSG_NOSIGNAL | MSG_DONTWAIT) ==
               (ssize_t)out->len;
}

static enum xa_role
role_of(const struct xa_peek *peek)
{
    return peek->authorizer ? XA_ROLE_AUTHORIZER : XA_ROLE_RESPONDER;
}

static bool
refuse_too_large(struct xa_io *io, struct xa_conn *conn,
                 const struct xa_peek *peek)
{
    XA_AUTO(xa_buf_free) struct xa_buf answer = XA_BUF(UNREAD_ANSWER_MAX);
    XA_AUTO(xa_buf_free) struct xa_buf out = XA_BUF(2 * UNREAD_ANSWER_MAX);

    xa_call_refuse(role_of(peek), &io->handler, &answer);
    if (xa_buf_check(&answer, NULL) == XA_OK)
        xa_record_put_stdout(&out, peek->id, answer.data, answer.len);
    xa_record_put_end(&out, peek->id, XA_END_COMPLETE);
    send_records(conn, &out);
    return linger(io, conn);
}

/* End a request that is not served, by its END_REQUEST record alone. */
static bool
end_unserved(struct xa_io *io, struct xa_conn *conn, uint16_t id,
             enum xa_record_end status)
{
    XA_AUTO(xa_buf_free) struct xa_buf out = XA_BUF(UNREAD_ANSWER_MAX);

    xa_record_put_end(&out, id, status);
    send_records(conn, &out);
    return linger(io, conn);
}

/* Answer the management record of len bytes in front, and take it away. */
static bool
answer_management(struct xa_io *io, struct xa_conn *conn, size_t len)
{
    XA_AUTO(xa_buf_free) struct xa_buf out = XA_BUF(UNREAD_ANSWER_MAX);

    xa_record_put_managed(&out, io->window, len, io->limits.max_connections);
    if (receive(conn, io->window, len, 0) != (ssize_t)len)
        return false;
    xa_conns_move(&io->conns, conn, XA_CONN_IDLE, io->now_ms);
    conn->need = 0;
    return send_records(conn, &out);
}

/* How long a request may be in hand once a stop signal came. */
static uint32_t
time_in_hand(const struct xa_io *io)
{
    if (!io->is_draining)
        return io->limits.drain_timeout_ms;
    if (io->drain_ends_ms <= io->now_ms)
        return 0;
    return (uint32_t)(io->drain_ends_ms - io->now_ms);
}

/*
 * Serve the request that lies in the socket in full.  libfcgi reads it from
 * there, and reads on: what the peer sent behind it without waiting for the
 * answer is lost, so then the connection ends with this answer.
 */
static bool
serve(struct xa_io *io, struct xa_conn *conn, const struct xa_peek *peek,
      bool has_surplus)
{
    enum xa_call_end end;
    bool must_close = false;

    xa_signal_enter(io->now_ms, time_in_hand(io));
    end = xa_call_serve(io->call, conn->fd, role_of(peek), &io->handler,
                        &must_close);
    xa_signal_leave();
    io->now_ms = xa_clock_mono_ms();

    if (end == XA_CALL_CLOSED) {
        xa_log(XA_WARNING, "request.unreadable", "fd=%d", conn->fd);
        conn->fd = -1;
    }
    if (end != XA_CALL_ANSWERED)
        return close_conn(io, conn);
    /* an authorizer's peer may send an empty STDIN that nobody waits for */
    if (has_surplus || peek->authorizer)
        return linger(io, conn);
    if (!peek->keep || must_close || conn->peer_is_done || io->is_draining)
        return close_conn(io, conn);
    conn->need = 0;
    xa_conns_move(&io->conns, conn, XA_CONN_IDLE, io->now_ms);
    return true;
}

static bool
act(struct xa_io *io, struct xa_conn *conn, enum xa_peek_found found,
    const struct xa_peek *peek, bool has_surplus)
{
    switch (found) {
    case XA_PEEK_WHOLE:
        return serve(io, conn, peek, has_surplus);
    case XA_PEEK_MORE:
        if (conn->peer_is_done)
            return close_conn(io, conn);
        conn->need = peek->len;
        xa_conns_move(&io->conns, conn, XA_CONN_HALF, io->now_ms);
        return true;
    case XA_PEEK_TOO_LARGE:
        return refuse_too_large(io, conn, peek);
    case XA_PEEK_ROLE:
        return end_unserved(io, conn, peek->id, XA_END_UNKNOWN_ROLE);
    case XA_PEEK_ABORTED:
        return end_unserved(io, conn, peek->id, XA_END_COMPLETE);
    case XA_PEEK_MANAGEMENT: /* more of them than is decent */
    case XA_PEEK_BAD:
        break;
    }
    xa_log(XA_WARNING, "request.malformed", "why=\"%s\"",
           peek->why ? peek->why : "too many management records");
    return close_conn(io, conn);
}

bool
xa_io_has_news(const struct xa_conn *conn)
{
    int waiting = 0;

    return ioctl(conn->fd, FIONREAD, &waiting) == 0 && waiting > 0 &&
           (size_t)waiting >= conn->need;
}

bool
xa_io_look(struct xa_io *io, struct xa_conn *conn)
{
    enum xa_peek_found found;
    struct xa_peek peek;
    bool was_answered;
    ssize_t n;

    /* a look at a half-sent request must not cost as often as a byte comes */
    if (conn->need > 0 && !xa_io_has_news(conn))
        return conn->peer_is_done ? close_conn(io, conn) : true;
    for (int managed = 0;; managed++) {
        n = receive(conn, io->window, XA_IO_WINDOW(io), MSG_PEEK);
        if (n < 0 && errno == EAGAIN && !conn->peer_is_done)
            return true;
        if (n <= 0)
            return close_conn(io, conn);
        found = xa_peek(io->window, (size_t)n, io->limits.max_request, &peek);
        if (found != XA_PEEK_MANAGEMENT || managed == MANAGED_IN_A_ROW)
            break;
        was_answered = answer_management(io, conn, peek.len);
        xa_wipe(io->window, (size_t)n); /* the next look is a shorter one */
        if (!was_answered)
            return close_conn(io, conn);
    }
    xa_wipe(io->window, (size_t)n);
    return act(io, conn, found, &peek, (size_t)n > peek.len);
}
