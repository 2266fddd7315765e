/* request.h - one request, read from its CGI parameters. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_FCGI_REQUEST_H
#define XA_FCGI_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "fcgi/params.h"
#include "fcgi/status.h"

/* Methods, as bits, so that a route can take several. */
enum xa_method {
    XA_OTHER_METHOD = 0,
    XA_GET = 1,
    XA_HEAD = 2,
    XA_POST = 4,
    XA_DELETE = 8,
    XA_OPTIONS = 16
};

/* What a request is read from; everything lent. */
struct xa_cgi {
    const char *const *params; /* "NAME=value", ended by NULL */
    /* Read from the body: fewer bytes than len mean that it is at its end. */
    size_t (*read)(void *ctx, void *out, size_t len);
    void *read_ctx;
};

/* Caller's storage; make it with xa_request_init(). */
struct xa_request {
    struct xa_cgi cgi;
    struct xa_params params; /* lent by cgi */
    enum xa_method method;
    char *path;  /* owned; NULL when it was refused */
    char *scope; /* owned; NULL: none in the query */
    enum xa_problem path_problem;
    enum xa_problem scope_problem;
    const char *token; /* the route's {token}, inside path */
    int64_t now_us;    /* when it came */
};

#define XA_REQUEST_EMPTY {.path = NULL}

/*
 * Read what the parameters say.  What is wrong with them is noted in the
 * request, because the route decides what a client is told first.
 *
 *   req  empty
 *   cgi  copied; what it points to is lent until xa_request_done()
 */
void xa_request_init(struct xa_request *req, const struct xa_cgi *cgi,
                     int64_t now_us);

/* Wipe and free what it holds, and leave it empty. */
void xa_request_done(struct xa_request *req);

#endif
