/* path_acl.c - the ACL that a method and a path ask for. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/path_acl.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/str.h"
#include "core/support/config_value.h"

#define KEY "authorize.paths"
#define ROWS_MAX 1024
#define ROW_PATH_MAX 1024 /* bytes */
#define PREFIX_MAX 1024

static const struct {
    const char *method;
    const char *action;
} actions[] = {
    {"GET", ".read"},   {"HEAD", ".read"},    {"POST", ".create"},
    {"PUT", ".update"}, {"PATCH", ".update"}, {"DELETE", ".delete"},
};

static const char *
find_action(const char *method)
{
    for (size_t i = 0; method && i < XA_COUNT(actions); i++)
        if (strcmp(actions[i].method, method) == 0)
            return actions[i].action;
    return NULL;
}

/* --- paths, decoded ------------------------------------------------------- */

/* The slash or NUL behind the segment that path points to. */
static const char *
segment_end(const char *path)
{
    return strchrnul(path, '/');
}

static bool
is_dots(const char *segment, size_t len)
{
    return (len == 1 || len == 2) && strncmp(segment, "..", len) == 0;
}

/* Why no ACL is made from it; NULL: nothing against it.  Of what is allowed
 * in a row only the stars differ. */
static const char *
find_fault(const char *path, bool may_have_stars)
{
    size_t len = strlen(path);
    const char *end;

    if (!xa_str_is_utf8(path, len))
        return "is no UTF-8";
    if (xa_str_has_control(path, len))
        return "has a control character";
    if (*path != '/')
        return "does not begin with a slash";
    for (; *path; path = end) {
        size_t n;

        path++; /* the slash */
        end = segment_end(path);
        n = (size_t)(end - path);
        if (n == 0)
            return "has an empty segment";
        if (is_dots(path, n))
            return "has a segment of dots";
        if (may_have_stars && n == 1 && *path == '*')
            continue;
        if (strcspn(path, "/*#;\\") < n)
            return "has one of * # ; \\";
    }
    return NULL;
}

/* A path as it stands in an ACL. */
static void
put_words(struct xa_buf *buf, const char *path)
{
    /* analyzer: what is NULL has been refused: see its callers */
    for (; *path; path++)
        xa_buf_putc(buf, *path == '/' ? '.' : *path == '.' ? '_' : *path);
}

/* --- rows ----------------------------------------------------------------- */

void
xa_path_rules_free(struct xa_path_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        xa_str_free(&rules->rows[i].path);
        xa_str_free(&rules->rows[i].words);
    }
    free(rules->rows);
    *rules = (struct xa_path_rules){0};
}

/* The text of a key of a row, a path; "/" alone is given as "". */
static enum xa_rc
read_path(const struct xa_node *row, const char *name, bool may_have_stars,
          const char **out, struct xa_err *err)
{
    const struct xa_node *node = xa_node_get(row, name);
    const char *expected =
        may_have_stars ? "a path like /confd/*: segments that are not "
                         "empty, . or .., without # ; \\ and %, a * only "
                         "as a whole segment"
                       : "/ or a path like /users: segments that are "
                         "not empty, . or .., without * # ; \\ and %";
    const char *text = xa_node_text(node);
    char key[sizeof KEY + 8];

    stpcpy(stpcpy(stpcpy(key, KEY), "."), name);
    if (text && strcmp(text, "/") == 0) {
        *out = "";
        return XA_OK;
    }
    if (!text || strlen(text) > ROW_PATH_MAX || strchr(text, '%') ||
        find_fault(text, may_have_stars))
        return xa_complain(node ? node : row, key, false, expected, err);
    *out = text;
    return XA_OK;
}

static enum xa_rc
check_keys(const struct xa_node *row, struct xa_err *err)
{
    const char *expected = "a row like {path: /confd/1.1, as: /}";
    const char *key;

    if (xa_node_kind(row) != XA_NODE_MAP)
        return xa_complain(row, KEY, false, expected, err);
    for (size_t i = 0; xa_node_item(row, i, &key); i++) {
        char where[XA_WHERE_MAX];

        if (strcmp(key, "path") == 0 || strcmp(key, "as") == 0)
            continue;
        return xa_fail(err, XA_E_CONFIG,
                       "%s: " KEY ": found key \"%.64s\", expected %s",
                       xa_node_where(row, where), key, expected);
    }
    return XA_OK;
}

static enum xa_rc
read_row(const struct xa_node *node, struct xa_path_rule *out,
         struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf words = XA_BUF(ROW_PATH_MAX);
    const char *path = NULL;
    const char *as = NULL;
    enum xa_rc rc;

    rc = check_keys(node, err);
    if (rc == XA_OK)
        rc = read_path(node, "path", true, &path, err);
    if (rc == XA_OK)
        rc = read_path(node, "as", false, &as, err);
    if (rc != XA_OK)
        return rc;
    put_words(&words, as);
    rc = xa_buf_check(&words, err);
    if (rc == XA_OK)
        rc = xa_str_dup(xa_buf_text(&words), &out->words, err);
    if (rc == XA_OK)
        rc = xa_str_dup(path, &out->path, err);
    return rc;
}

