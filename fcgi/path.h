/* path.h - the path of a request, decoded at most once. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_FCGI_PATH_H
#define XA_FCGI_PATH_H

#include "fcgi/status.h"

#define XA_PATH_MAX 4096 /* bytes; no route is near it */

/*
 * The path that is routed.
 *
 *   path_info    already decoded by the server, and taken as it is; NULL or
 *                "": the path of request_uri counts, decoded here
 *   request_uri  may be NULL; its query is left out
 *   out          set on XA_FINE only, release with xa_str_free(); begins with
 *                a slash, is UTF-8
 *
 * XA_BAD_ENCODING: a stray percent sign, NUL, or no UTF-8.
 * XA_NO_ROUTE: no path, an empty or `..` segment, `%2F`, or too long.
 * XA_INTERNAL: memory ran out.
 */
XA_MUST_CHECK
enum xa_problem xa_path_read(const char *path_info, const char *request_uri,
                             char **out);

#endif
