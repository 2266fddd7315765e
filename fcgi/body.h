/* body.h - the body of a request, within its limits. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_FCGI_BODY_H
#define XA_FCGI_BODY_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "fcgi/request.h"

/* Whether a Content-Type is JSON's, with or without parameters.  None at all,
 * NULL or "", will do. */
bool xa_body_is_json_type(const char *content_type);

/*
 * Read exactly CONTENT_LENGTH bytes; none and an empty one mean no body.
 *
 *   out  an empty buffer; its ceiling is the largest body that is taken
 *
 * XA_BAD_BODY_LENGTH: CONTENT_LENGTH is no number, or the body is shorter.
 * XA_TOO_LARGE: over the ceiling; nothing was read.
 * XA_INTERNAL: memory ran out.
 */
XA_MUST_CHECK
enum xa_problem xa_body_read(const struct xa_request *req, struct xa_buf *out);

#endif
