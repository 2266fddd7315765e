/* app.c - the way from a request to its handler. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/app.h"

#include "fcgi/router.h"

static void
refuse_method(unsigned allowed, struct xa_reply *reply)
{
    char allow[XA_ALLOW_TEXT];

    xa_reply_refuse(reply, XA_NO_METHOD, NULL);
    xa_reply_header(reply, "Allow", xa_router_allow(allowed, allow));
}

static void
route(struct xa_app *app, struct xa_request *req, struct xa_reply *reply)
{
    struct xa_match match;

    if (req->params.doubled) {
        xa_reply_refuse(reply, XA_BAD_ENCODING, NULL);
        return;
    }
    if (req->path_problem != XA_FINE) {
        xa_reply_refuse(reply, req->path_problem, NULL);
        return;
    }
    xa_router_match(req->path, req->method, &match);
    reply->bare = match.bare;
    req->token = match.token;
    if (match.allowed == 0)
        xa_reply_refuse(reply, XA_NO_ROUTE, NULL);
    else if (!match.handle)
        refuse_method(match.allowed, reply);
    else if (req->scope_problem != XA_FINE)
        xa_reply_refuse(reply, req->scope_problem, NULL);
    else
        match.handle(app, req, reply);
}

void
xa_app_answer(struct xa_app *app, struct xa_request *req,
              struct xa_reply *reply)
{
    route(app, req, reply);
    if (xa_buf_check(&reply->body, &reply->err) != XA_OK ||
        xa_buf_check(&reply->headers, &reply->err) != XA_OK)
        xa_reply_refuse(reply, XA_INTERNAL, NULL);
}
