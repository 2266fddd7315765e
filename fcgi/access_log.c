/* access_log.c - the line that each request leaves. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/access_log.h"

#include <string.h>

#include "core/base/log.h"
#include "core/base/str.h"
#include "fcgi/mask.h"

/* A path that was refused, as it came. */
static const char *
raw_path_of(const struct xa_request *req)
{
    const struct xa_params *params = &req->params;

    if (params->path_info && *params->path_info)
        return params->path_info;
    return params->request_uri;
}

/* Each value takes VALUE_MAX at most; then the names, status and time. */
#define LINE_MAX_OF(values) ((values)*XA_LOG_VALUE_MAX + 128)

/* " name=" and a value from outside: masked, up to one of the stops, quoted.
 * Returns the end. */
static char *
put_value(char *end, const char *name, const char *text, const char *stops)
{
    char masked[XA_MASK_TEXT];

    end = stpcpy(end, name);
    xa_mask(text, masked);
    masked[strcspn(masked, stops)] = '\0';
    xa_log_quote(text ? masked : NULL, end);
    return end + strlen(end);
}

/*
 * " path=" and the path.  When the key of the token in it was had already,
 * it takes the token's place without another hash; what stands before is the
 * route's own text.
 */
static char *
put_path(char *end, const struct xa_request *req, const struct xa_reply *reply)
{
    char shown[XA_SHA256_TEXT];

    if (!req->path) /* as it came, so perhaps with a query */
        return put_value(end, " path=", raw_path_of(req), "?");
    if (!req->token || !*reply->key.text)
        return put_value(end, " path=", req->path, "");
    xa_key_shown(&reply->key, shown);
    end = stpcpy(end, " path=\"");
    end = mempcpy(end, req->path, (size_t)(req->token - req->path));
    end = mempcpy(end, shown, XA_MASK_DIGITS);
    return stpcpy(end, "\"");
}

/* Built by hand: printf would take longer than the check that is told. */
void
xa_access_log(const struct xa_request *req, const struct xa_reply *reply,
              int64_t took_us)
{
    enum xa_level level = reply->status >= 500 ? XA_ERROR : XA_INFO;
    const struct xa_params *params = &req->params;
    uint64_t us = took_us > 0 ? (uint64_t)took_us : 0;
    char line[LINE_MAX_OF(5)];
    char *end = line;

    if (!xa_log_enabled(level))
        return;
    end = put_value(end, "remote=", params->remote_addr, "");
    end = xa_str_put_digits(stpcpy(end, " status="), reply->status, 3);
    end = xa_str_put_u64(stpcpy(end, " ms="), us / 1000);
    end = xa_str_put_digits(stpcpy(end, "."), us % 1000, 3);
    /* The cause of a refusal could tell whether a user exists. */
    if (level == XA_ERROR) {
        xa_log_quote(reply->err.text, stpcpy(end, " cause="));
        end += strlen(end);
    }
    /* What a client can make long comes last, for a long line is cut. */
    end = put_value(end, " method=", params->method, "");
    end = put_path(end, req, reply);
    put_value(end, " query=", params->query, "");
    xa_log_later(level, "request.done", line);
}
