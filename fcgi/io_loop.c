/* io_loop.c - the loop: wait, accept, keep time, drain. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/io_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "fcgi/io_call.h"
#include "fcgi/io_record.h"
#include "fcgi/io_signal.h"

#define EVENTS_A_TURN 64
#define SPARE_FILES 64         /* for the log, the store, the backends */
#define SOCKET_TIMEOUT_MS 2000 /* for a peer that does not read its answer */
#define LINGER_MS 2000         /* for a peer that goes on sending */
#define IDLE_DRAIN_MS 200      /* for a connection at rest, at the end */
#define LINES_HELD_MS 20    /* a write of each line costs more than a check */
#define ACCEPT_PAUSE_MS 100 /* when the kernel has no descriptor left */

/* --- a life --- */

static uint32_t
files_allowed(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        limit.rlim_cur == RLIM_INFINITY)
        return UINT32_MAX;
    if (limit.rlim_cur <= SPARE_FILES)
        return 1;
    if (limit.rlim_cur - SPARE_FILES > UINT32_MAX)
        return UINT32_MAX;
    return (uint32_t)(limit.rlim_cur - SPARE_FILES);
}

static void
cut(uint32_t *limit, uint32_t most, const char *event)
{
    if (*limit <= most)
        return;
    xa_log(XA_WARNING, event, "wanted=%u got=%u", *limit, most);
    *limit = most;
}

static void
cut_limits(struct xa_io_limits *limits)
{
    cut(&limits->max_connections, files_allowed(), "connections.cut");
    cut(&limits->max_request, XA_IO_REQUEST_MAX, "requests.cut");
    if (limits->max_connections == 0)
        limits->max_connections = 1;
    /* so that a request which is too large has told its id */
    if (limits->max_request < 4 * XA_RECORD_HEADER)
        limits->max_request = 4 * XA_RECORD_HEADER;
}

