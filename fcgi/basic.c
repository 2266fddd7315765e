/* basic.c - credentials out of an Authorization header. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/basic.h"

#include <string.h>
#include <strings.h>

#include "core/backend.h"
#include "core/base/str.h"
#include "core/support/crypto.h"

#define PLAIN_MAX                                                              \
    (XA_BACKEND_LOGIN_MAX + 1 + XA_BACKEND_PASSWORD_MAX) /* with the colon */

const char *
xa_auth_value(const char *header, const char *scheme)
{
    size_t len = strlen(scheme);

    if (!header || strncasecmp(header, scheme, len) != 0 || header[len] != ' ')
        return NULL;
    return header + len + 1;
}

/* Split at the first colon: a password may hold more of them. */
static enum xa_rc
split(const char *plain, size_t len, struct xa_credentials *out,
      struct xa_err *err)
{
    const char *colon = memchr(plain, ':', len);
    size_t login_len;
    size_t password_len;
    enum xa_rc rc;

    if (!colon)
        return xa_fail(err, XA_E_DENIED, "no colon in the credentials");
    if (xa_str_has_ascii_control(plain, len) || !xa_str_is_utf8(plain, len))
        return xa_fail(err, XA_E_DENIED, "credentials are no plain UTF-8");
    login_len = (size_t)(colon - plain);
    password_len = len - login_len - 1;
    if (login_len > XA_BACKEND_LOGIN_MAX ||
        password_len > XA_BACKEND_PASSWORD_MAX)
        return xa_fail(err, XA_E_DENIED, "login or password too long");
    rc = xa_secret_new(colon + 1, password_len, &out->password, err);
    if (rc != XA_OK)
        return rc;
    out->login = strndup(plain, login_len);
    if (!out->login) {
        xa_secret_free(&out->password);
        return xa_fail_nomem(err);
    }
    return XA_OK;
}

enum xa_rc
xa_basic_read(const char *header, struct xa_credentials *out,
              struct xa_err *err)
{
    const char *encoded = xa_auth_value(header, "Basic");
    char plain[PLAIN_MAX + 1]; /* xa_base64_decode() puts no NUL */
    enum xa_rc rc;
    ptrdiff_t n;

    if (!encoded)
        return xa_fail(err, XA_E_DENIED, "no Basic credentials");
    n = xa_base64_decode(encoded, strlen(encoded), plain, PLAIN_MAX);
    if (n < 0)
        rc = xa_fail(err, XA_E_DENIED, "credentials are no base64 that fits");
    else
        rc = split(plain, (size_t)n, out, err);
    xa_wipe(plain, sizeof plain);
    return rc;
}

void
xa_credentials_done(struct xa_credentials *credentials)
{
    if (credentials->login)
        xa_wipe(credentials->login, strlen(credentials->login));
    xa_str_free(&credentials->login);
    xa_secret_free(&credentials->password);
}
