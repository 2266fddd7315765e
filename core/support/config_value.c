/* config_value.c - one value of the configuration: check it, store it. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/config_value.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/secret.h"
#include "core/base/str.h"
#include "core/support/yaml_node.h"

#define EXPECTED_MAX 160
#define ITEM_MAX 1024  /* bytes of one text in a list */
#define ITEMS_MAX 1024 /* texts in a list */

const char *
xa_node_where(const struct xa_node *node, char out[XA_WHERE_MAX])
{
    const char *file = xa_node_file(node);
    bool is_file =
        strcmp(file, XA_FROM_CLI) != 0 && strcmp(file, XA_FROM_ENV) != 0 &&
        strcmp(file, XA_FROM_OLD) != 0 && strcmp(file, XA_FROM_DEFAULTS) != 0;

    if (is_file)
        snprintf(out, XA_WHERE_MAX, "%s:%u", file, xa_node_line(node));
    else
        snprintf(out, XA_WHERE_MAX, "%s", file);
    return out;
}

enum xa_rc
xa_complain(const struct xa_node *node, const char *key, bool is_secret,
            const char *expected, struct xa_err *err)
{
    char where[XA_WHERE_MAX];
    char shown[XA_SHOWN_MAX];
    char found[XA_SHOWN_MAX + 2];

    if (xa_node_is_null(node))
        snprintf(found, sizeof found, "nothing");
    else if (xa_node_kind(node) == XA_NODE_MAP)
        snprintf(found, sizeof found, "a mapping");
    else if (xa_node_kind(node) == XA_NODE_LIST)
        snprintf(found, sizeof found, "a list");
    else if (is_secret)
        snprintf(found, sizeof found, "a text (not shown)");
    else
        snprintf(found, sizeof found, "\"%s\"",
                 xa_yaml_show(xa_node_text(node), shown));
    return xa_fail(err, XA_E_CONFIG, "%s: %s: found %s, expected %s",
                   xa_node_where(node, where), key, found, expected);
}

/* The words behind "expected". */
static void
describe(const struct xa_option *o, char out[EXPECTED_MAX])
{
    static const char *const fixed[] = {
        [XA_OPTION_BOOL] = "true or false",
        [XA_OPTION_PATH] = "an absolute path",
        [XA_OPTION_LOG_FILE] = "an absolute path, stderr or syslog",
        [XA_OPTION_LEVEL] = "critical, error, warning, info or debug",
        [XA_OPTION_VERIFY] = "true, false or the absolute path of a CA file",
        [XA_OPTION_TEXTS] = "a text or a list of texts",
        [XA_OPTION_NAMES] = "names made of a to z, 0 to 9 and _",
        [XA_OPTION_HOSTS] = "names or addresses, without scheme, port or path",
        [XA_OPTION_LIST] = "a list",
    };

    switch (o->type) {
    case XA_OPTION_U32:
    case XA_OPTION_U64:
        snprintf(out, EXPECTED_MAX,
                 "a whole number%s%s from %" PRId64 " to %" PRId64,
                 o->unit ? " of " : "", o->unit ? o->unit : "", o->min, o->max);
        break;
    case XA_OPTION_SECONDS:
        snprintf(out, EXPECTED_MAX,
                 "a number of seconds from %" PRId64 " to %" PRId64, o->min,
                 o->max);
        break;
    case XA_OPTION_MS:
        snprintf(out, EXPECTED_MAX, "a number of seconds from %g to %g",
                 (double)o->min / 1000, (double)o->max / 1000);
        break;
    case XA_OPTION_TEXT:
        snprintf(out, EXPECTED_MAX,
                 "a text of 1 to %" PRId64 " bytes without control characters",
                 o->max);
        break;
    case XA_OPTION_WORD:
        snprintf(out, EXPECTED_MAX, "%s", o->unit);
        break;
    default:
        snprintf(out, EXPECTED_MAX, "%s", fixed[o->type]);
    }
}

static bool
is_plain_text(const char *text, size_t max)
{
    size_t len = strlen(text);

    return len > 0 && len <= max && !xa_str_has_control(text, len);
}

static bool
is_path(const char *text)
{
    return text[0] == '/' && is_plain_text(text, 4095);
}

