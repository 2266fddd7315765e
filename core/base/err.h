/* err.h - one small set of failures, a sentence for the log. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every function that can fail returns enum xa_rc and is XA_MUST_CHECK.  The
 * code says what a caller may do about it; the cause, for the log and never
 * for a client, goes into a struct xa_err, whose fixed buffer cannot itself
 * fail.  Outputs change on XA_OK only.
 */
#ifndef XA_BASE_ERR_H
#define XA_BASE_ERR_H

#include "core/base/auto.h"

enum xa_rc {
    XA_OK = 0,
    XA_E_NOMEM,       /* memory ran out */
    XA_E_INVALID,     /* the caller's input breaks a rule */
    XA_E_DENIED,      /* who asks did not prove who they are */
    XA_E_FORBIDDEN,   /* known, but may not do this */
    XA_E_NOTFOUND,    /* there is no such thing */
    XA_E_UNAVAILABLE, /* a server that is needed refuses or is away */
    XA_E_TIMEOUT,     /* a server that is needed did not answer in time */
    XA_E_STORE,       /* the store cannot be read or written, or is full */
    XA_E_CONFIG       /* the operator must mend something first */
};

#define XA_ERR_MAX 512 /* bytes of text, with the NUL; longer is cut */

struct xa_err {
    enum xa_rc code;
    char text[XA_ERR_MAX];
};

#define XA_ERR_NONE                                                            \
    {                                                                          \
        .code = XA_OK, .text = ""                                              \
    }

/*
 * Note a failure and return its code, so that refusing is one line:
 *
 *     return xa_fail(err, XA_E_STORE, "cannot open %s: %s", path, why);
 *
 *   err   filled; may be NULL when nobody will read the sentence
 *   code  never XA_OK
 *   fmt   as printf; no secret may stand in it
 */
XA_PRINTF(3, 4)
enum xa_rc xa_fail(struct xa_err *err, enum xa_rc code, const char *fmt, ...);

/*
 * Put words before a sentence that is in err already, "path: " for instance.
 * The code stays.  err may be NULL.  Returns err's code, XA_OK if NULL.
 */
XA_PRINTF(2, 3)
enum xa_rc xa_err_prefix(struct xa_err *err, const char *fmt, ...);

/* XA_E_NOMEM with the usual sentence. */
enum xa_rc xa_fail_nomem(struct xa_err *err);

/* The name of a code, "unavailable" for instance; never NULL, static. */
const char *xa_rc_name(enum xa_rc code);

/*
 * The exit code of sysexits.h that a main ends with after this failure:
 * 64 INVALID, 69 UNAVAILABLE, TIMEOUT and STORE, 78 CONFIG, else 70.
 * XA_OK gives 0.
 */
int xa_rc_exit_code(enum xa_rc code);

/* scripts/check-analyze defines this: an analyzer reads one file at a time, and
 * takes what is told above (the code comes back, and is never XA_OK) for an
 * unkept promise, after which nothing that was checked counts as checked. */
#ifdef XA_ANALYZER
#define xa_fail(err, code, ...)                                                \
    (xa_fail(err, code, __VA_ARGS__) == (code) ? (code) : (code))
#define xa_fail_nomem(err)                                                     \
    (xa_fail_nomem(err) == XA_E_NOMEM ? XA_E_NOMEM : XA_E_NOMEM)
#endif

#endif
