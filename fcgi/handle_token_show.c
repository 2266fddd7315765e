/* handle_token_show.c - GET, HEAD /0.1/token/{token}: is it valid? SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/handlers.h"

void
xa_handle_token_show(struct xa_app *app, const struct xa_request *req,
                     struct xa_reply *reply)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    enum xa_rc rc;

    rc = xa_token_manager_find(app->manager, req->token, req->scope,
                               req->now_us, &token, &reply->key, &reply->err);
    if (rc != XA_OK) {
        xa_reply_refuse(reply, xa_problem_of_token(rc),
                        rc == XA_E_FORBIDDEN ? req->scope : NULL);
        return;
    }
    if (req->method == XA_HEAD) {
        xa_reply_no_content(reply);
        return;
    }
    xa_buf_puts(&reply->body, "{\"data\": ");
    xa_token_put_json(token, true, &reply->body);
    xa_buf_putc(&reply->body, '}');
}
