/* io_call.h - what the loop asks of libfcgi. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One request is in hand at a time, so one struct xa_call serves them all.
 * The descriptor of the connection stays the loop's: libfcgi, which would
 * wait up to two seconds for the peer at each close, closes nothing.
 */
#ifndef XA_FCGI_IO_CALL_H
#define XA_FCGI_IO_CALL_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "fcgi/io.h"

/* Make ready for requests.  Signal handlers of our own must stand before,
 * or libfcgi puts its own in their place.  XA_E_NOMEM, XA_E_UNAVAILABLE. */
XA_MUST_CHECK
enum xa_rc xa_call_new(struct xa_call **out, struct xa_err *err);
void xa_call_free(struct xa_call **call);

enum xa_call_end {
    XA_CALL_ANSWERED, /* in full */
    XA_CALL_FAILED,   /* the peer has gone, or takes nothing more */
    XA_CALL_CLOSED    /* libfcgi could not read it and closed fd */
};

/*
 * Read the request that lies in fd in full, have the handler serve it, read
 * the rest of its body, send the answer, and wipe what libfcgi lets us reach.
 *
 *   out_close  set on ANSWERED: the handler wants the connection closed
 */
enum xa_call_end xa_call_serve(struct xa_call *call, int fd, enum xa_role role,
                               const struct xa_io_handler *handler,
                               bool *out_close);

/* Have the handler answer a request that is too large and was not read; the
 * answer goes to `out` as it is, without records. */
void xa_call_refuse(enum xa_role role, const struct xa_io_handler *handler,
                    struct xa_buf *out);

#endif
