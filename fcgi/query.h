/* query.h - the scope out of a query string. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_FCGI_QUERY_H
#define XA_FCGI_QUERY_H

#include "fcgi/status.h"

/*
 * Find `scope` among name=value pairs joined by `&`, and decode it; `+` is a
 * space.  A bare `scope` is an empty one.
 *
 *   query  as it came; NULL is an empty one
 *   out    set on XA_FINE only: NULL if there is no scope; release with
 *          xa_str_free()
 *
 * XA_BAD_ENCODING: its value has a stray percent sign, a NUL, or is no UTF-8.
 * XA_BAD_SCOPE_TWICE.  XA_INTERNAL: memory ran out.
 */
XA_MUST_CHECK
enum xa_problem xa_query_scope(const char *query, char **out);

#endif
