/* io_conn.h - the loop's connections and how long each waits. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each connection stands in the list of its state, the one that came there
 * first in front.  All of one state have the same time to wait, so who is
 * due next is always in front: no heap, no timer each, a few pointers moved
 * per request.
 */
#ifndef XA_FCGI_IO_CONN_H
#define XA_FCGI_IO_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum xa_conn_state {
    XA_CONN_SILENT, /* accepted, never sent a byte */
    XA_CONN_IDLE,   /* between two requests */
    XA_CONN_HALF,   /* part of a request came */
    XA_CONN_LINGER, /* answered; the peer may still read and send */
    XA_CONN_STATES
};

struct xa_conn {
    struct xa_conn *prev;
    struct xa_conn *next;
    enum xa_conn_state state;
    int64_t since_ms;  /* when it came into this state */
    size_t need;       /* bytes before another look is worth while */
    int fd;            /* owned */
    bool peer_is_done; /* nothing more will come than what lies there */
};

struct xa_conns {
    struct {
        struct xa_conn *first;
        struct xa_conn *last;
    } list[XA_CONN_STATES];
    uint32_t count;
};

/* Take an accepted descriptor, silent since now.  NULL: no memory, and the
 * descriptor is closed. */
struct xa_conn *xa_conns_add(struct xa_conns *conns, int fd, int64_t now_ms);

/* Put it last in the list of a state, since now.  Half stays since its first
 * byte: moving there from there does nothing. */
void xa_conns_move(struct xa_conns *conns, struct xa_conn *conn,
                   enum xa_conn_state state, int64_t now_ms);

/* Close the descriptor and free the connection. */
void xa_conns_close(struct xa_conns *conns, struct xa_conn *conn);
void xa_conns_close_all(struct xa_conns *conns);

/* The one that has been longest in this state; NULL if there is none. */
struct xa_conn *xa_conns_first(const struct xa_conns *conns,
                               enum xa_conn_state state);

#endif
