/* yaml_lines.c - the lines of a YAML text, for editing it by hand. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/yaml_lines.h"

#include <stdlib.h>
#include <string.h>

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool
is_line_end(const struct xa_lines *lines, size_t at)
{
    return at >= lines->len || lines->text[at] == '\n' ||
           lines->text[at] == '\r';
}

/* Whether YAML sees the end of a line here and we do not: a CR alone, or
 * U+0085, U+2028, U+2029. */
static bool
is_odd_break(const char *text, size_t len, size_t at)
{
    const char *rest = text + at;
    size_t left = len - at;

    return (*rest == '\r' && (left < 2 || rest[1] != '\n')) ||
           (left >= 2 && memcmp(rest, "\xc2\x85", 2) == 0) ||
           (left >= 3 && (memcmp(rest, "\xe2\x80\xa8", 3) == 0 ||
                          memcmp(rest, "\xe2\x80\xa9", 3) == 0));
}

enum xa_rc
xa_lines_init(struct xa_lines *lines, const char *text, size_t len,
              struct xa_err *err)
{
    size_t *starts;
    unsigned count = 0;
    size_t next = 0;

    for (size_t i = 0; i < len; i++) {
        if (is_odd_break(text, len, i))
            return xa_fail(err, XA_E_CONFIG, "line %u does not end with LF",
                           count + 1);
        if (text[i] == '\n' || i + 1 == len)
            count++;
    }
    starts = calloc(count + 1u, sizeof *starts);
    if (!starts)
        return xa_fail_nomem(err);
    for (size_t i = 0; i < len; i++)
        if (text[i] == '\n' || i + 1 == len)
            starts[++next] = i + 1;
    *lines = (struct xa_lines){
        .text = text, .len = len, .starts = starts, .count = count};
    return XA_OK;
}

void
xa_lines_done(struct xa_lines *lines)
{
    free(lines->starts);
    *lines = (struct xa_lines)XA_LINES_NONE;
}

size_t
xa_lines_start(const struct xa_lines *lines, unsigned line)
{
    return line <= lines->count ? lines->starts[line - 1] : lines->len;
}

size_t
xa_lines_end(const struct xa_lines *lines, size_t at)
{
    while (!is_line_end(lines, at))
        at++;
    return at;
}

unsigned
xa_lines_indent(const struct xa_lines *lines, unsigned line)
{
    size_t start = xa_lines_start(lines, line);
    size_t at = start;

    while (at < lines->len && lines->text[at] == ' ')
        at++;
    return (unsigned)(at - start);
}

bool
xa_lines_is_content(const struct xa_lines *lines, unsigned line)
{
    return !xa_lines_is_rest_blank(lines, xa_lines_start(lines, line));
}

bool
xa_lines_is_comment(const struct xa_lines *lines, unsigned line)
{
    size_t at = xa_lines_skip_blanks(lines, xa_lines_start(lines, line));

    return at < lines->len && lines->text[at] == '#';
}

unsigned
xa_lines_last_content(const struct xa_lines *lines, unsigned line, unsigned end)
{
    while (end > line + 1 && !xa_lines_is_content(lines, end - 1))
        end--;
    return end > line ? end - 1 : line;
}

size_t
xa_lines_skip_blanks(const struct xa_lines *lines, size_t at)
{
    while (at < lines->len && is_blank(lines->text[at]))
        at++;
    return at;
}

bool
xa_lines_is_rest_blank(const struct xa_lines *lines, size_t at)
{
    size_t end = xa_lines_skip_blanks(lines, at);

    if (is_line_end(lines, end))
        return true;
    return lines->text[end] == '#' &&
           (end > at || end == 0 || lines->text[end - 1] == '\n');
}

/* Step over a text in quotes, also over several lines. */
static bool
skip_quoted(const struct xa_lines *lines, size_t at, size_t limit, size_t *out)
{
    char quote = lines->text[at];

    for (at++; at < limit; at++) {
        char c = lines->text[at];

        if (c == '\\' && quote == '"') {
            at++;
        } else if (c == quote) {
            if (quote == '"' || at + 1 >= limit ||
                lines->text[at + 1] != '\'') {
                *out = at + 1;
                return true;
            }
            at++; /* '' stands for one ' */
        }
    }
    return false;
}

/* Where a plain scalar ends: before ` #`, before `: ` and a `:` that ends the
 * line if it is a key, and without the blanks behind it. */
static size_t
plain_end(const struct xa_lines *lines, size_t at, bool is_key)
{
    size_t end = at;

    for (; !is_line_end(lines, at); at++) {
        char c = lines->text[at];

        if (c == '#' && at > 0 && is_blank(lines->text[at - 1]))
            break;
        if (is_key && c == ':' &&
            (is_line_end(lines, at + 1) || is_blank(lines->text[at + 1])))
            break;
        if (!is_blank(c))
            end = at + 1;
    }
    return end;
}

bool
xa_lines_find_value(const struct xa_lines *lines, unsigned line,
                    const char *key, size_t *out)
{
    size_t at = xa_lines_start(lines, line) + xa_lines_indent(lines, line);
    size_t end;
    bool is_quoted;

    if (at >= lines->len)
        return false;
    is_quoted = lines->text[at] == '"' || lines->text[at] == '\'';
    if (!is_quoted)
        end = plain_end(lines, at, true);
    else if (!skip_quoted(lines, at, xa_lines_end(lines, at), &end))
        return false;
    /* a key with an escape in it is compared by whoever parses the result */
    if (!is_quoted &&
        (end - at != strlen(key) || memcmp(lines->text + at, key, end - at)))
        return false;
    end = xa_lines_skip_blanks(lines, end);
    if (end >= lines->len || lines->text[end] != ':')
        return false;
    *out = end + 1;
    return true;
}

bool
xa_lines_scalar_end(const struct xa_lines *lines, size_t at, size_t *out)
{
    size_t end;

    if (is_line_end(lines, at) || strchr("&*!|>{}[]#%@`,?-", lines->text[at]))
        return false;
    if (lines->text[at] != '"' && lines->text[at] != '\'')
        end = plain_end(lines, at, false);
    else if (!skip_quoted(lines, at, xa_lines_end(lines, at), &end))
        return false;
    if (!xa_lines_is_rest_blank(lines, end))
        return false;
    *out = end;
    return true;
}

bool
xa_lines_flow_end(const struct xa_lines *lines, size_t at, size_t limit,
                  size_t *out)
{
    const char *text = lines->text;
    size_t depth = 0;

    while (at < limit) {
        char c = text[at];
        bool begins = at > 0 && strchr(" \t\r\n,[{", text[at - 1]) != NULL;

        if ((c == '"' || c == '\'') && (begins || text[at - 1] == ':')) {
            if (!skip_quoted(lines, at, limit, &at))
                return false;
            continue;
        }
        if (begins && strchr("#&*", c))
            return false;
        if (c == '[' || c == '{')
            depth++;
        if ((c == ']' || c == '}') && --depth == 0) {
            *out = at + 1;
            return true;
        }
        at++;
    }
    return false;
}
