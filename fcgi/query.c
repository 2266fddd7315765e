/* query.c - the scope out of a query string. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/query.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"

#define NAME "scope"
#define ENCODED_NAME_MAX (3 * (sizeof NAME - 1))

/* Whether a name means NAME, also when some of it is percent-encoded. */
static bool
is_scope(const char *name, size_t len)
{
    char plain[ENCODED_NAME_MAX + 1];
    ptrdiff_t n;

    if (len > ENCODED_NAME_MAX)
        return false;
    n = xa_str_percent_decode(name, len, plain, true);
    return n == sizeof NAME - 1 && memcmp(plain, NAME, sizeof NAME - 1) == 0;
}

static enum xa_problem
decode(const char *value, size_t len, char **out)
{
    XA_AUTO(xa_str_free) char *scope = malloc(len + 1);
    ptrdiff_t n;

    if (!scope)
        return XA_INTERNAL;
    n = xa_str_percent_decode(value, len, scope, true);
    if (n < 0 || strlen(scope) != (size_t)n ||
        !xa_str_is_utf8(scope, (size_t)n))
        return XA_BAD_ENCODING;
    *out = XA_TAKE(scope);
    return XA_FINE;
}

enum xa_problem
xa_query_scope(const char *query, char **out)
{
    const char *found = NULL;
    size_t found_len = 0;
    size_t name_len;
    size_t len;

    for (; query && *query; query += len + (query[len] == '&')) {
        len = strcspn(query, "&");
        name_len = strcspn(query, "=&");
        if (!is_scope(query, name_len))
            continue;
        if (found)
            return XA_BAD_SCOPE_TWICE;
        found = query + name_len + (query[name_len] == '=');
        found_len = (size_t)(query + len - found);
    }
    if (!found) {
        *out = NULL;
        return XA_FINE;
    }
    return decode(found, found_len, out);
}