/* Whether text is one of the words of "one, two or three". */
static bool
is_word_of(const char *text, const char *words)
{
    size_t len = strlen(text);

    while (*words) {
        size_t n = strcspn(words, ", ");

        if (n == len && strncmp(words, text, n) == 0 && strcmp(text, "or") != 0)
            return true;
        words += n;
        words += strspn(words, ", ");
    }
    return false;
}

static bool
is_backend_name(const char *text)
{
    return *text &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* Of a name or an address, IPv6 with or without brackets. */
static bool
is_host(const char *text)
{
    static const char bytes[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-._:[]";

    return is_plain_text(text, ITEM_MAX) && text[strspn(text, bytes)] == '\0';
}

static bool
is_text_for(const struct xa_option *o, const char *text)
{
    switch (o->type) {
    case XA_OPTION_PATH:
        return is_path(text);
    case XA_OPTION_LOG_FILE:
        return is_path(text) || strcmp(text, "stderr") == 0 ||
               strcmp(text, "syslog") == 0;
    case XA_OPTION_WORD:
        return is_word_of(text, o->unit);
    case XA_OPTION_NAMES:
        return is_backend_name(text);
    case XA_OPTION_HOSTS:
        return is_host(text);
    case XA_OPTION_TEXTS:
        return is_plain_text(text, ITEM_MAX);
    default:
        return is_plain_text(text, (size_t)o->max);
    }
}

static bool
read_number(const struct xa_option *o, const struct xa_node *node, int64_t *out)
{
    double value;

    if (o->type == XA_OPTION_U32 || o->type == XA_OPTION_U64)
        return xa_node_to_int(node, out) && *out >= o->min && *out <= o->max;
    if (!xa_node_to_double(node, &value))
        return false;
    if (o->type == XA_OPTION_MS)
        value *= 1000;
    if (value < 0 || value > (double)o->max)
        return false;
    *out = (int64_t)value;
    if (o->type == XA_OPTION_MS)
        *out += value - (double)*out >= 0.5;
    else
        *out += value > (double)*out;
    return *out >= o->min && *out <= o->max;
}

static bool
set_number(const struct xa_option *o, const struct xa_node *node, void *field)
{
    int64_t value;

    if (!read_number(o, node, &value))
        return false;
    if (!field)
        return true;
    if (o->type == XA_OPTION_U64)
        *(uint64_t *)field = (uint64_t)value;
    else
        *(uint32_t *)field = (uint32_t)value;
    return true;
}

static bool
set_bool(const struct xa_node *node, void *field)
{
    bool value;

    if (!xa_node_to_bool(node, &value))
        return false;
    if (field)
        *(bool *)field = value;
    return true;
}

static bool
set_level(const struct xa_node *node, void *field)
{
    const char *text = xa_node_text(node);
    enum xa_level level;
    char lower[16];
    size_t len = 0;

    if (!text || strlen(text) >= sizeof lower)
        return false;
    for (; text[len]; len++)
        lower[len] = (char)tolower((unsigned char)text[len]);
    lower[len] = '\0';
    if (!xa_log_level_from_name(lower, &level))
        return false;
    if (field)
        *(enum xa_level *)field = level;
    return true;
}

/* What the node says in the form that is kept; NULL if it will not do. */
static const char *
text_for(const struct xa_option *o, const struct xa_node *node)
{
    const char *text = xa_node_text(node);
    bool value;

    if (o->type != XA_OPTION_VERIFY)
        return text && is_text_for(o, text) ? text : NULL;
    if (xa_node_to_bool(node, &value))
        return value ? "true" : "false";
    return text && is_path(text) ? text : NULL;
}

/* Parts of "a, b": without the blanks around them, empty ones left out. */
static enum xa_rc
add_parts(const struct xa_option *o, const struct xa_node *node,
          struct xa_strlist *list, bool *out_fits, struct xa_err *err)
{
    XA_AUTO(xa_str_free) char *copy = NULL;
    char *rest;
    char *part;
    size_t len;
    enum xa_rc rc;

    rc = xa_str_dup(xa_node_text(node), &copy, err);
    if (rc != XA_OK)
        return rc;
    rest = copy;
    *out_fits = true;
    while (rc == XA_OK && (part = strsep(&rest, ",")) != NULL) {
        part += strspn(part, " \t");
        len = strlen(part);
        while (len > 0 && strchr(" \t", part[len - 1]))
            part[--len] = '\0';
        if (len == 0)
            continue;
        *out_fits = *out_fits && is_text_for(o, part);
        rc = xa_strlist_add(list, part, err);
    }
    return rc;
}

static enum xa_rc
set_list(const struct xa_option *o, const struct xa_node *node, void *field,
         struct xa_err *err)
{
    XA_AUTO(xa_strlist_free) struct xa_strlist list = {0};
    const struct xa_node *item = node;
    char expected[EXPECTED_MAX];
    bool fits = true;
    enum xa_rc rc = XA_OK;

    if (xa_node_text(node)) {
        rc = add_parts(o, node, &list, &fits, err);
    } else {
        fits = xa_node_kind(node) == XA_NODE_LIST &&
               xa_node_count(node) <= ITEMS_MAX;
        for (size_t i = 0; fits && i < xa_node_count(node) && rc == XA_OK;
             i++) {
            item = xa_node_item(node, i, NULL);
            fits = xa_node_text(item) && is_text_for(o, xa_node_text(item));
            if (fits)
                rc = xa_strlist_add(&list, xa_node_text(item), err);
        }
    }
    if (rc != XA_OK)
        return rc;
    describe(o, expected);
    if (!fits || list.count < (size_t)o->min)
        return xa_complain(item, o->key, o->is_secret, expected, err);
    if (field) {
        *(struct xa_strlist *)field = list;
        list = (struct xa_strlist){0};
    }
    return XA_OK;
}

enum xa_rc
xa_option_set(const struct xa_option *o, const struct xa_node *node,
              void *field, struct xa_err *err)
{
    char expected[EXPECTED_MAX];
    const char *text;
    bool fits;

    switch (o->type) {
    case XA_OPTION_BOOL:
        fits = set_bool(node, field);
        break;
    case XA_OPTION_U32:
    case XA_OPTION_U64:
    case XA_OPTION_SECONDS:
    case XA_OPTION_MS:
        fits = set_number(o, node, field);
        break;
    case XA_OPTION_LEVEL:
        fits = set_level(node, field);
        break;
    case XA_OPTION_LIST:
        fits = xa_node_kind(node) == XA_NODE_LIST;
        break;
    case XA_OPTION_TEXTS:
    case XA_OPTION_NAMES:
    case XA_OPTION_HOSTS:
        return set_list(o, node, field, err);
    default:
        text = text_for(o, node);
        if (text && field)
            return xa_str_dup(text, field, err);
        fits = text != NULL;
    }
    if (fits)
        return XA_OK;
    describe(o, expected);
    return xa_complain(node, o->key, o->is_secret, expected, err);
}

/* libpq takes user:HERE@host, ?password=HERE and password=HERE. */
bool
xa_option_hide(const struct xa_option *o, const char *text, struct xa_buf *buf)
{
    const char *host = strstr(text, "://");
    const char *end;
    const char *colon;

    if (strcmp(o->key, "db_uri") != 0 || strcasestr(text, "password")) {
        xa_buf_puts(buf, "(hidden)");
        return true;
    }
    /* the last @, because a password may hold what it should not */
    end = host ? strrchr(host, '@') : NULL;
    colon = end ? memchr(host + 3, ':', (size_t)(end - host - 3)) : NULL;
    if (colon) {
        xa_buf_putf(buf, "%.*s:(hidden)%s", (int)(colon - text), text, end);
        return true;
    }
    xa_buf_puts(buf, text);
    return false;
}

void
xa_option_clear(const struct xa_option *o, void *field)
{
    char **text = field;

    switch (o->type) {
    case XA_OPTION_TEXT:
    case XA_OPTION_PATH:
    case XA_OPTION_LOG_FILE:
    case XA_OPTION_WORD:
    case XA_OPTION_VERIFY:
        if (*text && o->is_secret)
            xa_wipe(*text, strlen(*text));
        xa_str_free(text);
        break;
    case XA_OPTION_TEXTS:
    case XA_OPTION_NAMES:
    case XA_OPTION_HOSTS:
        xa_strlist_free(field);
        break;
    default:
        break;
    }
}
