/* handle_authorize.c - GET, HEAD /0.1/authorize: for auth_request and kin. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "core/base/str.h"
#include "fcgi/basic.h"
#include "fcgi/handlers.h"

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

static void
refuse(struct xa_reply *reply, enum xa_rc rc)
{
    enum xa_problem problem = xa_problem_of_token(rc);

    if (problem == XA_NO_TOKEN)
        problem = XA_BAD_BEARER;
    xa_reply_refuse(reply, problem, NULL);
}

void
xa_handle_authorize(struct xa_app *app, const struct xa_request *req,
                    struct xa_reply *reply)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    const struct xa_params *params = &req->params;
    /* What the server sets wins: a visitor must not choose the ACL. */
    const char *scope = params->scope ? params->scope : req->scope;
    const char *id = find_token(params);
    enum xa_rc rc;

    /* A rule that is not known may be there to restrict.  A variable of the
     * server that was not set is an empty text, and no ACL that was meant. */
    if (params->unknown_rule || (params->scope && !*params->scope)) {
        refuse(reply, XA_E_FORBIDDEN);
        return;
    }
    if (scope && !xa_str_is_utf8(scope, strlen(scope))) {
        xa_reply_refuse(reply, XA_BAD_ENCODING, NULL);
        return;
    }
    rc = id ? xa_token_manager_find(app->manager, id, scope, req->now_us,
                                    &token, NULL, &reply->err)
            : XA_E_NOTFOUND;
    if (rc != XA_OK) {
        refuse(reply, rc);
        return;
    }
    xa_reply_no_content(reply);
    xa_reply_header_encoded(reply, "X-Auth-Id", xa_token_auth_id(token));
    if (xa_token_user_uuid(token))
        xa_reply_header_encoded(reply, "X-Auth-User-Uuid",
                                xa_token_user_uuid(token));
}
