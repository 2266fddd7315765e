/* yaml_write.c - texts and nodes as YAML. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include <string.h>
#include <strings.h>

#include "core/support/yaml.h"

#define PLAIN_FIRST "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/"
#define PLAIN_REST PLAIN_FIRST "0123456789.-+"

/* Only what nobody could read as anything else stands without quotes. */
static bool
is_plain(const char *text)
{
    static const char *const words[] = {"true", "false", "yes", "no",
                                        "on",   "off",   "y",   "n",
                                        "null", "nan",   "inf", "infinity"};

    if (!*text || !strchr(PLAIN_FIRST, *text) ||
        strspn(text, PLAIN_REST) != strlen(text))
        return false;
    for (size_t i = 0; i < XA_COUNT(words); i++)
        if (strcasecmp(text, words[i]) == 0)
            return false;
    return true;
}

void
xa_yaml_put_text(struct xa_buf *buf, const char *text)
{
    if (is_plain(text)) {
        xa_buf_puts(buf, text);
        return;
    }
    xa_buf_putc(buf, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            xa_buf_putf(buf, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            xa_buf_putf(buf, "\\x%02x", c);
        else
            xa_buf_putc(buf, *text);
    }
    xa_buf_putc(buf, '"');
}

static void
put_scalar(struct xa_buf *buf, const struct xa_node *node)
{
    double number;
    bool word;

    if (xa_node_is_null(node))
        xa_buf_puts(buf, "null");
    else if (!xa_node_is_quoted(node) &&
             (xa_node_to_bool(node, &word) || xa_node_to_double(node, &number)))
        xa_buf_puts(buf, xa_node_text(node));
    else
        xa_yaml_put_text(buf, xa_node_text(node));
}

void
xa_yaml_put_node(struct xa_buf *buf, const struct xa_node *node,
                 xa_yaml_hide_fn *hide)
{
    bool is_map = xa_node_kind(node) == XA_NODE_MAP;
    const struct xa_node *value;
    const char *key;

    if (xa_node_kind(node) == XA_NODE_SCALAR) {
        put_scalar(buf, node);
        return;
    }
    xa_buf_putc(buf, is_map ? '{' : '[');
    for (size_t i = 0; i < xa_node_count(node); i++) {
        value = xa_node_item(node, i, &key);
        if (i > 0)
            xa_buf_puts(buf, ", ");
        if (key) {
            xa_yaml_put_text(buf, key);
            xa_buf_puts(buf, ": ");
        }
        if (key && hide && hide(key))
            xa_buf_puts(buf, "\"(hidden)\"");
        else
            xa_yaml_put_node(buf, value, hide);
    }
    xa_buf_putc(buf, is_map ? '}' : ']');
}
