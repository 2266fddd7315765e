/* authctl_config.c - xivo-authctl config check, config show. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/authctl.h"

#include <stdio.h>

#include "core/base/log.h"
#include "core/support/json.h"

#define IDENT_MAX 32 /* the program's name, and a level's */

enum xa_rc
xa_ctl_config_check(struct xa_ctl *ctl, struct xa_err *err)
{
    char ident[IDENT_MAX];
    enum xa_level level;
    enum xa_rc rc;

    rc = xa_config_load(&ctl->cli, &ctl->config, err);
    if (rc != XA_OK && ctl->json) {
        xa_buf_puts(&ctl->out, "{\"status\": \"fail\", \"reason\": ");
        xa_json_put_string(&ctl->out, err->text);
        xa_buf_puts(&ctl->out, "}\n");
    }
    if (rc != XA_OK)
        return rc;
    for (size_t i = 0; i < xa_config_note_count(ctl->config); i++) {
        const char *note = xa_config_note(ctl->config, i, &level);

        snprintf(ident, sizeof ident, XA_CTL ": %s", xa_log_level_name(level));
        xa_log_complain(ident, note);
    }
    xa_buf_puts(&ctl->out,
                ctl->json ? "{\"status\": \"ok\"}\n" : "configuration ok\n");
    return XA_OK;
}

static void
put_scalar(struct xa_buf *out, const struct xa_node *node)
{
    double real;
    int64_t whole;
    bool word;

    if (xa_node_to_bool(node, &word))
        xa_buf_puts(out, word ? "true" : "false");
    else if (!xa_node_is_quoted(node) && xa_node_to_int(node, &whole))
        xa_buf_putf(out, "%lld", (long long)whole);
    else if (!xa_node_is_quoted(node) && xa_node_to_double(node, &real))
        xa_buf_putf(out, "%.17g", real);
    else
        xa_json_put_string_or_null(out, xa_node_text(node));
}

/* The parser bounds the depth. */
static void
put_node(struct xa_buf *out, const struct xa_node *node)
{
    bool is_map = xa_node_kind(node) == XA_NODE_MAP;
    const char *key;

    if (xa_node_kind(node) == XA_NODE_SCALAR) {
        put_scalar(out, node);
        return;
    }
    xa_buf_putc(out, is_map ? '{' : '[');
    for (size_t i = 0; i < xa_node_count(node); i++) {
        const struct xa_node *item = xa_node_item(node, i, &key);

        xa_buf_puts(out, i > 0 ? ", " : "");
        if (key) {
            xa_json_put_string(out, key);
            xa_buf_puts(out, ": ");
        }
        put_node(out, item);
    }
    xa_buf_putc(out, is_map ? '}' : ']');
}

enum xa_rc
xa_ctl_config_show(struct xa_ctl *ctl, struct xa_err *err)
{
    XA_AUTO(xa_node_free) struct xa_node *shown = NULL;
    XA_AUTO(xa_str_free) char *text = NULL;
    size_t len = 0;
    FILE *to;
    enum xa_rc rc;

    rc = xa_ctl_open_config(ctl, err);
    if (rc != XA_OK)
        return rc;
    to = open_memstream(&text, &len);
    if (!to)
        return xa_fail_nomem(err);
    xa_config_print(ctl->config, to);
    if (fclose(to) != 0)
        return xa_fail_nomem(err);
    if (!ctl->json) {
        xa_buf_put(&ctl->out, text, len);
        return XA_OK;
    }
    /* what is printed has its secrets hidden already */
    rc =
        xa_yaml_parse("config show", text, len, XA_YAML_NODES_MAX, &shown, err);
    if (rc != XA_OK)
        return rc;
    put_node(&ctl->out, shown);
    xa_buf_putc(&ctl->out, '\n');
    return XA_OK;
}
