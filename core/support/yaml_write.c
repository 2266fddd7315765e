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

/*
 * The code of a character beyond ASCII that YAML does not take as it is, or
 * reads as the end of a line: U+0080 to U+009F, U+2028, U+2029, U+FEFF,
 * U+FFFE and U+FFFF.  0 for any other.
 */
static unsigned
special_code(const unsigned char *s, size_t *out_len)
{
    *out_len = 3;
    if (s[0] == 0xc2 && s[1] >= 0x80 && s[1] <= 0x9f) {
        *out_len = 2;
        return s[1];
    }
    if (s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9))
        return 0x2000u + s[2] - 0x80;
    if (s[0] == 0xef && s[1] == 0xbb && s[2] == 0xbf)
        return 0xfeff;
    if (s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe)
        return 0xff40u + s[2];
    return 0;
}

void
xa_yaml_put_text(struct xa_buf *buf, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    unsigned code;
    size_t len;

    if (is_plain(text)) {
        xa_buf_puts(buf, text);
        return;
    }
    xa_buf_putc(buf, '"');
    for (; *s; s++) {
        code = special_code(s, &len);
        if (code > 0) {
            xa_buf_putf(buf, "\\u%04x", code);
            s += len - 1;
        } else if (*s == '"' || *s == '\\') {
            xa_buf_putf(buf, "\\%c", *s);
        } else if (*s < 0x20 || *s == 0x7f) {
            xa_buf_putf(buf, "\\x%02x", *s);
        } else {
            xa_buf_putc(buf, (char)*s);
        }
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
