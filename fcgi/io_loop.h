/* io_loop.h - the loop from inside. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_FCGI_IO_LOOP_H
#define XA_FCGI_IO_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "fcgi/io.h"
#include "fcgi/io_conn.h"

/* Bytes that are looked at: one more than a request may have, or nobody would
 * see that something lies behind the longest. */
#define XA_IO_WINDOW(io) ((size_t)(io)->limits.max_request + 1)

struct xa_io {
    struct xa_io_handler handler;
    struct xa_io_limits limits;
    struct xa_conns conns;
    struct xa_call *call;  /* owned; the request in hand */
    uint8_t *window;       /* owned; XA_IO_WINDOW bytes, for peeking */
    sigset_t waiting;      /* the signal mask while the loop waits */
    int listen_fd;         /* borrowed */
    int epoll_fd;          /* owned */
    int64_t now_ms;        /* when the turn or the latest request began */
    bool is_listening;     /* listen_fd stands in the epoll set */
    bool is_draining;      /* a stop signal came ... */
    int64_t drain_ends_ms; /* ... and by then all is over */
    bool is_starved;       /* the kernel had no descriptor left ... */
    int64_t accepts_at_ms; /* ... so it is asked again then */
    int64_t flushes_at_ms; /* lines of the log are held back until then */
    bool is_full;          /* at max_connections; for the log */
};

/* --- what happens to a connection; false: it is gone --- */

/* Look at what lies in its socket and do what it asks for. */
bool xa_io_look(struct xa_io *io, struct xa_conn *conn);

/* Whether so much lies in its socket that a look may tell more.  If it came
 * since the latest look, an event for it is on its way. */
bool xa_io_has_news(const struct xa_conn *conn);

/*
 * Have the loop look again whenever something comes.  Edge-triggered: a
 * half-sent request must not wake it again and again.  No edge is lost:
 * whatever comes after the look that ended in "not yet", or behind a request
 * that was served, is a new one.
 */
bool xa_io_watch(struct xa_io *io, struct xa_conn *conn);

/* Take away what it still sends when it lingers, some of it in a turn. */
bool xa_io_drop_input(struct xa_io *io, struct xa_conn *conn);

#endif
