/* handle_status.c - GET, HEAD /0.1/status: what works and what does not. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store is asked; backends are not, their start and last attempt are
 * told.  Only the store makes it a 503.
 */
#include "config.h"

#include "core/service/status_json.h"
#include "fcgi/handlers.h"

void
xa_handle_status(struct xa_app *app, const struct xa_request *req XA_UNUSED,
                 struct xa_reply *reply)
{
    enum xa_rc rc = xa_store_check(app->store, &reply->err);
    const char *reason = NULL;

    if (rc != XA_OK) {
        reason = xa_problem_reason(xa_problem_of_token(rc));
        reply->status = 503;
        xa_reply_retry_later(reply);
    }
    xa_buf_puts(&reply->body, "{\"data\": ");
    xa_status_put_json(&reply->body, app->registry, xa_store_type(app->store),
                       reason);
    xa_buf_putc(&reply->body, '}');
}
