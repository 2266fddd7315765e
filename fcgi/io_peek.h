/* io_peek.h - is a whole request there? SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The walk over FastCGI records in bytes that were peeked, not read.  What
 * passes here libfcgi can read without waiting and without tripping: it is
 * stricter than the protocol wherever libfcgi is weak (padding behind an
 * empty record, management records, pairs that reach beyond their stream).
 * A pure function of its input: no memory, no clock, no socket.
 */
#ifndef XA_FCGI_IO_PEEK_H
#define XA_FCGI_IO_PEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum xa_peek_found {
    XA_PEEK_MORE,       /* a sound beginning; len: look again from there on */
    XA_PEEK_WHOLE,      /* one request in full; len: its bytes */
    XA_PEEK_MANAGEMENT, /* a record with id 0 in front; len: its bytes */
    XA_PEEK_ABORTED,    /* FCGI_ABORT_REQUEST came; len: bytes up to there */
    XA_PEEK_ROLE,       /* a role that is not served */
    XA_PEEK_TOO_LARGE,  /* the request will not fit into max */
    XA_PEEK_BAD         /* nonsense; why: what is wrong, for the log */
};

struct xa_peek {
    size_t len;
    uint16_t id;     /* of the request; from here on once BEGIN was seen */
    bool authorizer; /* the role: AUTHORIZER, else RESPONDER */
    bool keep;       /* FCGI_KEEP_CONN */
    const char *why; /* static text; NULL unless BAD */
};

/*
 * Look at what lies in a socket between two requests.
 *
 *   bytes  len of them, borrowed
 *   max    the most that one request may take, records and all
 *   out    always filled; what has no meaning is 0
 */
enum xa_peek_found xa_peek(const uint8_t *bytes, size_t len, size_t max,
                           struct xa_peek *out);

#endif
