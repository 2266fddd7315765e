/* params.c - the CGI parameters of a request, read once. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/params.h"

#include <stddef.h>
#include <string.h>

#include "core/base/auto.h"

#define PREFIX "XIVO_AUTH_"
#define NOWHERE ((size_t)-1) /* a second one is no fault */

#define AT(member) offsetof(struct xa_params, member)
#define NAME(text) (text), sizeof(text) - 1

static const struct {
    const char *name;
    size_t name_len;
    size_t value; /* offset of the value */
    size_t twice; /* offset of the flag for a second one */
} known[] = {
    {NAME("REQUEST_METHOD"), AT(method), AT(doubled)},
    {NAME("PATH_INFO"), AT(path_info), AT(doubled)},
    {NAME("REQUEST_URI"), AT(request_uri), NOWHERE},
    {NAME("QUERY_STRING"), AT(query), AT(doubled)},
    {NAME("CONTENT_TYPE"), AT(content_type), NOWHERE},
    {NAME("CONTENT_LENGTH"), AT(content_length), AT(doubled)},
    {NAME("HTTP_AUTHORIZATION"), AT(authorization), AT(twice_authorization)},
    {NAME("HTTP_X_AUTH_TOKEN"), AT(auth_token), AT(twice_auth_token)},
    {NAME("REMOTE_ADDR"), AT(remote_addr), NOWHERE},
    {NAME(PREFIX "SCOPE"), AT(scope), NOWHERE}, /* all PREFIX: below */
    {NAME(PREFIX "SCOPE_PREFIX"), AT(scope_prefix), NOWHERE},
    {NAME(PREFIX "TRUST_FORWARDED"), AT(trust_forwarded), NOWHERE},
};

static void
keep(struct xa_params *out, size_t row, const char *value)
{
    const char **slot = (const char **)((char *)out + known[row].value);

    if (!*slot)
        *slot = value;
    else if (known[row].twice != NOWHERE)
        *(bool *)((char *)out + known[row].twice) = true;
}

static bool
is_known(const char *name, size_t len, size_t *out_row)
{
    for (size_t i = 0; i < XA_COUNT(known); i++) {
        if (known[i].name_len == len && memcmp(known[i].name, name, len) == 0) {
            *out_row = i;
            return true;
        }
    }
    return false;
}

/* Whether "NAME=value" has this name; each request asks this often. */
static bool
is_named(const char *param, const char *name, size_t len)
{
    return *param == *name && strncmp(param, name, len) == 0 &&
           param[len] == '=';
}

static bool
stands_again(const char *const *rest, const char *name, size_t len)
{
    for (; *rest; rest++)
        if (is_named(*rest, name, len))
            return true;
    return false;
}

void
xa_params_read(const char *const *vector, struct xa_params *out)
{
    memset(out, 0, sizeof *out);
    for (; *vector; vector++) {
        const char *equals = strchr(*vector, '=');
        size_t len = equals ? (size_t)(equals - *vector) : 0;
        bool is_rule = len >= sizeof PREFIX - 1 &&
                       memcmp(*vector, PREFIX, sizeof PREFIX - 1) == 0;
        size_t row;

        if (!equals)
            continue;
        if (is_rule && stands_again(vector + 1, *vector, len))
            out->doubled = true;
        if (is_known(*vector, len, &row))
            keep(out, row, equals + 1);
        else if (is_rule)
            out->unknown_rule = true;
    }
}

bool
xa_params_find(const char *const *vector, const char *name, const char **out)
{
    size_t len = strlen(name);
    const char *found = NULL;

    *out = NULL;
    for (; *vector; vector++) {
        if (!is_named(*vector, name, len))
            continue;
        if (found)
            return false;
        found = *vector + len + 1;
    }
    *out = found;
    return true;
}
