/* walk.h - the names below a prefix, in order, in bounded memory. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Consul has no pages.  A listing that is larger than
 * XA_CONSUL_ANSWER_MAX is abandoned and cut into its sub-prefixes: the ten
 * digits inside a time, the sixteen hexadecimal digits (and "-" of a plain
 * key) behind it.  What fits none of these is seen only in a listing that
 * need not be cut.
 */
#ifndef XA_TOKEN_CONSUL_WALK_H
#define XA_TOKEN_CONSUL_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/token/consul/client.h"

/* One name, lent.  false ends the walk. */
typedef bool xa_walk_fn(void *ctx, const char *name);

struct xa_walk {
    struct xa_consul *consul;
    const char *root;  /* whole name of the folder, "xivo/xivo-auth/tokens/" */
    const char *begin; /* what names below root begin with; "": all */
    const char *after; /* only names below root that sort after; "": all */
    int64_t deadline_ms; /* for the whole walk; 0: consul.timeout for each
                            listing, however many there are */
    unsigned *depth;     /* hint from one walk of this root to the next: how
                            many characters below root a listing has to go;
                            begins as 0, may be NULL */
};

/*
 * Visit each name, strictly ascending by bytes.  The names that make no sense
 * are visited too.  `visit` may ask Consul meanwhile.
 *
 *   out_ended  true: nothing is left; false: visit ended it
 *
 * Failures as xa_consul_ask(); what was visited stays visited.
 * XA_E_FORBIDDEN: the token may not list; but where it may list nothing at
 * all Consul says that nothing is there.  XA_E_STORE: Consul does not take the
 * request, or a listing is too large where it cannot be cut any more.
 */
XA_MUST_CHECK
enum xa_rc xa_walk_names(const struct xa_walk *walk, xa_walk_fn *visit,
                         void *ctx, bool *out_ended, struct xa_err *err);

/*
 * Visit the names of one listing, a JSON array of texts.
 *
 *   text       changed by it; text[len] is a NUL
 *   out_ended  as above
 *
 * XA_E_UNAVAILABLE: it is not such an array.  XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_walk_listing(char *text, size_t len, xa_walk_fn *visit, void *ctx,
                           bool *out_ended, struct xa_err *err);

#endif