static enum xa_rc
open_io(struct xa_io *io, struct xa_err *err)
{
    int is_listening = 0;
    socklen_t len = sizeof is_listening;
    int flags;

    if (getsockopt(io->listen_fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening,
                   &len) != 0 ||
        !is_listening)
        return xa_fail(err, XA_E_INVALID,
                       "file descriptor %d is no listening socket",
                       io->listen_fd);
    flags = fcntl(io->listen_fd, F_GETFL);
    if (flags < 0 || fcntl(io->listen_fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return xa_fail(err, XA_E_UNAVAILABLE, "fcntl: %s", strerror(errno));
    io->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (io->epoll_fd < 0)
        return xa_fail(err, XA_E_UNAVAILABLE, "epoll_create1: %s",
                       strerror(errno));
    io->window = malloc(XA_IO_WINDOW(io));
    return io->window ? XA_OK : xa_fail_nomem(err);
}

enum xa_rc
xa_io_new(int listen_fd, const struct xa_io_limits *limits,
          const struct xa_io_handler *handler, struct xa_io **out,
          struct xa_err *err)
{
    XA_AUTO(xa_io_free) struct xa_io *io = calloc(1, sizeof *io);
    enum xa_rc rc;

    if (!io)
        return xa_fail_nomem(err);
    io->listen_fd = listen_fd;
    io->epoll_fd = -1;
    io->handler = *handler;
    io->limits = *limits;
    cut_limits(&io->limits);
    rc = open_io(io, err);
    if (rc != XA_OK)
        return rc;
    *out = XA_TAKE(io);
    return XA_OK;
}

void
xa_io_free(struct xa_io **io)
{
    struct xa_io *old = XA_TAKE(*io);

    if (!old)
        return;
    xa_conns_close_all(&old->conns);
    xa_fd_close(&old->epoll_fd);
    xa_call_free(&old->call);
    free(old->window);
    free(old);
}

/* --- accepting --- */

/* Blocking, because libfcgi writes to it; but never for long. */
static void
set_socket_options(int fd)
{
    const struct timeval limit = {.tv_sec = SOCKET_TIMEOUT_MS / 1000,
                                  .tv_usec = SOCKET_TIMEOUT_MS % 1000 * 1000};
    const int on = 1;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    /* fails on a unix socket, which needs no such thing */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* The one that has been silent for longest, and still is. */
static struct xa_conn *
longest_silent(const struct xa_io *io)
{
    struct xa_conn *conn = xa_conns_first(&io->conns, XA_CONN_SILENT);

    while (conn && xa_io_has_news(conn))
        conn = conn->next;
    return conn;
}

/* At the limit the connection that has been silent for longest makes room. */
static void
make_room(struct xa_io *io)
{
    struct xa_conn *silent;

    if (io->conns.count < io->limits.max_connections)
        return;
    silent = longest_silent(io);
    if (silent)
        xa_conns_close(&io->conns, silent);
}

static enum xa_rc
on_accept_failed(struct xa_io *io, struct xa_err *err)
{
    switch (errno) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        if (!io->is_starved)
            xa_log(XA_ERROR, "accept.failed", "why=\"%s\"", strerror(errno));
        io->is_starved = true;
        io->accepts_at_ms = io->now_ms + ACCEPT_PAUSE_MS;
        return XA_OK;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
        return xa_fail(err, XA_E_UNAVAILABLE, "accept: %s", strerror(errno));
    default:
        return XA_OK; /* it went away, or another process took it */
    }
}

/*
 * One, and its request at once if it is there: while a process is busy with
 * it, whoever comes next is free to go to another process.
 */
static enum xa_rc
accept_one(struct xa_io *io, bool *out_taken, struct xa_err *err)
{
    struct xa_conn *conn;
    int fd = accept4(io->listen_fd, NULL, NULL, SOCK_CLOEXEC);

    *out_taken = fd >= 0;
    if (fd < 0)
        return on_accept_failed(io, err);
    if (io->is_starved) {
        io->is_starved = false;
        xa_log(XA_INFO, "accept.resumed", "connections=%u", io->conns.count);
    }
    make_room(io);
    set_socket_options(fd);
    conn = xa_conns_add(&io->conns, fd, io->now_ms);
    if (conn && xa_io_look(io, conn))
        xa_io_watch(io, conn);
    return XA_OK;
}

/*
 * The kernel wakes one sleeping process for a new connection.  If that one
 * leaves, the others sleep on; so when it is to end it takes all that may have
 * woken it.  A queue without end is that of a busy pool, which looks by itself.
 */
static enum xa_rc
accept_new(struct xa_io *io, struct xa_err *err)
{
    int64_t end_ms = io->now_ms + (io->is_draining ? IDLE_DRAIN_MS : 0);
    bool taken;
    enum xa_rc rc;

    do
        rc = accept_one(io, &taken, err);
    while (rc == XA_OK && taken && io->now_ms < end_ms &&
           io->conns.count < io->limits.max_connections);
    return rc;
}

/* Whether a new connection could be taken now. */
static bool
has_room(struct xa_io *io)
{
    bool full = io->conns.count >= io->limits.max_connections;

    if (full != io->is_full) {
        io->is_full = full;
        xa_log(XA_WARNING, full ? "connections.full" : "connections.free",
               "limit=%u", io->limits.max_connections);
    }
    return !full || longest_silent(io);
}

/* Listen or not, as the turn left things. */
static enum xa_rc
update_listening(struct xa_io *io, struct xa_err *err)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLEXCLUSIVE};
    bool wanted = has_room(io) && !io->is_draining &&
                  (!io->is_starved || io->now_ms >= io->accepts_at_ms);

    if (wanted == io->is_listening)
        return XA_OK;
    if (epoll_ctl(io->epoll_fd, wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
                  io->listen_fd, &ev) != 0)
        return xa_fail(err, XA_E_UNAVAILABLE, "epoll_ctl: %s", strerror(errno));
    io->is_listening = wanted;
    return XA_OK;
}

/* --- keeping time --- */

/* How long a connection may stay in a state; -1: for ever. */
static int64_t
patience_ms(const struct xa_io *io, enum xa_conn_state state)
{
    switch (state) {
    case XA_CONN_HALF:
        return io->limits.read_timeout_ms;
    case XA_CONN_LINGER:
        return LINGER_MS;
    case XA_CONN_SILENT:
    case XA_CONN_IDLE:
    case XA_CONN_STATES:
        break;
    }
    return io->is_draining ? IDLE_DRAIN_MS : -1;
}

static bool
is_due(const struct xa_io *io, const struct xa_conn *conn)
{
    int64_t patience = patience_ms(io, conn->state);

    return patience >= 0 && io->now_ms >= conn->since_ms + patience;
}

static void
close_due(struct xa_io *io, struct xa_conn *conn)
{
    if (conn->state == XA_CONN_HALF)
        xa_log(XA_WARNING, "request.timeout", "after_ms=%lld",
               (long long)(io->now_ms - conn->since_ms));
    xa_conns_close(&io->conns, conn);
}

/*
 * Close what has waited for too long.  What came while a request was in hand
 * is looked at first, in its turn: its event is on the way.
 */
