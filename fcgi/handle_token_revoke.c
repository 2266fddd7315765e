/* handle_token_revoke.c - DELETE /0.1/token/{token}. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/handlers.h"

void
xa_handle_token_revoke(struct xa_app *app, const struct xa_request *req,
                       struct xa_reply *reply)
{
    enum xa_rc rc;

    rc = xa_token_manager_revoke(app->manager, req->token, &reply->err);
    if (rc != XA_OK) {
        xa_reply_refuse(reply, xa_problem_of_token(rc), NULL);
        return;
    }
    xa_buf_puts(&reply->body, "{\"data\": {\"message\": \"success\"}}");
}
