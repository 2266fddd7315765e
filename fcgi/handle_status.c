/* handle_status.c - GET, HEAD /0.1/status: what works and what does not. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store is asked; backends are not, their start and last attempt are
 * told.  Only the store makes it a 503.
 */
#include "config.h"

#include "core/support/json.h"
#include "fcgi/handlers.h"

static const char *
ok_or_fail(bool ok)
{
    return ok ? "ok" : "fail";
}

static void
put_store(struct xa_buf *body, const struct xa_store *store, enum xa_rc rc)
{
    xa_buf_puts(body, "\"store\": {\"type\": ");
    xa_json_put_string(body, xa_store_type(store));
    xa_buf_putf(body, ", \"status\": \"%s\"", ok_or_fail(rc == XA_OK));
    if (rc != XA_OK) {
        xa_buf_puts(body, ", \"reason\": ");
        xa_json_put_string(body, xa_problem_reason(xa_problem_of_token(rc)));
    }
    xa_buf_putc(body, '}');
}

static void
put_backends(struct xa_buf *body, const struct xa_registry *registry)
{
    size_t count = xa_registry_count(registry);

    xa_buf_puts(body, "\"backends\": {");
    for (size_t i = 0; i < count; i++) {
        struct xa_backend_state state = xa_registry_state(registry, i);

        if (i > 0)
            xa_buf_puts(body, ", ");
        xa_json_put_string(body, state.name);
        xa_buf_putf(body, ": \"%s\"", ok_or_fail(!state.reason));
    }
    xa_buf_putc(body, '}');
}

/* Why a backend fails: a member for each that does, none if none does. */
static void
put_reasons(struct xa_buf *body, const struct xa_registry *registry)
{
    size_t count = xa_registry_count(registry);
    bool begun = false;

    for (size_t i = 0; i < count; i++) {
        struct xa_backend_state state = xa_registry_state(registry, i);

        if (!state.reason)
            continue;
        xa_buf_puts(body, begun ? ", " : "\"reason\": {");
        xa_json_put_string(body, state.name);
        xa_buf_puts(body, ": ");
        xa_json_put_string(body, state.reason);
        begun = true;
    }
    if (begun)
        xa_buf_puts(body, "}, ");
}

void
xa_handle_status(struct xa_app *app, const struct xa_request *req XA_UNUSED,
                 struct xa_reply *reply)
{
    enum xa_rc rc = xa_store_check(app->store, &reply->err);
    struct xa_buf *body = &reply->body;

    if (rc != XA_OK) {
        reply->status = 503;
        xa_reply_retry_later(reply);
    }
    xa_buf_puts(body, "{\"data\": {");
    put_store(body, app->store, rc);
    xa_buf_puts(body, ", ");
    put_backends(body, app->registry);
    xa_buf_puts(body, ", ");
    put_reasons(body, app->registry);
    xa_buf_puts(body, "\"version\": \"" PACKAGE_VERSION "\"}}");
}
