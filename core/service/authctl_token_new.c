/* authctl_token_new.c - xivo-authctl token new. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/authctl.h"

#include "core/base/clock.h"

static enum xa_rc
lifetime(const struct xa_ctl *ctl, uint32_t *out, struct xa_err *err)
{
    uint64_t wished = 0;

    if (ctl->args.expiration &&
        (!xa_str_to_u64(ctl->args.expiration, UINT32_MAX, &wished) ||
         wished == 0))
        return xa_fail(err, XA_E_INVALID,
                       "--expiration is a whole number of seconds above 0");
    return xa_token_manager_lifetime(ctl->manager, wished, out, err);
}

enum xa_rc
xa_ctl_token_new(struct xa_ctl *ctl, struct xa_err *err)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    uint32_t lifetime_s = 0;
    struct xa_key key;
    enum xa_rc rc;

    rc = xa_ctl_open_store(ctl, err);
    if (rc == XA_OK)
        rc = lifetime(ctl, &lifetime_s, err);
    if (rc == XA_OK)
        rc = xa_ctl_authenticate(ctl, ctl->args.backend, &who, err);
    if (rc == XA_OK)
        rc = xa_token_manager_issue(ctl->manager, &who, lifetime_s,
                                    xa_clock_now_us(), &token, err);
    if (rc != XA_OK)
        return rc;
    xa_key_of_token(XA_KEY_SHA256, xa_token_id(token), &key);
    xa_ctl_put_token(ctl, token, &key, true);
    return XA_OK;
}
