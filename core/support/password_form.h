/* password_form.h - the form and the cost of a stored hash. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What password.h accepts, decided from the text alone and before any work:
 * crypt(3) itself takes settings that keep it busy for hours.
 */
#ifndef XA_SUPPORT_PASSWORD_FORM_H
#define XA_SUPPORT_PASSWORD_FORM_H

#include "core/base/err.h"

enum xa_password_form {
    XA_FORM_NONE, /* not accepted */
    XA_FORM_YESCRYPT,
    XA_FORM_BCRYPT,
    XA_FORM_SHA512,
    XA_FORM_SHA256,
    XA_FORM_ARGON2ID
};

/*
 * The form of a whole stored hash, or XA_FORM_NONE; err then says why,
 * without showing it.
 */
enum xa_password_form xa_password_form(const char *stored, struct xa_err *err);

#endif
