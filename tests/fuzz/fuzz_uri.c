/* fuzz_uri.c - the path and the scope of a request. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: PATH_INFO, newline, REQUEST_URI, newline, QUERY_STRING.  A decoder
 * that is as plain as can be must find the same path, and the same scope.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/auto.h"
#include "core/base/str.h"
#include "fcgi/path.h"
#include "fcgi/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static int
digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at =
        c ? strchr(digits, c | (c >= 'A' && c <= 'F' ? 32 : 0)) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* Decode to the end of text or one of `ends`; NULL: it cannot be decoded. */
static char *
decode(const char *text, const char *ends, bool plus)
{
    char *out = malloc(strlen(text) + 1);
    size_t len = 0;

    check(out != NULL);
    for (; *text && !strchr(ends, *text); text++) {
        int byte = (unsigned char)*text;

        if (*text == '%') {
            int high = digit(text[1]);
            int low = high < 0 ? -1 : digit(text[2]);

            byte = low < 0 ? 0 : high << 4 | low;
            text += low < 0 ? 0 : 2;
        }
        if (byte == 0) {
            free(out);
            return NULL;
        }
        out[len++] = (char)(plus && *text == '+' ? ' ' : byte);
    }
    out[len] = '\0';
    if (!xa_str_is_utf8(out, len))
        xa_str_free(&out);
    return out;
}

static void
check_path(const char *path_info, const char *uri)
{
    XA_AUTO(xa_str_free) char *path = NULL;
    XA_AUTO(xa_str_free) char *plain = NULL;
    size_t len;

    if (xa_path_read(path_info, uri, &path) != XA_FINE) {
        check(!path);
        return;
    }
    len = strlen(path);
    check(path[0] == '/' && len <= XA_PATH_MAX && !strstr(path, "//") &&
          !strstr(path, "/../") && xa_str_is_utf8(path, len) &&
          (len < 3 || strcmp(path + len - 3, "/..") != 0));
    if (*path_info) {
        check(strcmp(path, path_info) == 0);
        return;
    }
    plain = decode(uri, "?", false);
    check(plain && strstr(plain, path) && strlen(strstr(plain, path)) == len);
}

static void
check_scope(const char *query)
{
    XA_AUTO(xa_str_free) char *scope = NULL;
    XA_AUTO(xa_str_free) char *plain = NULL;
    const char *found = NULL;
    enum xa_problem problem = xa_query_scope(query, &scope);
    unsigned count = 0;

    for (const char *p = query; p;
         p = strchr(p, '&') ? strchr(p, '&') + 1 : NULL) {
        size_t len = strcspn(p, "=&");

        if (len != 5 || strncmp(p, "scope", 5) != 0)
            continue;
        found = p[len] == '=' ? p + len + 1 : "";
        count++;
    }
    if (count == 1)
        plain = decode(found, "&", true);
    check((problem == XA_FINE && count < 2 && (count == 0 || plain)) ||
          problem == XA_BAD_ENCODING || problem == XA_BAD_SCOPE_TWICE);
    check(problem != XA_BAD_SCOPE_TWICE || count > 1);
    check(problem != XA_BAD_ENCODING || count > 1 || (count == 1 && !plain));
    if (problem == XA_FINE)
        check(count == 0 ? !scope : strcmp(scope, plain) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    XA_AUTO(xa_str_free) char *text = malloc(size + 1);
    char *uri;
    char *query;

    check(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    uri = strchr(text, '\n');
    query = uri ? strchr(uri + 1, '\n') : NULL;
    if (!query)
        return 0;
    *uri++ = '\0';
    *query++ = '\0';
    check_path(text, uri);
    check_scope(query);
    return 0;
}
