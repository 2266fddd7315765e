/* router.h - which handler answers a path and a method. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_FCGI_ROUTER_H
#define XA_FCGI_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "fcgi/handlers.h"

struct xa_route {
    unsigned methods; /* enum xa_method, joined by | */
    const char *path; /* `{token}` stands for one segment that is not empty */
    xa_handler_fn *handle;
    bool bare; /* refusals have no body */
};

/* The table, for tests that compare it with other papers. */
const struct xa_route *xa_router_table(size_t *out_count);

struct xa_match {
    xa_handler_fn *handle; /* NULL: no such path, or not by this method */
    unsigned allowed;      /* methods of the path; 0: no such path */
    const char *token;     /* what {token} stands for, inside path; or NULL */
    bool bare;
};

void xa_router_match(const char *path, enum xa_method method,
                     struct xa_match *out);

#define XA_ALLOW_TEXT 40

/* Methods as the value of Allow, "GET, HEAD" for instance.  Returns out. */
const char *xa_router_allow(unsigned methods, char out[XA_ALLOW_TEXT]);

#endif
