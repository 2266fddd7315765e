/* yaml_tree.h - trees of YAML in and out of tests. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TESTS_YAML_TREE_H
#define XA_TESTS_YAML_TREE_H

#include <string.h>

#include "core/base/buf.h"
#include "core/support/yaml.h"

static inline enum xa_rc
parse(const char *text, struct xa_node **out, struct xa_err *err)
{
    return xa_yaml_parse("t.yml", text, strlen(text), XA_YAML_NODES_MAX, out,
                         err);
}

/* The tree on one line: text bare, null as ~, maps and lists in brackets. */
static inline void
dump(const struct xa_node *node, struct xa_buf *buf)
{
    const char *key;

    if (xa_node_kind(node) == XA_NODE_SCALAR) {
        xa_buf_puts(buf, xa_node_is_null(node) ? "~" : xa_node_text(node));
        return;
    }
    xa_buf_putc(buf, xa_node_kind(node) == XA_NODE_MAP ? '{' : '[');
    for (size_t i = 0; i < xa_node_count(node); i++) {
        const struct xa_node *value = xa_node_item(node, i, &key);

        if (i > 0)
            xa_buf_putc(buf, ' ');
        if (key)
            xa_buf_putf(buf, "%s:", key);
        dump(value, buf);
    }
    xa_buf_putc(buf, xa_node_kind(node) == XA_NODE_MAP ? '}' : ']');
}

#endif
