/* io.h - the responder's loop over libfcgi. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The only place that knows libfcgi.  One process waits with epoll on its
 * listening socket and on every kept connection, and serves one request at a
 * time.  libfcgi has no read deadline, so it is asked to read only when the
 * whole request lies in the socket (FastCGI 1.0 section 3.3: records to the
 * empty STDIN; to the empty PARAMS in the AUTHORIZER role).
 */
#ifndef XA_FCGI_IO_H
#define XA_FCGI_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

struct xa_io;   /* opaque: the loop */
struct xa_call; /* opaque: the request in hand */

/* Bytes of the longest request.  It is peeked, so it must fit into the socket,
 * which holds some 180 KiB as Linux comes (net.core.wmem_default). */
#define XA_IO_REQUEST_MAX (160u * 1024)

struct xa_io_limits {
    uint32_t max_connections;  /* cut to RLIMIT_NOFILE - 64 */
    uint32_t read_timeout_ms;  /* for the rest of a half-sent request */
    uint32_t drain_timeout_ms; /* bounds the request in hand at the end */
    uint32_t max_request;      /* bytes of one request, records and all; cut
                                  to XA_IO_REQUEST_MAX */
};

/* What the loop asks of its owner. */
struct xa_io_handler {
    void *ctx;
    /* Answer one request, by xa_call_write(); everything lent. */
    void (*serve)(void *ctx, struct xa_call *call);
    /* A request larger than max_request: answer it with 413; parameters
     * cannot be asked for.  The connection is closed afterwards. */
    void (*too_large)(void *ctx, struct xa_call *call);
    /* SIGHUP came.  May be NULL. */
    void (*hangup)(void *ctx);
};

/*
 *   listen_fd  a listening socket; made non-blocking; stays the caller's
 *   handler    copied; its ctx lent until xa_io_free()
 *
 * XA_E_INVALID: listen_fd is no listening socket.  XA_E_UNAVAILABLE: the
 * kernel refuses (epoll, descriptors).  XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_io_new(int listen_fd, const struct xa_io_limits *limits,
                     const struct xa_io_handler *handler, struct xa_io **out,
                     struct xa_err *err);
void xa_io_free(struct xa_io **io);

/*
 * Install handlers for SIGTERM, SIGINT, SIGUSR1 (drain), SIGHUP and SIGPIPE,
 * serve until one of the first three came and the drain is over.  Signals
 * are blocked except while the loop waits, so no call is interrupted that
 * lasts less than drain_timeout.  A request that has been in hand for longer
 * when such a signal is there takes the process with it, exit code 70.
 *
 * XA_E_UNAVAILABLE: the loop cannot go on.
 */
XA_MUST_CHECK
enum xa_rc xa_io_run(struct xa_io *io, struct xa_err *err);

/* --- the request in hand --- */

/* The only roles that are served. */
enum xa_role { XA_ROLE_RESPONDER, XA_ROLE_AUTHORIZER };

enum xa_role xa_call_role(const struct xa_call *call);

/* Value of a FastCGI parameter, the first if it stands twice; NULL if there
 * is none.  Lent until serve() returns. */
const char *xa_call_param(const struct xa_call *call, const char *name);

/* All parameters as "NAME=value", ended by NULL. */
const char *const *xa_call_params(const struct xa_call *call);

/*
 * Read from the body.  Returns the bytes read; fewer than len means that the
 * body is at its end.  What is left unread is read and dropped before the
 * answer goes out, so nothing is read after a write.
 */
size_t xa_call_read(struct xa_call *call, void *out, size_t len);

/*
 * Write a piece of the CGI answer (headers first: "Status: 200 OK\r\n...").
 * A client that is gone is no error: the rest is dropped.
 */
void xa_call_write(struct xa_call *call, const void *bytes, size_t len);

/* Close the connection after this answer (AUTHORIZER role). */
void xa_call_close_after(struct xa_call *call);

#endif
