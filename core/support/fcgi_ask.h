/* fcgi_ask.h - one GET to a FastCGI pool, without waiting. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Just enough of FastCGI 1.0 to ask a pool how it is: one request, one
 * connection, of the answer the status alone.
 */
#ifndef XA_SUPPORT_FCGI_ASK_H
#define XA_SUPPORT_FCGI_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

#define XA_FCGI_ANSWER_MAX 16384 /* bytes of records that are accepted */
#define XA_FCGI_PATH_MAX 64      /* bytes of what is asked for */

struct xa_fcgi_call; /* opaque */

/*
 * Begin to ask.
 *
 *   socket       path of a unix socket
 *   path         "/0.1/status"
 *   deadline_ms  xa_clock_mono_ms() by which the answer must be there
 *   out          set on XA_OK only; release with xa_fcgi_free()
 *
 * XA_E_UNAVAILABLE: no socket, nobody listens, no right to it.
 * XA_E_INVALID: a path that is too long.  XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_fcgi_start(const char *socket, const char *path,
                         int64_t deadline_ms, struct xa_fcgi_call **out,
                         struct xa_err *err);

/*
 * Go on, never waiting.
 *
 *   out_done    true: it has ended; the result is what is returned
 *   out_status  of the answer, set on XA_OK with *out_done
 *
 * XA_E_TIMEOUT.  XA_E_UNAVAILABLE: the connection broke.  XA_E_INVALID: that
 * is no FastCGI, or too large.
 */
XA_MUST_CHECK
enum xa_rc xa_fcgi_look(struct xa_fcgi_call *call, bool *out_done,
                        int *out_status, struct xa_err *err);

/* End it wherever it stands. */
void xa_fcgi_free(struct xa_fcgi_call **call);

#endif
