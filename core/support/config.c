/* config.c - the configuration: files in, one constant struct out. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/support/config_check.h"
#include "core/support/config_notes.h"
#include "core/support/config_table.h"
#include "core/support/config_value.h"

#define MAIN_FILE XA_SYSCONFDIR "/config.yml"
#define EXTRA_DIR XA_SYSCONFDIR "/conf.d"
#define OLD_EXTRA_DIR "/etc/xivo-auth/conf.d" /* named in every old file */
#define LAYER_MAX 65536 /* bytes of YAML that we write ourselves */

static enum xa_rc
new_config(struct xa_config **out, struct xa_err *err)
{
    struct xa_config *config = calloc(1, sizeof *config);

    if (!config)
        return xa_fail_nomem(err);
    *out = config;
    return XA_OK;
}

static void *
field_of(struct xa_config *config, const struct xa_option *option)
{
    if (option->offset == XA_OPTION_NO_FIELD)
        return NULL;
    return (char *)config + option->offset;
}

void
xa_config_free(struct xa_config **config)
{
    struct xa_config *old = *config;

    *config = NULL;
    if (!old)
        return;
    for (size_t i = 0; i < xa_option_count; i++)
        if (field_of(old, &xa_options[i]))
            xa_option_clear(&xa_options[i], field_of(old, &xa_options[i]));
    xa_path_rules_free(&old->authorize.paths);
    xa_node_free(&old->root);
    xa_notes_free(&old->notes);
    xa_str_free(&old->path);
    free(old);
}

/* --- layers: trees that are merged, the strongest first ------------------ */

static enum xa_rc
read_layer(const char *path, struct xa_config *config, struct xa_node **out,
           struct xa_err *err)
{
    XA_AUTO(xa_node_free) struct xa_node *layer = NULL;
    enum xa_rc rc;

    rc = xa_yaml_read(path, XA_YAML_NODES_MAX, &layer, err);
    if (rc != XA_OK)
        return rc;
    if (xa_node_kind(layer) != XA_NODE_MAP)
        return xa_fail(err, XA_E_CONFIG, "%s:%u: found %s, expected a mapping",
                       path, xa_node_line(layer),
                       xa_node_kind(layer) == XA_NODE_LIST ? "a list"
                                                           : "a text");
    rc = xa_notes_on_secrets(&config->notes, layer, err);
    if (rc == XA_OK)
        *out = XA_TAKE(layer);
    return rc;
}

static enum xa_rc
write_layer(const char *name, struct xa_buf *yaml, struct xa_node **out,
            struct xa_err *err)
{
    enum xa_rc rc = xa_buf_check(yaml, err);

    if (rc != XA_OK)
        return rc;
    return xa_yaml_parse(name, xa_buf_text(yaml), yaml->len, XA_YAML_NODES_MAX,
                         out, err);
}

static void
put_pair(struct xa_buf *yaml, const char *key, const char *text)
{
    xa_buf_putf(yaml, "%s: ", key);
    xa_yaml_put_text(yaml, text);
    xa_buf_putc(yaml, '\n');
}

static enum xa_rc
cli_layer(const struct xa_config_cli *cli, struct xa_node **out,
          struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf yaml = XA_BUF(LAYER_MAX);

    if (cli->user)
        put_pair(&yaml, "user", cli->user);
    if (cli->log_level)
        put_pair(&yaml, "log_level", cli->log_level);
    /* -l is to win over `debug: true` of a file */
    if (cli->debug || cli->log_level)
        xa_buf_putf(&yaml, "debug: %s\n", cli->debug ? "true" : "false");
    return write_layer(XA_FROM_CLI, &yaml, out, err);
}

static enum xa_rc
env_layer(struct xa_node **out, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf yaml = XA_BUF(LAYER_MAX);
    const char *uuid = getenv("XIVO_UUID");

    if (uuid && *uuid)
        put_pair(&yaml, "uuid", uuid);
    return write_layer(XA_FROM_ENV, &yaml, out, err);
}

/* The Python service knew no store but Consul, and plain keys. */
static enum xa_rc
old_layer(const struct xa_node *root, struct xa_config *config,
          struct xa_node **out, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf yaml = XA_BUF(LAYER_MAX);
    const struct xa_node *consul = xa_node_get(root, "consul");
    char where[XA_WHERE_MAX];
    enum xa_rc rc = XA_OK;

    if (!xa_node_is_null(consul) &&
        xa_node_is_null(xa_node_get(root, "store"))) {
        xa_buf_puts(&yaml, "store: {type: consul, token_keys: plain}\n");
        rc = xa_notes_add(&config->notes, XA_INFO, "config.implied_store",
                          xa_node_where(consul, where), "consul",
                          "without store, so store.type is consul and "
                          "store.token_keys is plain",
                          err);
    }
    if (rc == XA_OK)
        rc = write_layer(XA_FROM_OLD, &yaml, out, err);
    return rc;
}

