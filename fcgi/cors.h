/* cors.h - which pages of other origins may read an answer. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * CORS as the Fetch standard has it (section 3.2), by rest_api.cors.  Header
 * lines are put together once, from the checked configuration alone: nothing
 * that a client sent ever stands in one.  What a client sent is compared.
 *
 * An answer says `Vary: Origin` whoever asks, so that no cache hands the
 * answer for one origin to another.  Where every origin may, the answer says
 * so to everybody, as flask-cors did.
 */
#ifndef XA_FCGI_CORS_H
#define XA_FCGI_CORS_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/support/config.h"

struct xa_cors; /* opaque */

/*
 * Put the header lines together.
 *
 *   config  borrowed for the life of the object
 *   out     set on XA_OK only, to NULL if CORS is not enabled; release with
 *           xa_cors_free()
 *
 * XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_cors_new(const struct xa_config *config, struct xa_cors **out,
                       struct xa_err *err);

void xa_cors_free(struct xa_cors **cors);

/*
 * Append the header lines for one answer.
 *
 *   cors        NULL: CORS is not enabled, nothing is appended
 *   params      "NAME=value", ended by NULL: the request, of which
 *               HTTP_ORIGIN and HTTP_ACCESS_CONTROL_REQUEST_METHOD matter;
 *               one that stands twice counts as missing
 *   is_options  it is an answer to OPTIONS, perhaps a preflight
 *   headers     in: the headers of the answer
 */
void xa_cors_put(const struct xa_cors *cors, const char *const *params,
                 bool is_options, struct xa_buf *headers);

#endif
