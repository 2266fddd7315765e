/* fuzz_yaml.c - a file of YAML: into a tree, out again, merged. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"
#include "core/support/yaml.h"

#define NODES_MAX 1000
#define KEY_MAX 250 /* libyaml takes a key of 1024 bytes; escapes count six */
#define PRINTED_MAX (4u * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

/* Every rule that yaml.h states; returns the nodes that were seen.  Notes in
 * *has_long_key whether a key is too long to be read back. */
static size_t
check_node(const struct xa_node *node, size_t depth, bool *has_long_key)
{
    const char *text = xa_node_text(node);
    const char *key;
    int64_t whole;
    double number;
    size_t count = 1;

    check(depth <= XA_YAML_DEPTH_MAX + 1);
    check(xa_node_line(node) > 0);
    check(!text || xa_str_is_utf8(text, strlen(text)));
    if (xa_node_to_int(node, &whole))
        check(xa_node_to_double(node, &number));
    for (size_t i = 0; i < xa_node_count(node); i++) {
        const struct xa_node *value = xa_node_item(node, i, &key);

        check((key != NULL) == (xa_node_kind(node) == XA_NODE_MAP));
        if (key)
            check(xa_node_get(node, key) == value);
        if (key && strlen(key) > KEY_MAX)
            *has_long_key = true;
        count += check_node(value, depth + 1, has_long_key);
    }
    return count;
}

static void
print(const struct xa_node *root, struct xa_buf *out)
{
    xa_yaml_put_node(out, root, NULL);
    check(xa_buf_check(out, NULL) == XA_OK);
}

/* What is printed is read as the same. */
static void
check_printed(const struct xa_node *root)
{
    XA_AUTO(xa_buf_free) struct xa_buf first = XA_BUF(PRINTED_MAX);
    XA_AUTO(xa_buf_free) struct xa_buf second = XA_BUF(PRINTED_MAX);
    XA_AUTO(xa_node_free) struct xa_node *again = NULL;
    struct xa_err err = XA_ERR_NONE;

    print(root, &first);
    check(xa_yaml_parse("again", xa_buf_text(&first), first.len, NODES_MAX,
                        &again, &err) == XA_OK);
    print(again, &second);
    check(strcmp(xa_buf_text(&first), xa_buf_text(&second)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    XA_AUTO(xa_node_free) struct xa_node *root = NULL;
    XA_AUTO(xa_node_free) struct xa_node *other = NULL;
    struct xa_err err = XA_ERR_NONE;
    const char *text = (const char *)data;
    bool has_long_key = false;

    if (xa_yaml_parse("fuzz", text, size, NODES_MAX, &root, &err) != XA_OK) {
        check(err.code == XA_E_CONFIG && strncmp(err.text, "fuzz:", 5) == 0);
        return 0;
    }
    check(check_node(root, 1, &has_long_key) <= NODES_MAX);
    if (size < 65536 && !has_long_key)
        check_printed(root);
    if (xa_node_kind(root) != XA_NODE_MAP)
        return 0;
    check(xa_yaml_parse("fuzz", text, size, NODES_MAX, &other, &err) == XA_OK);
    check(xa_node_drop_nulls(root, &err) == XA_OK);
    check(xa_node_merge(root, &other, &err) == XA_OK);
    check_node(root, 1, &has_long_key);
    return 0;
}
