/* access_log.c - the line that each request leaves. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/access_log.h"

#include <inttypes.h>

#include "core/base/log.h"
#include "fcgi/mask.h"

/* The path as it was routed; one that was refused as it came. */
static const char *
path_of(const struct xa_request *req)
{
    const struct xa_params *params = &req->params;

    if (req->path)
        return req->path;
    if (params->path_info && *params->path_info)
        return params->path_info;
    return params->request_uri;
}

/* A value from outside: masked, quoted. */
static const char *
show(const char *text, char out[XA_LOG_VALUE_MAX])
{
    char masked[XA_MASK_TEXT];

    return xa_log_quote(text ? xa_mask(text, masked) : NULL, out);
}

void
xa_access_log(const struct xa_request *req, const struct xa_reply *reply,
              int64_t took_us)
{
    enum xa_level level = reply->status >= 500 ? XA_ERROR : XA_INFO;
    const struct xa_params *params = &req->params;
    char addr[XA_LOG_VALUE_MAX];
    char method[XA_LOG_VALUE_MAX];
    char path[XA_LOG_VALUE_MAX];
    char query[XA_LOG_VALUE_MAX];
    char cause[XA_LOG_VALUE_MAX];

    if (!xa_log_enabled(level))
        return;
    show(params->remote_addr, addr);
    show(params->method, method);
    show(path_of(req), path);
    show(params->query, query);
    /* The cause of a refusal could tell whether a user exists. */
    xa_log_quote(level == XA_ERROR ? reply->err.text : NULL, cause);
    xa_log(level, "request.done",
           "remote=%s method=%s path=%s query=%s status=%u ms=%" PRId64
           ".%03" PRId64 "%s%s",
           addr, method, path, query, reply->status, took_us / 1000,
           took_us % 1000, level == XA_ERROR ? " cause=" : "",
           level == XA_ERROR ? cause : "");
}