enum xa_rc
xa_path_rules_read(const struct xa_node *node, struct xa_path_rules *out,
                   struct xa_err *err)
{
    XA_AUTO(xa_path_rules_free) struct xa_path_rules rules = {0};
    size_t count = xa_node_count(node);
    enum xa_rc rc = XA_OK;

    if (count > ROWS_MAX)
        return xa_fail(err, XA_E_CONFIG, KEY ": more than %d rows", ROWS_MAX);
    if (count > 0) {
        rules.rows = calloc(count, sizeof *rules.rows);
        if (!rules.rows)
            return xa_fail(err, XA_E_NOMEM, "no memory for " KEY);
    }
    while (rc == XA_OK && rules.count < count) {
        const struct xa_node *row = xa_node_item(node, rules.count, NULL);

        rc = read_row(row, &rules.rows[rules.count++], err);
    }
    if (rc != XA_OK)
        return rc;
    *out = rules;
    /* analyzer: ownership leaves here, where rules goes out of scope */
    rules = (struct xa_path_rules){0};
    return XA_OK;
}

/* Where the rest of path begins behind what a row takes; NULL: it does not
 * begin so.  Both begin with a slash or are empty. */
static const char *
match(const char *pattern, const char *path)
{
    while (*pattern) {
        const char *pattern_end = segment_end(pattern + 1);
        const char *path_end;
        size_t len = (size_t)(pattern_end - pattern);

        if (!*path)
            return NULL;
        path_end = segment_end(path + 1);
        if (!(len == 2 && pattern[1] == '*') &&
            !((size_t)(path_end - path) == len &&
              memcmp(path, pattern, len) == 0))
            return NULL;
        pattern = pattern_end;
        path = path_end;
    }
    return path;
}

/* Append the words of a path, the first row that fits having been applied. */
static void
put_shaped(const struct xa_path_rules *rules, const char *path,
           struct xa_buf *buf)
{
    const char *rest = NULL;

    for (size_t i = 0; i < rules->count && !rest; i++) {
        rest = match(rules->rows[i].path, path);
        if (rest)
            xa_buf_puts(buf, rules->rows[i].words);
    }
    put_words(buf, rest ? rest : path);
}

/* --- the request ---------------------------------------------------------- */

/* A slash that was hidden from whoever looked at segments before us. */
static bool
has_hidden_slash(const char *raw, size_t len)
{
    for (size_t i = 0; i + 2 < len; i++)
        if (raw[i] == '%' && raw[i + 1] == '2' && (raw[i + 2] | 0x20) == 'f')
            return true;
    return false;
}

/* A blank is no part of a target; one that stands there joins two values. */
static const char *
decode(const char *target, char out[XA_PATH_ACL_MAX + 1])
{
    size_t len = strcspn(target, "?");
    ptrdiff_t n;

    if (len > XA_PATH_ACL_MAX)
        return "is too long";
    if (memchr(target, ' ', len))
        return "has a blank";
    if (has_hidden_slash(target, len))
        return "has an encoded slash";
    n = xa_str_percent_decode(target, len, out, false);
    if (n < 0)
        return "has a stray percent sign";
    if (strlen(out) != (size_t)n)
        return "has a NUL";
    return find_fault(out, false);
}

enum xa_rc
xa_path_acl(const struct xa_path_rules *rules, const char *prefix,
            const char *method, const char *target, char **out,
            struct xa_err *err)
{
    XA_AUTO(xa_buf_free)
    struct xa_buf acl = XA_BUF(PREFIX_MAX + ROW_PATH_MAX + XA_PATH_ACL_MAX + 8);
    char path[XA_PATH_ACL_MAX + 1];
    const char *action = find_action(method);
    const char *fault;
    size_t len = strlen(prefix);
    enum xa_rc rc;

    if (len == 0 || len > PREFIX_MAX || xa_str_has_control(prefix, len) ||
        !xa_str_is_utf8(prefix, len))
        return xa_fail(err, XA_E_FORBIDDEN, "the prefix is no text");
    if (!action)
        return xa_fail(err, XA_E_FORBIDDEN, "the method stands for no action");
    fault = target ? decode(target, path) : "is not told";
    if (fault)
        return xa_fail(err, XA_E_FORBIDDEN, "the path %s", fault);
    xa_buf_puts(&acl, prefix);
    put_shaped(rules, path, &acl);
    xa_buf_puts(&acl, action);
    rc = xa_buf_check(&acl, err);
    if (rc != XA_OK)
        return rc;
    return xa_str_dup(xa_buf_text(&acl), out, err);
}
