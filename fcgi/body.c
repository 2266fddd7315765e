/* body.c - the body of a request, within its limits. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/body.h"

#include <string.h>
#include <strings.h>

#include "core/base/str.h"

#define JSON_TYPE "application/json"

bool
xa_body_is_json_type(const char *content_type)
{
    size_t len = sizeof JSON_TYPE - 1;

    if (!content_type || !*content_type)
        return true;
    if (strncasecmp(content_type, JSON_TYPE, len) != 0)
        return false;
    content_type += len;
    content_type += strspn(content_type, " \t");
    return *content_type == '\0' || *content_type == ';';
}

static enum xa_problem
parse_length(const char *text, size_t max, size_t *out)
{
    uint64_t len = 0;

    if (text && *text) {
        if (text[strspn(text, "0123456789")] != '\0')
            return XA_BAD_BODY_LENGTH;
        if (!xa_str_to_u64(text, max, &len))
            return XA_TOO_LARGE;
    }
    *out = (size_t)len;
    return XA_FINE;
}

enum xa_problem
xa_body_read(const struct xa_request *req, struct xa_buf *out)
{
    enum xa_problem problem;
    size_t len = 0;
    size_t got;
    void *place;

    problem = parse_length(req->params.content_length, out->max, &len);
    if (problem != XA_FINE)
        return problem;
    place = xa_buf_reserve(out, len);
    if (!place)
        return XA_INTERNAL;
    got = len > 0 ? req->cgi.read(req->cgi.read_ctx, place, len) : 0;
    out->len += got;
    return got == len ? XA_FINE : XA_BAD_BODY_LENGTH;
}
