/* session_peer.h - a web server's end of a connection. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * It keeps all that was sent and received, and knows what must have come back
 * whenever the loop has nothing left to do: what was sent is judged by the
 * walk over records (fcgi/io_peek.h, which has a fuzz entry of its own) and,
 * so that nothing hangs on that walk alone, by a plain count of requests that
 * are whole.
 */
#ifndef XA_TESTS_FUZZ_SESSION_PEER_H
#define XA_TESTS_FUZZ_SESSION_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"

struct peer {
    struct xa_buf sent;
    struct xa_buf came;
    size_t sent_at; /* what lies before it in `sent` was answered */
    size_t came_at; /* what lies before it in `came` was looked at */
    unsigned answers;
    int fd; /* -1: not connected */
    bool has_shut;
    bool has_ended; /* the loop ended it */
    bool is_half;   /* part of a request lies in the socket */
};

/* What holds for all connections of a session. */
struct peer_world {
    size_t max_request;
    bool closes_all; /* each answer is the last, as with --authorizer-only */
    bool may_fail;   /* the store fails */
    bool time_went;  /* enough to close what is half-sent */
};

#define PEER_NONE                                                              \
    {                                                                          \
        .fd = -1                                                               \
    }

/* Send bytes, on a new connection to the address if there is none. */
struct sockaddr_un;
void peer_send(struct peer *peer, const struct sockaddr_un *to, size_t to_len,
               const uint8_t *bytes, size_t len);
void peer_shut(struct peer *peer);
void peer_close(struct peer *peer);

/* The loop rests: read what came, and abort unless it is what must come. */
void peer_check(struct peer *peer, const struct peer_world *world);

/* The loop is over: nothing may have come since, but the end. */
void peer_check_end(struct peer *peer);

#endif
