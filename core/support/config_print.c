/* config_print.c - the configuration as YAML, secrets hidden. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/config.h"

#include <string.h>
#include <strings.h>

#include "core/base/buf.h"
#include "core/support/config_notes.h"
#include "core/support/config_table.h"
#include "core/support/config_value.h"

#define PRINT_MAX (1024 * 1024)

/* In a section that only its backend understands, go by the name. */
static bool
is_secret_name(const char *key)
{
    static const char *const parts[] = {"pass", "pwd", "secret", "token",
                                        "credential"};

    for (size_t i = 0; i < XA_COUNT(parts); i++)
        if (strcasestr(key, parts[i]))
            return true;
    return false;
}

static void
put_value(struct xa_buf *buf, const struct xa_option *option,
          const struct xa_node *node)
{
    XA_AUTO(xa_buf_free) struct xa_buf shown = XA_BUF(PRINT_MAX);

    if (!node) {
        xa_buf_puts(buf, "null");
    } else if (option->is_secret && xa_node_text(node)) {
        xa_option_hide(option, xa_node_text(node), &shown);
        xa_yaml_put_text(buf, xa_buf_text(&shown));
    } else {
        xa_yaml_put_node(buf, node, NULL);
    }
}

static void
put_options(struct xa_buf *buf, const struct xa_config *config)
{
    const char *previous = "";
    char where[XA_WHERE_MAX];

    for (size_t i = 0; i < xa_option_count; i++) {
        const struct xa_option *option = &xa_options[i];
        const struct xa_node *node = xa_node_at(config->root, option->key);

        xa_option_put_key(buf, previous, option->key);
        previous = option->key;
        xa_buf_putc(buf, ' ');
        put_value(buf, option, node);
        xa_buf_putf(buf, "  # %s\n",
                    node ? xa_node_where(node, where) : XA_FROM_DEFAULTS);
    }
}

/* Sections of backends that we know nothing about. */
static void
put_backends(struct xa_buf *buf, const struct xa_config *config)
{
    const struct xa_strlist *names = &config->enabled_plugins;
    char where[XA_WHERE_MAX];

    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];
        const struct xa_node *node = xa_node_get(config->root, name);

        if (!node || xa_option_find(name) || xa_option_is_section(name))
            continue;
        xa_buf_putf(buf, "%s: ", name);
        xa_yaml_put_node(buf, node, is_secret_name);
        xa_buf_putf(buf, "  # %s\n", xa_node_where(node, where));
    }
}

void
xa_config_print(const struct xa_config *config, FILE *to)
{
    XA_AUTO(xa_buf_free) struct xa_buf buf = XA_BUF(PRINT_MAX);

    put_options(&buf, config);
    put_backends(&buf, config);
    fputs(xa_buf_text(&buf), to);
}
