/* handle_authorize.c - may this visitor pass: auth_request and kin. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "core/base/log.h"
#include "core/base/secret.h"
#include "core/base/str.h"
#include "core/support/path_acl.h"
#include "fcgi/basic.h"
#include "fcgi/handlers.h"
#include "fcgi/mask.h"
#include "fcgi/original.h"

/* The ACL that is asked for; none: any token will do. */
struct asked {
    const char *scope; /* lent */
    char *built;       /* owned, when it was made from a path */
};

static void
asked_done(struct asked *asked)
{
    if (asked->built) /* a path may hold a token */
        xa_wipe(asked->built, strlen(asked->built));
    xa_str_free(&asked->built);
}

/*
 * The token, lent; NULL when there is none or more than one.  A server may
 * also join two with a comma; that is then no UUID.
 */
static const char *
find_token(const struct xa_params *params)
{
    if (params->twice_auth_token || params->twice_authorization)
        return NULL;
    if (params->auth_token)
        return params->auth_token;
    return xa_auth_value(params->authorization, "Bearer");
}

/* Whether the server vouches for the headers that tell of the original.  A
 * word that is not known is no: trust lets who asks choose the ACL. */
static bool
is_trusted(const struct xa_params *params)
{
    static const char *const yes[] = {"1", "yes", "on", "true"};
    const char *value = params->trust_forwarded;

    for (size_t i = 0; value && i < XA_COUNT(yes); i++)
        if (strcasecmp(value, yes[i]) == 0)
            return true;
    return false;
}

static enum xa_rc
build_scope(const struct xa_app *app, const struct xa_request *req,
            bool is_authorizer, struct asked *out, struct xa_err *err)
{
    enum xa_witness witness = is_trusted(&req->params) ? XA_WITNESS_HEADERS
                              : is_authorizer          ? XA_WITNESS_SERVER
                                                       : XA_WITNESS_NONE;
    struct xa_original original;
    char masked[XA_MASK_TEXT];
    char shown[XA_LOG_VALUE_MAX];
    enum xa_rc rc;

    if (!xa_original_read(req->cgi.params, witness, &original))
        return xa_fail(err, XA_E_FORBIDDEN, "no original request is told");
    rc = xa_path_acl(&app->config->authorize.paths, req->params.scope_prefix,
                     original.method, original.target, &out->built, err);
    if (rc != XA_OK)
        return rc;
    out->scope = out->built;
    if (xa_log_enabled(XA_DEBUG))
        xa_log(XA_DEBUG, "authorize.asked", "acl=%s",
               xa_log_quote(xa_mask(out->built, masked), shown));
    return XA_OK;
}

/*
 * What the server sets decides; a visitor must not choose the ACL, so his
 * query counts only in the RESPONDER role and when the server set nothing.
 * A rule that is not known may be there to restrict.  A variable of the
 * server that was not set is an empty text, and no ACL that was meant.
 */
static enum xa_rc
find_scope(const struct xa_app *app, const struct xa_request *req,
           bool is_authorizer, struct asked *out, struct xa_err *err)
{
    const struct xa_params *params = &req->params;

    if (params->unknown_rule)
        return xa_fail(err, XA_E_FORBIDDEN, "XIVO_AUTH_* that is not known");
    if (app->authorizer_only && is_trusted(params))
        return xa_fail(err, XA_E_FORBIDDEN, "forwarded paths are refused");
    if (params->scope) {
        out->scope = params->scope;
        return *params->scope ? XA_OK
                              : xa_fail(err, XA_E_FORBIDDEN, "empty scope");
    }
    if (params->scope_prefix)
        return build_scope(app, req, is_authorizer, out, err);
    if (is_authorizer)
        return xa_fail(err, XA_E_FORBIDDEN, "no scope is set");
    out->scope = req->scope;
    return XA_OK;
}

static void
refuse(struct xa_reply *reply, enum xa_rc rc)
{
    enum xa_problem problem = xa_problem_of_token(rc);

    if (problem == XA_NO_TOKEN)
        problem = XA_BAD_BEARER;
    xa_reply_refuse(reply, problem, NULL);
}

/* The token of who may pass; NULL: the reply is a refusal. */
static struct xa_token *
find_bearer(struct xa_app *app, const struct xa_request *req,
            bool is_authorizer, struct xa_reply *reply)
{
    XA_AUTO(asked_done) struct asked asked = {NULL, NULL};
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    const char *id = find_token(&req->params);
    enum xa_rc rc;

    rc = find_scope(app, req, is_authorizer, &asked, &reply->err);
    if (rc == XA_OK && asked.scope &&
        !xa_str_is_utf8(asked.scope, strlen(asked.scope))) {
        xa_reply_refuse(reply, is_authorizer ? XA_NOT_ALLOWED : XA_BAD_ENCODING,
                        NULL);
        return NULL;
    }
    if (rc == XA_OK)
        rc = id ? xa_token_manager_find(app->manager, id, asked.scope,
                                        req->now_us, &token, NULL, &reply->err)
                : XA_E_NOTFOUND;
    if (rc != XA_OK)
        refuse(reply, rc);
    return XA_TAKE(token);
}

void
xa_handle_authorize(struct xa_app *app, const struct xa_request *req,
                    struct xa_reply *reply)
{
    XA_AUTO(xa_token_free)
    struct xa_token *token = find_bearer(app, req, false, reply);

    if (!token)
        return;
    xa_reply_no_content(reply);
    xa_reply_header_encoded(reply, "X-Auth-Id", xa_token_auth_id(token));
    if (xa_token_user_uuid(token))
        xa_reply_header_encoded(reply, "X-Auth-User-Uuid",
                                xa_token_user_uuid(token));
}

void
xa_handle_authorizer(struct xa_app *app, const struct xa_request *req,
                     struct xa_reply *reply)
{
    XA_AUTO(xa_token_free)
    struct xa_token *token = find_bearer(app, req, true, reply);

    if (!token)
        return;
    reply->is_verdict = true;
    xa_reply_header_encoded(reply, "Variable-AUTH_ID", xa_token_auth_id(token));
    if (xa_token_user_uuid(token))
        xa_reply_header_encoded(reply, "Variable-USER_UUID",
                                xa_token_user_uuid(token));
}
