/* path.c - the path of a request, decoded at most once. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/path.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"

/* A slash that was hidden from whoever looked at segments before us. */
static bool
has_hidden_slash(const char *raw, size_t len)
{
    const char *end = raw + len;

    while ((raw = memchr(raw, '%', (size_t)(end - raw)))) {
        if (end - raw > 2 && raw[1] == '2' && (raw[2] | 0x20) == 'f')
            return true;
        raw++;
    }
    return false;
}

static bool
is_clean(const char *path)
{
    const char *end;

    if (*path != '/')
        return false;
    for (; *path; path = end) {
        path++; /* the slash */
        end = strchrnul(path, '/');
        if (end == path && *end == '/')
            return false;
        if (end - path == 2 && path[0] == '.' && path[1] == '.')
            return false;
    }
    return true;
}

static enum xa_problem
decode(const char *raw, size_t len, bool encoded, char **out)
{
    XA_AUTO(xa_str_free) char *path = malloc(len + 1);
    ptrdiff_t n = (ptrdiff_t)len;

    if (!path)
        return XA_INTERNAL;
    memcpy(path, raw, len);
    path[len] = '\0';
    if (encoded)
        n = xa_str_percent_decode(raw, len, path, false);
    if (n < 0 || strlen(path) != (size_t)n || !xa_str_is_utf8(path, (size_t)n))
        return XA_BAD_ENCODING;
    if (!is_clean(path) || has_hidden_slash(raw, len))
        return XA_NO_ROUTE;
    *out = XA_TAKE(path);
    return XA_FINE;
}

enum xa_problem
xa_path_read(const char *path_info, const char *request_uri, char **out)
{
    bool encoded = !path_info || !*path_info;
    const char *raw = encoded ? request_uri : path_info;
    size_t len;

    if (!raw)
        return XA_NO_ROUTE;
    len = encoded ? strcspn(raw, "?") : strlen(raw);
    if (len > XA_PATH_MAX)
        return XA_NO_ROUTE;
    return decode(raw, len, encoded, out);
}
