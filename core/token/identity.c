/* identity.c - who somebody is, as a backend says it. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/identity.h"

#include <stdlib.h>
#include <string.h>

static enum xa_rc
check_text(const char *what, const char *text, size_t max, struct xa_err *err)
{
    size_t len = strlen(text);

    if (len == 0)
        return xa_fail(err, XA_E_INVALID, "%s is empty", what);
    if (len > max)
        return xa_fail(err, XA_E_INVALID, "%s has over %zu bytes", what, max);
    if (!xa_str_is_utf8(text, len))
        return xa_fail(err, XA_E_INVALID, "%s is not UTF-8", what);
    if (xa_str_has_control(text, len))
        return xa_fail(err, XA_E_INVALID, "%s has a control character", what);
    return XA_OK;
}

static enum xa_rc
set_id(const char *what, char **field, const char *text, struct xa_err *err)
{
    XA_AUTO(xa_str_free) char *copy = NULL;
    enum xa_rc rc;

    rc = check_text(what, text, XA_ID_MAX, err);
    if (rc != XA_OK)
        return rc;
    rc = xa_str_dup(text, &copy, err);
    if (rc != XA_OK)
        return rc;
    xa_str_free(field);
    *field = XA_TAKE(copy);
    return XA_OK;
}

enum xa_rc
xa_identity_set_auth_id(struct xa_identity *who, const char *text,
                        struct xa_err *err)
{
    return set_id("auth_id", &who->auth_id, text, err);
}

enum xa_rc
xa_identity_set_user_uuid(struct xa_identity *who, const char *text,
                          struct xa_err *err)
{
    return set_id("xivo_user_uuid", &who->xivo_user_uuid, text, err);
}

enum xa_rc
xa_identity_set_xivo_uuid(struct xa_identity *who, const char *text,
                          struct xa_err *err)
{
    return set_id("xivo_uuid", &who->xivo_uuid, text, err);
}

enum xa_rc
xa_identity_add_acl(struct xa_identity *who, const char *text,
                    struct xa_err *err)
{
    size_t len = strlen(text);
    enum xa_rc rc;

    rc = check_text("ACL", text, XA_ACL_MAX, err);
    if (rc != XA_OK)
        return rc;
    if (who->acls.count >= XA_ACLS_MAX)
        return xa_fail(err, XA_E_INVALID, "more than %d ACLs", XA_ACLS_MAX);
    if (len > XA_ACLS_BYTES - who->acls_bytes)
        return xa_fail(err, XA_E_INVALID, "ACLs of over %d bytes in all",
                       XA_ACLS_BYTES);
    rc = xa_strlist_add(&who->acls, text, err);
    if (rc != XA_OK)
        return rc;
    who->acls_bytes += len;
    return XA_OK;
}

void
xa_identity_done(struct xa_identity *who)
{
    xa_str_free(&who->auth_id);
    xa_str_free(&who->xivo_user_uuid);
    xa_str_free(&who->xivo_uuid);
    xa_strlist_free(&who->acls);
    who->acls_bytes = 0;
}
