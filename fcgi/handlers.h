/* handlers.h - one handler per route, each in a file of its name. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A handler reads the request, asks app, and fills the reply, which is 200
 * with an empty JSON body when it is called.
 */
#ifndef XA_FCGI_HANDLERS_H
#define XA_FCGI_HANDLERS_H

#include "fcgi/app.h"

typedef void xa_handler_fn(struct xa_app *app, const struct xa_request *req,
                           struct xa_reply *reply);

xa_handler_fn xa_handle_token_create; /* POST /0.1/token */
xa_handler_fn xa_handle_token_show;   /* GET, HEAD /0.1/token/{token} */
xa_handler_fn xa_handle_token_revoke; /* DELETE /0.1/token/{token} */
xa_handler_fn xa_handle_authorize;    /* GET, HEAD /0.1/authorize */
xa_handler_fn xa_handle_authorizer;   /* FastCGI's AUTHORIZER role */
xa_handler_fn xa_handle_backends;     /* GET, HEAD /0.1/backends */
xa_handler_fn xa_handle_status;       /* GET, HEAD /0.1/status */
xa_handler_fn xa_handle_api;          /* GET, HEAD /0.1/api/api.yml */

#endif
