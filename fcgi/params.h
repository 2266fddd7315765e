/* params.h - the CGI parameters of a request, read once. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_FCGI_PARAMS_H
#define XA_FCGI_PARAMS_H

#include <stdbool.h>

/*
 * Values of the parameters that matter (RFC 3875 section 4.1); NULL where
 * there is none.  Everything is lent by the vector they were read from.
 * Where one stands twice the first counts and `doubled` or a twice_ flag
 * tells.  REMOTE_USER is never read: nginx fills it without checking.
 */
struct xa_params {
    const char *method;         /* REQUEST_METHOD */
    const char *path_info;      /* PATH_INFO, decoded by the server */
    const char *request_uri;    /* REQUEST_URI, as it came */
    const char *query;          /* QUERY_STRING */
    const char *content_type;   /* CONTENT_TYPE */
    const char *content_length; /* CONTENT_LENGTH */
    const char *authorization;  /* HTTP_AUTHORIZATION */
    const char *auth_token;     /* HTTP_X_AUTH_TOKEN */
    const char *remote_addr;    /* REMOTE_ADDR */
    /* set by the server, whatever the visitor sent */
    const char *scope;           /* XIVO_AUTH_SCOPE */
    const char *scope_prefix;    /* XIVO_AUTH_SCOPE_PREFIX */
    const char *trust_forwarded; /* XIVO_AUTH_TRUST_FORWARDED */

    bool doubled; /* one that decides what is asked stands twice */
    bool twice_authorization;
    bool twice_auth_token;
    bool unknown_rule; /* an XIVO_AUTH_* that we do not know */
};

/* Read "NAME=value" strings, ended by NULL. */
void xa_params_read(const char *const *vector, struct xa_params *out);

/*
 * Find one by its name.  False: it stands there twice.
 *
 *   out  its value, lent; NULL when it is not there, or twice
 */
bool xa_params_find(const char *const *vector, const char *name,
                    const char **out);

#endif
