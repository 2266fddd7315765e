/* err.c - one small set of failures, a sentence for the log. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#undef XA_ANALYZER /* the functions themselves are here */
#include "core/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct {
    const char *name;
    int exit_code;
} codes[] = {
    [XA_OK] = {"ok", EX_OK},
    [XA_E_NOMEM] = {"no memory", EX_SOFTWARE},
    [XA_E_INVALID] = {"invalid", EX_USAGE},
    [XA_E_DENIED] = {"denied", EX_SOFTWARE},
    [XA_E_FORBIDDEN] = {"forbidden", EX_SOFTWARE},
    [XA_E_NOTFOUND] = {"not found", EX_SOFTWARE},
    [XA_E_UNAVAILABLE] = {"unavailable", EX_UNAVAILABLE},
    [XA_E_TIMEOUT] = {"timeout", EX_UNAVAILABLE},
    [XA_E_STORE] = {"store", EX_UNAVAILABLE},
    [XA_E_CONFIG] = {"config", EX_CONFIG},
};

enum xa_rc
xa_fail(struct xa_err *err, enum xa_rc code, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return code;
    err->code = code;
    va_start(ap, fmt);
    if (vsnprintf(err->text, sizeof err->text, fmt, ap) < 0)
        err->text[0] = '\0';
    va_end(ap);
    return code;
}

enum xa_rc
xa_err_prefix(struct xa_err *err, const char *fmt, ...)
{
    char old[XA_ERR_MAX];
    size_t used;
    va_list ap;
    int n;

    if (!err)
        return XA_OK;
    memcpy(old, err->text, sizeof old);
    va_start(ap, fmt);
    n = vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    used = n < 0 ? 0 : (size_t)n;
    if (used < sizeof err->text)
        snprintf(err->text + used, sizeof err->text - used, "%s", old);
    return err->code;
}

enum xa_rc
xa_fail_nomem(struct xa_err *err)
{
    return xa_fail(err, XA_E_NOMEM, "out of memory");
}

const char *
xa_rc_name(enum xa_rc code)
{
    if ((size_t)code >= XA_COUNT(codes))
        return "unknown";
    return codes[code].name;
}

int
xa_rc_exit_code(enum xa_rc code)
{
    if ((size_t)code >= XA_COUNT(codes))
        return EX_SOFTWARE;
    return codes[code].exit_code;
}
