/* request.c - one request, read from its CGI parameters. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/request.h"

#include <string.h>

#include "core/base/secret.h"
#include "core/base/str.h"
#include "fcgi/path.h"
#include "fcgi/query.h"

static const struct {
    const char *name;
    enum xa_method method;
} methods[] = {
    {"GET", XA_GET},       {"HEAD", XA_HEAD},       {"POST", XA_POST},
    {"DELETE", XA_DELETE}, {"OPTIONS", XA_OPTIONS},
};

static enum xa_method
find_method(const char *name)
{
    for (size_t i = 0; name && i < XA_COUNT(methods); i++)
        if (strcmp(methods[i].name, name) == 0)
            return methods[i].method;
    return XA_OTHER_METHOD;
}

void
xa_request_init(struct xa_request *req, const struct xa_cgi *cgi,
                int64_t now_us)
{
    const struct xa_params *params = &req->params;

    req->cgi = *cgi;
    req->now_us = now_us;
    xa_params_read(cgi->params, &req->params);
    req->method = find_method(params->method);
    req->path_problem =
        xa_path_read(params->path_info, params->request_uri, &req->path);
    req->scope_problem = xa_query_scope(params->query, &req->scope);
}

/* A path holds a token, and a scope may name people. */
static void
wipe_text(char **text)
{
    if (*text)
        xa_wipe(*text, strlen(*text));
    xa_str_free(text);
}

void
xa_request_done(struct xa_request *req)
{
    wipe_text(&req->path);
    wipe_text(&req->scope);
    *req = (struct xa_request)XA_REQUEST_EMPTY;
}
