/* authctl_backend.c - xivo-authctl backend list and backend test. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/authctl.h"

#include "core/support/json.h"

static void
put_state_json(struct xa_buf *out, const struct xa_backend_state *state)
{
    xa_buf_puts(out, "{\"name\": ");
    xa_json_put_string(out, state->name);
    xa_buf_puts(out, ", \"status\": ");
    xa_json_put_string(out, state->reason ? "fail" : "ok");
    if (state->reason) {
        xa_buf_puts(out, ", \"reason\": ");
        xa_json_put_string(out, state->reason);
    }
    xa_buf_putc(out, '}');
}

enum xa_rc
xa_ctl_backend_list(struct xa_ctl *ctl, struct xa_err *err)
{
    size_t count;
    enum xa_rc rc;

    rc = xa_ctl_open_registry(ctl, err);
    if (rc != XA_OK)
        return rc;
    count = xa_registry_count(ctl->registry);
    xa_buf_puts(&ctl->out, ctl->json ? "[" : "");
    for (size_t i = 0; i < count; i++) {
        struct xa_backend_state state = xa_registry_state(ctl->registry, i);

        if (ctl->json) {
            xa_buf_puts(&ctl->out, i > 0 ? ", " : "");
            put_state_json(&ctl->out, &state);
        } else {
            xa_ctl_put_row(ctl, state.name, state.reason ? state.reason : "ok");
        }
    }
    xa_buf_puts(&ctl->out, ctl->json ? "]\n" : "");
    return XA_OK;
}

static void
put_identity_json(struct xa_buf *out, const struct xa_identity *who)
{
    xa_buf_puts(out, "{\"auth_id\": ");
    xa_json_put_string(out, who->auth_id);
    xa_buf_puts(out, ", \"xivo_user_uuid\": ");
    xa_json_put_string_or_null(out, who->xivo_user_uuid);
    xa_buf_puts(out, ", \"xivo_uuid\": ");
    xa_json_put_string_or_null(out, who->xivo_uuid);
    xa_buf_puts(out, ", \"acls\": ");
    xa_json_put_strings(out, (const char *const *)who->acls.items,
                        who->acls.count);
    xa_buf_puts(out, "}\n");
}

enum xa_rc
xa_ctl_backend_test(struct xa_ctl *ctl, struct xa_err *err)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;
    enum xa_rc rc;

    rc = xa_ctl_authenticate(ctl, ctl->args.operand, &who, err);
    if (rc != XA_OK)
        return rc;
    if (ctl->json) {
        put_identity_json(&ctl->out, &who);
        return XA_OK;
    }
    xa_ctl_put_row(ctl, "auth_id", who.auth_id);
    xa_ctl_put_row(ctl, "xivo_user_uuid", who.xivo_user_uuid);
    xa_ctl_put_row(ctl, "xivo_uuid", who.xivo_uuid);
    xa_ctl_put_acls(ctl, (const char *const *)who.acls.items, who.acls.count);
    return XA_OK;
}