static enum xa_rc
default_layer(struct xa_node **out, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf yaml = XA_BUF(LAYER_MAX);
    const char *previous = "";

    for (size_t i = 0; i < xa_option_count; i++) {
        if (!xa_options[i].def)
            continue;
        xa_option_put_key(&yaml, previous, xa_options[i].key);
        xa_buf_putf(&yaml, " %s\n", xa_options[i].def);
        previous = xa_options[i].key;
    }
    return write_layer(XA_FROM_DEFAULTS, &yaml, out, err);
}

/* --- the folder extra_config_files ---------------------------------------- */

static bool
ends_with(const char *name, const char *end)
{
    size_t len = strlen(name);
    size_t end_len = strlen(end);

    return len > end_len && strcmp(name + len - end_len, end) == 0;
}

static int
is_config_name(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && (ends_with(entry->d_name, ".yml") ||
                                       ends_with(entry->d_name, ".yaml"));
}

/* Not alphasort(), which follows the locale. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* The folder of a fresh installation, which need not be there. */
static bool
is_usual_dir(const char *path)
{
    static const char *const usual[] = {EXTRA_DIR, OLD_EXTRA_DIR};
    size_t len;

    for (size_t i = 0; i < XA_COUNT(usual); i++) {
        len = strlen(usual[i]);
        if (strncmp(path, usual[i], len) == 0 &&
            strspn(path + len, "/") == strlen(path + len))
            return true;
    }
    return false;
}

static enum xa_rc
read_extra_file(const char *dir, const char *name, struct xa_config *config,
                struct xa_node *into, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf path = XA_BUF(LAYER_MAX);
    XA_AUTO(xa_node_free) struct xa_node *layer = NULL;
    size_t len = strlen(dir);
    enum xa_rc rc;

    while (len > 1 && dir[len - 1] == '/')
        len--;
    xa_buf_putf(&path, "%.*s/%s", (int)len, dir, name);
    rc = xa_buf_check(&path, err);
    if (rc == XA_OK && ends_with(name, ".yaml"))
        return xa_notes_add(&config->notes, XA_WARNING, "config.ignored_file",
                            xa_buf_text(&path), "extra_config_files",
                            "is not read, only *.yml is", err);
    if (rc == XA_OK)
        rc = read_layer(xa_buf_text(&path), config, &layer, err);
    if (rc == XA_OK)
        rc = xa_node_merge(into, &layer, err);
    return rc;
}

static enum xa_rc
read_extra_dir(const struct xa_node *from, const char *dir,
               struct xa_config *config, struct xa_node *into,
               struct xa_err *err)
{
    struct dirent **names;
    char where[XA_WHERE_MAX];
    enum xa_rc rc = XA_OK;
    int count;

    count = scandir(dir, &names, is_config_name, by_name);
    if (count < 0 && errno == ENOENT && is_usual_dir(dir))
        return XA_OK;
    if (count < 0 && errno == ENOMEM)
        return xa_fail_nomem(err);
    if (count < 0)
        return xa_fail(err, XA_E_CONFIG,
                       "%s: extra_config_files: cannot read \"%s\": %s",
                       from ? xa_node_where(from, where) : XA_FROM_DEFAULTS,
                       dir, strerror(errno));
    for (int i = 0; i < count; i++) {
        if (rc == XA_OK)
            rc = read_extra_file(dir, names[i]->d_name, config, into, err);
        free(names[i]);
    }
    free(names);
    return rc;
}

/* Merge what stands beside the main file; it says where that is. */
static enum xa_rc
read_extra(const struct xa_node *main_file, struct xa_config *config,
           struct xa_node *into, struct xa_err *err)
{
    const struct xa_option *option = xa_option_find("extra_config_files");
    const struct xa_node *node = xa_node_get(main_file, option->key);
    XA_AUTO(xa_str_free) char *dir = NULL;
    enum xa_rc rc;

    if (xa_node_is_null(node))
        return read_extra_dir(NULL, EXTRA_DIR, config, into, err);
    rc = xa_option_set(option, node, &dir, err);
    if (rc == XA_OK)
        rc = read_extra_dir(node, dir, config, into, err);
    return rc;
}

/* The folder cannot name another folder. */
static enum xa_rc
note_second_dir(const struct xa_node *extra, struct xa_config *config,
                struct xa_err *err)
{
    const char *key = "extra_config_files";
    const struct xa_node *node = xa_node_get(extra, key);
    char where[XA_WHERE_MAX];

    if (xa_node_is_null(node))
        return XA_OK;
    return xa_notes_add(&config->notes, XA_WARNING, "config.misplaced_key",
                        xa_node_where(node, where), key,
                        "has no effect here, only in the main file", err);
}

/* --- from the merged tree to the struct ----------------------------------- */

/* The tree is our own. */
static struct xa_node *
node_of(struct xa_config *config, const struct xa_option *option)
{
    return (struct xa_node *)xa_node_at(config->root, option->key);
}

