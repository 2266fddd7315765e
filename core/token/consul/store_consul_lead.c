/* store_consul_lead.c - the Consul store: who removes what is due. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/token/consul/store_consul.h"
#include "core/token/consul/sweep.h"

void
xa_sweep_begin_anew(struct xa_sweep *sweep, const char *session)
{
    xa_plan_reset(&sweep->plan);
    xa_buf_clear(&sweep->after);
    sweep->is_checked = false;
    sweep->is_read = true;
    sweep->count = 0;
    sweep->next = 0;
    strncpy(sweep->session, session, sizeof sweep->session - 1);
}

void
xa_sweep_free(struct xa_sweep **place)
{
    struct xa_sweep *sweep = XA_TAKE(*place);

    if (sweep)
        xa_buf_free(&sweep->after);
    free(sweep);
}

static enum xa_rc
make_lock(struct xa_store_consul *store, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf name = XA_BUF(XA_SWEEP_NAME_MAX);
    enum xa_rc rc;

    if (!store->sweep) {
        store->sweep = calloc(1, sizeof *store->sweep);
        if (!store->sweep)
            return xa_fail_nomem(err);
        store->sweep->after.max = XA_SWEEP_NAME_MAX;
        xa_sweep_begin_anew(store->sweep, "");
    }
    if (store->lock)
        return XA_OK;
    xa_buf_putf(&name, "%sexpiryd/leader", store->config->consul.prefix);
    rc = xa_buf_check(&name, err);
    if (rc != XA_OK)
        return rc;
    return xa_consul_lock_new(store->consul, name.data, &store->lock, err);
}

enum xa_rc
xa_store_consul_lead(struct xa_store *base, bool *out_leads, struct xa_err *err)
{
    struct xa_store_consul *store = (struct xa_store_consul *)base;
    const char *session;
    bool leads = false;
    enum xa_rc rc;

    rc = make_lock(store, err);
    if (rc == XA_OK)
        rc = xa_consul_lock_hold(store->lock, xa_clock_mono_ms(), &leads, err);
    if (rc != XA_OK)
        return xa_store_consul_fail(rc, err);
    session = leads ? xa_consul_lock_session(store->lock) : "";
    if (strcmp(session, store->sweep->session) != 0)
        xa_sweep_begin_anew(store->sweep, session);
    *out_leads = leads;
    return XA_OK;
}

void
xa_store_consul_resign(struct xa_store *base)
{
    struct xa_store_consul *store = (struct xa_store_consul *)base;

    if (!store->lock)
        return;
    xa_consul_lock_release(store->lock);
    xa_sweep_begin_anew(store->sweep, "");
}
