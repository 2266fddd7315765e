/* authctl_status.c - xivo-authctl status. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/authctl.h"

#include "core/service/status_json.h"

static void
put_table(struct xa_ctl *ctl, const char *store)
{
    size_t count = xa_registry_count(ctl->registry);

    xa_buf_putf(&ctl->out, "%-7s %-22s %s\n", "store", ctl->config->store.type,
                store);
    for (size_t i = 0; i < count; i++) {
        struct xa_backend_state state = xa_registry_state(ctl->registry, i);

        xa_buf_putf(&ctl->out, "%-7s %-22s %s\n", "backend", state.name,
                    state.reason ? state.reason : "ok");
    }
}

/* Make nothing: to ask how things are must not change them. */
static enum xa_rc
check_store(struct xa_ctl *ctl, struct xa_err *err)
{
    enum xa_rc rc;

    rc = xa_store_open(ctl->config, XA_STORE_PROBE, &ctl->store, err);
    if (rc == XA_OK)
        rc = xa_store_check(ctl->store, err);
    return rc;
}

enum xa_rc
xa_ctl_status(struct xa_ctl *ctl, struct xa_err *err)
{
    enum xa_rc rc;

    rc = xa_ctl_open_registry(ctl, err);
    if (rc != XA_OK)
        return rc;
    rc = check_store(ctl, err);
    if (ctl->json) {
        xa_status_put_json(&ctl->out, ctl->registry, ctl->config->store.type,
                           rc == XA_OK ? NULL : err->text);
        xa_buf_putc(&ctl->out, '\n');
    } else {
        put_table(ctl, rc == XA_OK ? "ok" : "fail");
    }
    return rc;
}