static void
expire(struct xa_io *io)
{
    struct xa_conn *conn;
    struct xa_conn *next;

    for (int state = 0; state < XA_CONN_STATES; state++) {
        conn = xa_conns_first(&io->conns, (enum xa_conn_state)state);
        for (; conn && is_due(io, conn); conn = next) {
            next = conn->next;
            if (state == XA_CONN_LINGER || !xa_io_has_news(conn))
                close_due(io, conn);
        }
    }
}

/* Milliseconds until something is due; -1: nothing is. */
static int
next_due_ms(const struct xa_io *io)
{
    int64_t due = INT64_MAX;

    for (int state = 0; state < XA_CONN_STATES; state++) {
        int64_t patience = patience_ms(io, (enum xa_conn_state)state);
        const struct xa_conn *conn =
            xa_conns_first(&io->conns, (enum xa_conn_state)state);

        if (conn && patience >= 0 && conn->since_ms + patience < due)
            due = conn->since_ms + patience;
    }
    /* if that time has come, it listens again, or must not */
    if (io->is_starved && io->accepts_at_ms > io->now_ms &&
        io->accepts_at_ms < due)
        due = io->accepts_at_ms;
    if (io->is_draining && io->drain_ends_ms < due)
        due = io->drain_ends_ms;
    if (xa_log_is_holding() && io->flushes_at_ms < due)
        due = io->flushes_at_ms;
    if (due == INT64_MAX)
        return -1;
    return due <= io->now_ms ? 0 : (int)(due - io->now_ms);
}

/* --- turns --- */

/* Write the lines that were held back: the first at once, then all that came
 * within LINES_HELD_MS together. */
static void
flush_log(struct xa_io *io)
{
    if (!xa_log_is_holding() || io->now_ms < io->flushes_at_ms)
        return;
    xa_log_flush();
    io->flushes_at_ms = io->now_ms + LINES_HELD_MS;
}

static void
take_signals(struct xa_io *io)
{
    xa_signal_let_in(io->now_ms);
    if (xa_signal_take_hangup() && io->handler.hangup)
        io->handler.hangup(io->handler.ctx);
    if (!xa_signal_is_stop() || io->is_draining)
        return;
    io->is_draining = true;
    io->drain_ends_ms = io->now_ms + io->limits.drain_timeout_ms;
    xa_log(XA_INFO, "drain.begin", "connections=%u", io->conns.count);
}

static void
on_ready(struct xa_io *io, struct xa_conn *conn, uint32_t events)
{
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        conn->peer_is_done = true;
    if (conn->state == XA_CONN_LINGER)
        xa_io_drop_input(io, conn);
    else if (xa_io_look(io, conn) && conn->state == XA_CONN_HALF &&
             is_due(io, conn))
        close_due(io, conn); /* or what drips in might put that off for ever */
}

/*
 * Every ready connection gets one request served, then one new connection is
 * taken.  Nothing closes a connection other than its own before all events
 * of the turn are done, for they point to connections.
 */
static enum xa_rc
turn(struct xa_io *io, struct xa_err *err)
{
    struct epoll_event events[EVENTS_A_TURN];
    bool has_new = false;
    enum xa_rc rc = XA_OK;
    int n;

    flush_log(io);
    n = epoll_pwait(io->epoll_fd, events, EVENTS_A_TURN, next_due_ms(io),
                    &io->waiting);
    if (n < 0 && errno != EINTR)
        return xa_fail(err, XA_E_UNAVAILABLE, "epoll_pwait: %s",
                       strerror(errno));
    io->now_ms = xa_clock_mono_ms();
    take_signals(io);
    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr)
            on_ready(io, events[i].data.ptr, events[i].events);
        else
            has_new = true;
    }
    expire(io);
    /* a signal may have come before the event that it was woken for */
    if (has_new || (io->is_draining && io->is_listening))
        rc = accept_new(io, err);
    return rc == XA_OK ? update_listening(io, err) : rc;
}

static bool
is_over(const struct xa_io *io)
{
    return io->is_draining &&
           (io->conns.count == 0 || io->now_ms >= io->drain_ends_ms);
}

enum xa_rc
xa_io_run(struct xa_io *io, struct xa_err *err)
{
    enum xa_rc rc = xa_signal_begin(&io->waiting, err);

    if (rc == XA_OK && !io->call)
        rc = xa_call_new(&io->call, err);
    io->now_ms = xa_clock_mono_ms();
    if (rc == XA_OK)
        rc = update_listening(io, err);
    while (rc == XA_OK && !is_over(io))
        rc = turn(io, err);
    xa_signal_end();
    if (io->is_draining)
        xa_log(XA_INFO, "drain.end", "closed=%u", io->conns.count);
    xa_conns_close_all(&io->conns);
    return rc;
}