/* Backends see the tree: what is a list when it is left out is one to them as
 * "a, b", too. */
static enum xa_rc
split_text(struct xa_config *config, const struct xa_option *option,
           struct xa_err *err)
{
    struct xa_node *node = node_of(config, option);

    if ((option->type != XA_OPTION_TEXTS && option->type != XA_OPTION_NAMES) ||
        !xa_node_text(node) || !option->def || option->def[0] != '[')
        return XA_OK;
    return xa_node_split(node, field_of(config, option), err);
}

/* Where there is no default, "" means none, too. */
static void
clear_empty(struct xa_config *config)
{
    for (size_t i = 0; i < xa_option_count; i++) {
        struct xa_node *node = node_of(config, &xa_options[i]);
        const char *text = xa_node_text(node);

        if (field_of(config, &xa_options[i]) && !xa_options[i].def && text &&
            !*text)
            xa_node_clear(node);
    }
}

static enum xa_rc
fill(struct xa_config *config, struct xa_err *err)
{
    const struct xa_option *option;
    const struct xa_node *node;
    enum xa_rc rc = XA_OK;

    for (size_t i = 0; i < xa_option_count && rc == XA_OK; i++) {
        option = &xa_options[i];
        node = xa_node_at(config->root, option->key);
        if (xa_node_is_null(node))
            continue;
        rc = xa_option_set(option, node, field_of(config, option), err);
        if (rc == XA_OK)
            rc = split_text(config, option, err);
    }
    if (config->debug)
        config->log_level = XA_DEBUG;
    return rc;
}

static enum xa_rc
add_defaults(struct xa_config *config, struct xa_err *err)
{
    XA_AUTO(xa_node_free) struct xa_node *layer = NULL;
    enum xa_rc rc;

    rc = xa_node_drop_nulls(config->root, err);
    if (rc == XA_OK)
        rc = default_layer(&layer, err);
    if (rc == XA_OK)
        rc = xa_node_merge(config->root, &layer, err);
    if (rc == XA_OK)
        rc = fill(config, err);
    return rc;
}

/* Everything but the defaults into config->root. */
static enum xa_rc
merge_layers(struct xa_config *config, const struct xa_config_cli *cli,
             struct xa_err *err)
{
    XA_AUTO(xa_node_free) struct xa_node *main_file = NULL;
    XA_AUTO(xa_node_free) struct xa_node *old = NULL;
    XA_AUTO(xa_node_free) struct xa_node *env = NULL;
    enum xa_rc rc;

    rc = read_layer(config->path, config, &main_file, err);
    if (rc == XA_OK)
        rc = cli_layer(cli, &config->root, err);
    if (rc == XA_OK)
        rc = read_extra(main_file, config, config->root, err);
    if (rc == XA_OK)
        rc = note_second_dir(config->root, config, err);
    if (rc == XA_OK)
        rc = xa_node_merge(config->root, &main_file, err);
    if (rc == XA_OK)
        rc = xa_notes_on_keys(&config->notes, config->root, err);
    if (rc == XA_OK)
        clear_empty(config);
    if (rc == XA_OK)
        rc = xa_node_drop_nulls(config->root, err);
    if (rc == XA_OK)
        rc = old_layer(config->root, config, &old, err);
    if (rc == XA_OK)
        rc = xa_node_merge(config->root, &old, err);
    if (rc == XA_OK)
        rc = env_layer(&env, err);
    if (rc == XA_OK)
        rc = xa_node_merge(config->root, &env, err);
    return rc;
}

enum xa_rc
xa_config_load(const struct xa_config_cli *cli, struct xa_config **out,
               struct xa_err *err)
{
    XA_AUTO(xa_config_free) struct xa_config *config = NULL;
    const char *path = cli->path;
    enum xa_rc rc;

    if (!path)
        path = getenv("XIVO_AUTH_CONFIG");
    if (!path || !*path)
        path = MAIN_FILE;
    rc = new_config(&config, err);
    if (rc == XA_OK)
        rc = xa_str_dup(path, &config->path, err);
    if (rc == XA_OK)
        rc = merge_layers(config, cli, err);
    if (rc == XA_OK)
        rc = add_defaults(config, err);
    if (rc == XA_OK)
        rc = xa_config_check(config, err);
    if (rc == XA_OK)
        *out = XA_TAKE(config);
    return rc;
}

enum xa_rc
xa_config_defaults(struct xa_config **out, struct xa_err *err)
{
    XA_AUTO(xa_config_free) struct xa_config *config = NULL;
    enum xa_rc rc;

    rc = new_config(&config, err);
    if (rc == XA_OK)
        rc = xa_str_dup("", &config->path, err);
    if (rc == XA_OK)
        rc = xa_yaml_parse(XA_FROM_DEFAULTS, "", 0, 1, &config->root, err);
    if (rc == XA_OK)
        rc = add_defaults(config, err);
    if (rc == XA_OK)
        *out = XA_TAKE(config);
    return rc;
}
