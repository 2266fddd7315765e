/* json.c - JSON in by json-c's strict mode, JSON out by hand. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/json.h"

#include <limits.h>
#include <string.h>

#include <json.h>

#include "core/base/str.h"

static void
tokener_free(struct json_tokener **tok)
{
    if (*tok)
        json_tokener_free(*tok);
    *tok = NULL;
}

/*
 * Levels of arrays and objects in a text that json-c has accepted.  Both
 * quotes count, because json-c takes a key in single ones.
 */
static int
depth_of(const char *text, size_t len)
{
    char quote = '\0';
    int depth = 0;
    int deepest = 0;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (quote) {
            if (c == '\\')
                i++;
            else if (c == quote)
                quote = '\0';
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '[' || c == '{') {
            depth++;
            deepest = depth > deepest ? depth : deepest;
        } else if (c == ']' || c == '}') {
            depth--;
        }
    }
    return deepest;
}

/* json-c cannot know that a number, or white space, is over until it sees
 * what is behind it; a NUL says so. */
static enum json_tokener_error
parse_whole(struct json_tokener *tok, const char *text, size_t len,
            struct json_object **out)
{
    enum json_tokener_error said;

    *out = json_tokener_parse_ex(tok, text, (int)len);
    said = json_tokener_get_error(tok);
    if (said == json_tokener_continue) {
        *out = json_tokener_parse_ex(tok, "", 1);
        said = json_tokener_get_error(tok);
    } else if (said == json_tokener_success &&
               json_tokener_get_parse_end(tok) != len) {
        xa_json_free(out);
        said = json_tokener_error_parse_unexpected;
    }
    return said;
}

enum xa_json_fault
xa_json_parse(const char *text, size_t len, int max_depth,
              struct json_object **out)
{
    XA_AUTO(tokener_free) struct json_tokener *tok = NULL;
    XA_AUTO(xa_json_free) struct json_object *json = NULL;
    enum json_tokener_error said;

    if (len == 0 || len > INT_MAX || memchr(text, '\0', len) ||
        !xa_str_is_utf8(text, len))
        return XA_JSON_SYNTAX;
    /* json-c counts a scalar as a level, and an empty array as none: with
     * one level more it refuses nothing that we take */
    tok = json_tokener_new_ex(max_depth + 1);
    if (!tok)
        return XA_JSON_SYNTAX;
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT);

    said = parse_whole(tok, text, len, &json);
    if (said == json_tokener_error_depth)
        return XA_JSON_TOO_DEEP;
    if (said != json_tokener_success)
        return XA_JSON_SYNTAX;
    if (depth_of(text, len) > max_depth)
        return XA_JSON_TOO_DEEP;
    *out = XA_TAKE(json);
    return XA_JSON_FINE;
}

void
xa_json_free(struct json_object **json)
{
    json_object_put(*json);
    *json = NULL;
}

static void
put_escaped(struct xa_buf *buf, unsigned char c)
{
    static const char shorts[][2] = {
        {'"', '"'},  {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'},
        {'\n', 'n'}, {'\r', 'r'},  {'\t', 't'},
    };

    xa_buf_putc(buf, '\\');
    for (size_t i = 0; i < XA_COUNT(shorts); i++) {
        if (shorts[i][0] == (char)c) {
            xa_buf_putc(buf, shorts[i][1]);
            return;
        }
    }
    xa_buf_putf(buf, "u%04x", c);
}

static bool
is_clean(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

void
xa_json_put_string(struct xa_buf *buf, const char *text)
{
    const char *run = text;

    xa_buf_putc(buf, '"');
    for (; *text; text++) {
        if (is_clean((unsigned char)*text))
            continue;
        xa_buf_put(buf, run, (size_t)(text - run));
        put_escaped(buf, (unsigned char)*text);
        run = text + 1;
    }
    xa_buf_put(buf, run, (size_t)(text - run));
    xa_buf_putc(buf, '"');
}

void
xa_json_put_string_or_null(struct xa_buf *buf, const char *text)
{
    if (text)
        xa_json_put_string(buf, text);
    else
        xa_buf_puts(buf, "null");
}

void
xa_json_put_strings(struct xa_buf *buf, const char *const *items, size_t count)
{
    xa_buf_putc(buf, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            xa_buf_puts(buf, ", ");
        xa_json_put_string(buf, items[i]);
    }
    xa_buf_putc(buf, ']');
}
