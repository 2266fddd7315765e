/* password.c - passwords without the work, and a count of it. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tests/fakes/password.h"

#include <string.h>

struct fake_password fake_password;

bool
xa_password_is_hash(const char *stored, struct xa_err *err)
{
    if (strncmp(stored, FAKE_HASH(""), strlen(FAKE_HASH(""))) == 0)
        return true;
    xa_fail(err, XA_E_INVALID, "no fake hash");
    return false;
}

enum xa_rc
xa_password_verify(const char *stored, const char *given, struct xa_err *err)
{
    if (!stored) {
        fake_password.decoys++;
        return xa_fail(err, XA_E_DENIED, "a decoy");
    }
    if (!xa_password_is_hash(stored, err))
        return XA_E_INVALID;
    fake_password.verified++;
    if (strcmp(stored + strlen(FAKE_HASH("")), given) == 0)
        return XA_OK;
    return xa_fail(err, XA_E_DENIED, "wrong password");
}

enum xa_rc
xa_password_hash(enum xa_hash_method method XA_UNUSED,
                 const char *password XA_UNUSED, char out[XA_HASH_TEXT],
                 struct xa_err *err)
{
    out[0] = '\0';
    return xa_fail(err, XA_E_UNAVAILABLE, "the fake makes no hash");
}
