/* status.h - every refusal, its status and its public words. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one place where failures become HTTP.  The words are part of the
 * interface: clients compare them.
 */
#ifndef XA_FCGI_STATUS_H
#define XA_FCGI_STATUS_H

#include "core/base/err.h"

enum xa_problem {
    XA_FINE,
    XA_BAD_ENCODING, /* percent-encoding, NUL, UTF-8; a doubled parameter */
    XA_BAD_SCOPE_TWICE,
    XA_BAD_JSON,
    XA_BAD_JSON_KIND, /* JSON, but no object */
    XA_BAD_JSON_DEPTH,
    XA_BAD_NO_BACKEND,
    XA_BAD_BACKEND,
    XA_BAD_EXPIRATION,
    XA_BAD_BODY_LENGTH,
    XA_BAD_CREDENTIALS, /* asks for Basic */
    XA_BAD_BEARER,      /* asks for Bearer */
    XA_NOT_ALLOWED,     /* the ACL is missing; the scope follows the words */
    XA_NOT_A_RESPONDER,
    XA_NO_TOKEN,
    XA_NO_ROUTE,
    XA_NO_METHOD,
    XA_TOO_LARGE,
    XA_NOT_JSON_TYPE,
    XA_STORE_REFUSED,
    XA_STORE_SILENT,
    XA_STORE_FAILED,
    XA_INTERNAL,
    XA_BACKEND_DOWN,
    XA_PROBLEMS /* how many there are */
};

/* Status of a problem; 200 for XA_FINE. */
unsigned xa_problem_status(enum xa_problem problem);

/* Its public words, static; "" for XA_FINE. */
const char *xa_problem_reason(enum xa_problem problem);

/* Value of WWW-Authenticate, static; NULL if the problem asks for nothing. */
const char *xa_problem_challenge(enum xa_problem problem);

/* Number and phrase for a status line, "404 Not Found" for instance; static.
 * A status that the service never gives is "500 Internal Server Error". */
const char *xa_status_line(unsigned status);

/* What a failure of the token manager or the store means to a client. */
enum xa_problem xa_problem_of_token(enum xa_rc rc);

/* What a failure of xa_registry_authenticate() means to a client. */
enum xa_problem xa_problem_of_login(enum xa_rc rc);

#endif
