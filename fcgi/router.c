/* router.c - which handler answers a path and a method. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/router.h"

#include <string.h>

#define TOKEN "{token}"

static const struct xa_route routes[] = {
    {XA_POST, "/0.1/token", xa_handle_token_create, false},
    {XA_GET | XA_HEAD, "/0.1/token/" TOKEN, xa_handle_token_show, false},
    {XA_DELETE, "/0.1/token/" TOKEN, xa_handle_token_revoke, false},
    {XA_GET | XA_HEAD, "/0.1/authorize", xa_handle_authorize, true},
    {XA_GET | XA_HEAD, "/0.1/backends", xa_handle_backends, false},
    {XA_GET | XA_HEAD, "/0.1/status", xa_handle_status, false},
    {XA_GET | XA_HEAD, "/0.1/api/api.yml", xa_handle_api, false},
};

static const struct {
    enum xa_method method;
    const char *name;
} methods[] = {
    {XA_GET, "GET"},       {XA_HEAD, "HEAD"},       {XA_POST, "POST"},
    {XA_DELETE, "DELETE"}, {XA_OPTIONS, "OPTIONS"},
};

const struct xa_route *
xa_router_table(size_t *out_count)
{
    *out_count = XA_COUNT(routes);
    return routes;
}

/* Only the last segment of a pattern may be {token}. */
static bool
fits(const char *pattern, const char *path, const char **out_token)
{
    const char *token = strstr(pattern, TOKEN);
    size_t len = token ? (size_t)(token - pattern) : 0;

    if (!token)
        return strcmp(pattern, path) == 0;
    if (strncmp(pattern, path, len) != 0)
        return false;
    if (path[len] == '\0' || strchr(path + len, '/'))
        return false;
    *out_token = path + len;
    return true;
}

void
xa_router_match(const char *path, enum xa_method method, struct xa_match *out)
{
    *out = (struct xa_match){NULL, 0, NULL, false};
    for (size_t i = 0; i < XA_COUNT(routes); i++) {
        if (!fits(routes[i].path, path, &out->token))
            continue;
        out->allowed |= routes[i].methods;
        out->bare = routes[i].bare;
        if (routes[i].methods & method)
            out->handle = routes[i].handle;
    }
}

const char *
xa_router_allow(unsigned allowed, char out[XA_ALLOW_TEXT])
{
    char *end = out;

    *end = '\0';
    for (size_t i = 0; i < XA_COUNT(methods); i++) {
        if (!(allowed & methods[i].method))
            continue;
        if (end != out)
            end = stpcpy(end, ", ");
        end = stpcpy(end, methods[i].name);
    }
    return out;
}
