/* app.c - the way from a request to its handler. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/app.h"

#include "fcgi/router.h"

/* OPTIONS, if there is such a thing here; else it and others are refused. */
static void
tell_methods(const struct xa_app *app, const struct xa_request *req,
             unsigned allowed, struct xa_reply *reply)
{
    char allow[XA_ALLOW_TEXT];

    if (app->cors)
        allowed |= XA_OPTIONS;
    if (!(allowed & req->method))
        xa_reply_refuse(reply, XA_NO_METHOD, NULL);
    xa_reply_header(reply, "Allow", xa_router_allow(allowed, allow));
}

/* What is wrong with a request wherever it goes, then with its route. */
static enum xa_problem
find_problem(const struct xa_request *req, const struct xa_match *match)
{
    if (req->params.doubled)
        return XA_BAD_ENCODING;
    if (req->path_problem != XA_FINE)
        return req->path_problem;
    if (match->allowed == 0)
        return XA_NO_ROUTE;
    if (!match->handle)
        return XA_NO_METHOD;
    /* There the query may be a visitor's own, and then it must not count. */
    if (match->handle == xa_handle_authorize &&
        (req->params.scope || req->params.scope_prefix))
        return XA_FINE;
    return req->scope_problem;
}

static void
route(struct xa_app *app, struct xa_request *req, struct xa_reply *reply)
{
    struct xa_match match = {NULL, 0, NULL, false};
    enum xa_problem problem;

    if (req->path)
        xa_router_match(req->path, req->method, &match);
    reply->bare = match.bare;
    req->token = match.token;
    problem = find_problem(req, &match);
    if (problem == XA_FINE)
        match.handle(app, req, reply);
    else if (problem == XA_NO_METHOD)
        tell_methods(app, req, match.allowed, reply);
    else
        xa_reply_refuse(reply, problem, NULL);
}

/* False: the answer did not fit, and became a refusal. */
static bool
finish(struct xa_reply *reply)
{
    if (xa_buf_check(&reply->body, &reply->err) == XA_OK &&
        xa_buf_check(&reply->headers, &reply->err) == XA_OK)
        return true;
    xa_reply_refuse(reply, XA_INTERNAL, NULL);
    return false;
}

void
xa_app_answer(struct xa_app *app, struct xa_request *req,
              struct xa_reply *reply)
{
    bool is_options = req->method == XA_OPTIONS;

    route(app, req, reply);
    xa_cors_put(app->cors, req->cgi.params, is_options, &reply->headers);
    if (finish(reply))
        return;
    xa_cors_put(app->cors, req->cgi.params, is_options, &reply->headers);
}

void
xa_app_authorize(struct xa_app *app, const struct xa_request *req,
                 struct xa_reply *reply)
{
    reply->bare = true;
    if (req->params.doubled)
        xa_reply_refuse(reply, XA_NOT_ALLOWED, NULL);
    else
        xa_handle_authorizer(app, req, reply);
    (void)finish(reply);
}
