/* original.h - method and path of the request that is guarded. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_FCGI_ORIGINAL_H
#define XA_FCGI_ORIGINAL_H

#include <stdbool.h>

struct xa_original {
    const char *method; /* lent */
    const char *target; /* lent: a path, perhaps with a query */
};

/* Who tells what the original request was. */
enum xa_witness {
    XA_WITNESS_NONE,   /* nobody: a responder whose server vouches for none */
    XA_WITNESS_SERVER, /* REQUEST_METHOD, REQUEST_URI: an authorizer's own */
    XA_WITNESS_HEADERS /* X-Original-Method and X-Original-URI, or
                          X-Forwarded-Method and X-Forwarded-Uri */
};

/*
 * Find the original request among CGI parameters; an empty one counts as
 * absent.  False when it is not told, or not without doubt: one stands twice,
 * or there are both of X-Original-* and X-Forwarded-*, of which a proxy has
 * written only one and the visitor then the other.
 *
 *   params  "NAME=value", ended by NULL
 *   out     set when true
 */
bool xa_original_read(const char *const *params, enum xa_witness witness,
                      struct xa_original *out);

#endif
