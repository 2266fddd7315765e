/* authctl_open.c - what the commands of xivo-authctl open. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/authctl.h"

#include <string.h>

#define NAMES_MAX 400 /* bytes of backend names in a complaint */

enum xa_rc
xa_ctl_open_config(struct xa_ctl *ctl, struct xa_err *err)
{
    enum xa_rc rc;

    if (ctl->config)
        return XA_OK;
    rc = xa_config_load(&ctl->cli, &ctl->config, err);
    if (rc != XA_OK)
        return rc;
    xa_config_log_notes(ctl->config);
    return XA_OK;
}

enum xa_rc
xa_ctl_open_store(struct xa_ctl *ctl, struct xa_err *err)
{
    enum xa_rc rc;

    rc = xa_ctl_open_config(ctl, err);
    if (rc == XA_OK)
        rc = xa_store_open(ctl->config, XA_STORE_USE, &ctl->store, err);
    if (rc == XA_OK)
        rc = xa_token_manager_new(ctl->store, ctl->config, &ctl->manager, err);
    return rc;
}

enum xa_rc
xa_ctl_open_registry(struct xa_ctl *ctl, struct xa_err *err)
{
    enum xa_rc rc;

    rc = xa_ctl_open_config(ctl, err);
    if (rc != XA_OK)
        return rc;
    return xa_registry_new(ctl->config, &ctl->registry, err);
}

/* XA_E_INVALID with the names of those that there are. */
static enum xa_rc
want_backend(const struct xa_ctl *ctl, const char *name, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf names = XA_BUF(NAMES_MAX);
    size_t count = xa_registry_count(ctl->registry);

    for (size_t i = 0; i < count; i++) {
        const char *known = xa_registry_state(ctl->registry, i).name;

        if (strcmp(known, name) == 0)
            return XA_OK;
        xa_buf_putf(&names, "%s%s", i > 0 ? ", " : "", known);
    }
    return xa_fail(err, XA_E_INVALID, "no such backend; there is: %s",
                   count > 0 ? xa_buf_text(&names) : "none");
}

enum xa_rc
xa_ctl_authenticate(struct xa_ctl *ctl, const char *backend,
                    struct xa_identity *out, struct xa_err *err)
{
    XA_AUTO(xa_secret_free) struct xa_secret *password = NULL;
    enum xa_rc rc;

    rc = xa_ctl_open_registry(ctl, err);
    if (rc == XA_OK)
        rc = want_backend(ctl, backend, err);
    if (rc == XA_OK)
        rc = xa_ctl_read_secret("Password", &password, err);
    if (rc != XA_OK)
        return rc;
    rc = xa_registry_authenticate(ctl->registry, backend, ctl->args.login,
                                  xa_secret_text(password), out, err);
    return rc == XA_OK ? rc : xa_err_prefix(err, "%s: ", backend);
}

void
xa_ctl_done(struct xa_ctl *ctl)
{
    xa_token_manager_free(&ctl->manager);
    xa_registry_free(&ctl->registry);
    xa_store_close(&ctl->store);
    xa_config_free(&ctl->config);
    xa_strlist_free(&ctl->args.acls);
    xa_buf_free(&ctl->out);
}
