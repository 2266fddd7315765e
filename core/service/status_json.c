/* status_json.c - what works and what does not, as JSON. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/status_json.h"

#include "core/support/json.h"

static const char *
ok_or_fail(const char *reason)
{
    return reason ? "\"fail\"" : "\"ok\"";
}

static void
put_store(struct xa_buf *out, const char *type, const char *reason)
{
    xa_buf_puts(out, "\"store\": {\"type\": ");
    xa_json_put_string(out, type);
    xa_buf_puts(out, ", \"status\": ");
    xa_buf_puts(out, ok_or_fail(reason));
    if (reason) {
        xa_buf_puts(out, ", \"reason\": ");
        xa_json_put_string(out, reason);
    }
    xa_buf_puts(out, "}, ");
}

static void
put_backends(struct xa_buf *out, const struct xa_registry *registry)
{
    size_t count = xa_registry_count(registry);

    xa_buf_puts(out, "\"backends\": {");
    for (size_t i = 0; i < count; i++) {
        struct xa_backend_state state = xa_registry_state(registry, i);

        if (i > 0)
            xa_buf_puts(out, ", ");
        xa_json_put_string(out, state.name);
        xa_buf_puts(out, ": ");
        xa_buf_puts(out, ok_or_fail(state.reason));
    }
    xa_buf_puts(out, "}, ");
}

/* Why a backend fails: a member for each that does, none if none does. */
static void
put_reasons(struct xa_buf *out, const struct xa_registry *registry)
{
    size_t count = xa_registry_count(registry);
    bool begun = false;

    for (size_t i = 0; i < count; i++) {
        struct xa_backend_state state = xa_registry_state(registry, i);

        if (!state.reason)
            continue;
        xa_buf_puts(out, begun ? ", " : "\"reason\": {");
        xa_json_put_string(out, state.name);
        xa_buf_puts(out, ": ");
        xa_json_put_string(out, state.reason);
        begun = true;
    }
    if (begun)
        xa_buf_puts(out, "}, ");
}

void
xa_status_put_json(struct xa_buf *out, const struct xa_registry *registry,
                   const char *store_type, const char *store_reason)
{
    xa_buf_putc(out, '{');
    put_store(out, store_type, store_reason);
    put_backends(out, registry);
    put_reasons(out, registry);
    xa_buf_puts(out, "\"version\": \"" PACKAGE_VERSION "\"}");
}
