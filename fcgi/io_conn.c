/* io_conn.c - the loop's connections and how long each waits. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/io_conn.h"

#include <stdlib.h>
#include <unistd.h>

static void
append(struct xa_conns *conns, struct xa_conn *conn)
{
    struct xa_conn **first = &conns->list[conn->state].first;
    struct xa_conn **last = &conns->list[conn->state].last;

    conn->next = NULL;
    conn->prev = *last;
    if (*last)
        (*last)->next = conn;
    else
        *first = conn;
    *last = conn;
}

static void
take_out(struct xa_conns *conns, struct xa_conn *conn)
{
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        conns->list[conn->state].first = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    else
        conns->list[conn->state].last = conn->prev;
}

struct xa_conn *
xa_conns_add(struct xa_conns *conns, int fd, int64_t now_ms)
{
    struct xa_conn *conn = calloc(1, sizeof *conn);

    if (!conn) {
        close(fd);
        return NULL;
    }
    conn->fd = fd;
    conn->state = XA_CONN_SILENT;
    conn->since_ms = now_ms;
    append(conns, conn);
    conns->count++;
    return conn;
}

void
xa_conns_move(struct xa_conns *conns, struct xa_conn *conn,
              enum xa_conn_state state, int64_t now_ms)
{
    if (state == XA_CONN_HALF && conn->state == XA_CONN_HALF)
        return;
    take_out(conns, conn);
    conn->state = state;
    conn->since_ms = now_ms;
    append(conns, conn);
}

void
xa_conns_close(struct xa_conns *conns, struct xa_conn *conn)
{
    take_out(conns, conn);
    conns->count--;
    if (conn->fd >= 0)
        close(conn->fd);
    free(conn);
}

void
xa_conns_close_all(struct xa_conns *conns)
{
    for (int state = 0; state < XA_CONN_STATES; state++) {
        /* analyzer: nothing stands before the first, so the list moves on */
        while (conns->list[state].first)
            xa_conns_close(conns, conns->list[state].first);
    }
}

struct xa_conn *
xa_conns_first(const struct xa_conns *conns, enum xa_conn_state state)
{
    return conns->list[state].first;
}
