/* app.h - what a handler sees, and the way to it. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_FCGI_APP_H
#define XA_FCGI_APP_H

#include "core/service/registry.h"
#include "core/service/token_manager.h"
#include "core/support/config.h"
#include "core/token/store.h"
#include "fcgi/cors.h"
#include "fcgi/reply.h"
#include "fcgi/request.h"

/* Borrowed from the main, all of it. */
struct xa_app {
    const struct xa_config *config;
    struct xa_registry *registry;
    struct xa_token_manager *manager;
    struct xa_store *store;
    bool authorizer_only;       /* --authorizer-only: no forwarded paths */
    const struct xa_cors *cors; /* NULL: not enabled */
};

/*
 * Answer a request: find its route and let the handler fill the reply.
 *
 *   req    from xa_request_init(); the route's {token} is noted in it
 *   reply  from xa_reply_clear()
 */
void xa_app_answer(struct xa_app *app, struct xa_request *req,
                   struct xa_reply *reply);

/* The same in the AUTHORIZER role, which has no routes: the verdict on who
 * asks for what another program serves.  200, 401, 403 or 500. */
void xa_app_authorize(struct xa_app *app, const struct xa_request *req,
                      struct xa_reply *reply);

#endif
