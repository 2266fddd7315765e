/* handle_backends.c - GET, HEAD /0.1/backends: who can vouch. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/support/json.h"
#include "fcgi/handlers.h"

void
xa_handle_backends(struct xa_app *app, const struct xa_request *req XA_UNUSED,
                   struct xa_reply *reply)
{
    size_t count = xa_registry_count(app->registry);

    xa_buf_puts(&reply->body, "{\"data\": [");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            xa_buf_puts(&reply->body, ", ");
        xa_json_put_string(&reply->body,
                           xa_registry_state(app->registry, i).name);
    }
    xa_buf_puts(&reply->body, "]}");
}
