/* config_notes.c - what the configuration is told but not refused. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/config_notes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/support/config_table.h"
#include "core/support/config_value.h"
#include "core/support/yaml_node.h"

#define KEY_MAX 256   /* bytes of a key with its sections, with the NUL */
#define NOTE_MAX 1024 /* bytes of a note */

struct note {
    enum xa_level level;
    const char *event;
    char *where; /* owned, like what follows */
    char *key;
    char *why;
    char *text; /* all three */
};

struct xa_config_notes {
    struct note *items;
    size_t count;
};

static void
note_clear(struct note *note)
{
    xa_str_free(&note->where);
    xa_str_free(&note->key);
    xa_str_free(&note->why);
    /* analyzer: *notes below and the list in it are no leak: the caller's */
    xa_str_free(&note->text);
}

/* analyzer: as above */
enum xa_rc
xa_notes_add(struct xa_config_notes **notes, enum xa_level level,
             const char *event, const char *where, const char *key,
             const char *why, struct xa_err *err)
{
    XA_AUTO(note_clear)
    struct note note = {.level = level, .event = event};
    char text[NOTE_MAX];
    struct note *items;
    enum xa_rc rc;

    /* analyzer: as above */
    if (!*notes)
        *notes = calloc(1, sizeof **notes);
    if (!*notes)
        return xa_fail_nomem(err);
    snprintf(text, sizeof text, "%s: %s: %s", where, key, why);
    rc = xa_str_dup(where, &note.where, err);
    if (rc == XA_OK)
        rc = xa_str_dup(key, &note.key, err);
    if (rc == XA_OK)
        rc = xa_str_dup(why, &note.why, err);
    if (rc == XA_OK)
        rc = xa_str_dup(text, &note.text, err);
    if (rc != XA_OK)
        return rc;
    items = reallocarray((*notes)->items, (*notes)->count + 1, sizeof *items);
    if (!items)
        return xa_fail_nomem(err);
    (*notes)->items = items;
    items[(*notes)->count++] = note;
    note = (struct note){0}; /* analyzer: read when it goes out of scope */
    return XA_OK;
}

void
xa_notes_free(struct xa_config_notes **notes)
{
    struct xa_config_notes *old = *notes;

    *notes = NULL;
    if (!old)
        return;
    for (size_t i = 0; i < old->count; i++)
        note_clear(&old->items[i]);
    free(old->items);
    free(old);
}

size_t
xa_config_note_count(const struct xa_config *config)
{
    return config->notes ? config->notes->count : 0;
}

const char *
xa_config_note(const struct xa_config *config, size_t i,
               enum xa_level *out_level)
{
    if (i >= xa_config_note_count(config))
        return NULL;
    if (out_level)
        *out_level = config->notes->items[i].level;
    return config->notes->items[i].text;
}

void
xa_config_log_notes(const struct xa_config *config)
{
    char where[XA_LOG_VALUE_MAX];
    char key[XA_LOG_VALUE_MAX];
    char why[XA_LOG_VALUE_MAX];

    for (size_t i = 0; i < xa_config_note_count(config); i++) {
        const struct note *note = &config->notes->items[i];

        xa_log(note->level, note->event, "at=%s key=%s why=%s",
               xa_log_quote(note->where, where), xa_log_quote(note->key, key),
               xa_log_quote(note->why, why));
    }
}

const struct xa_node *
xa_node_at(const struct xa_node *root, const char *key)
{
    char part[KEY_MAX];
    size_t len;

    while (root && xa_node_kind(root) == XA_NODE_MAP) {
        len = strcspn(key, ".");
        if (len >= sizeof part)
            return NULL;
        memcpy(part, key, len);
        part[len] = '\0';
        root = xa_node_get(root, part);
        if (!key[len])
            return root;
        key += len + 1;
    }
    return NULL;
}

/* A backend of anybody's may have a section of its name. */
static bool
is_backend_section(const struct xa_node *root, const char *key)
{
    const struct xa_node *names = xa_node_get(root, "enabled_plugins");
    const char *text;

    if (xa_node_text(names))
        return strcmp(xa_node_text(names), key) == 0;
    for (size_t i = 0; i < xa_node_count(names); i++) {
        text = xa_node_text(xa_node_item(names, i, NULL));
        if (text && strcmp(text, key) == 0)
            return true;
    }
    return false;
}

struct walk {
    struct xa_config_notes **notes;
    const struct xa_node *root;
    struct xa_err *err;
};

static enum xa_rc walk(struct walk *w, const struct xa_node *map,
                       const char *section);

/* `key` has its sections before it; `name` is how it was written. */
static enum xa_rc
look_at(struct walk *w, const struct xa_node *value, unsigned line,
        const char *key, const char *name)
{
    char where[XA_WHERE_MAX];
    char shown[XA_SHOWN_MAX];

    snprintf(where, sizeof where, "%s:%u", xa_node_file(value), line);
    if (strchr(name, '.'))
        return xa_notes_add(w->notes, XA_WARNING, "config.unknown_key", where,
                            xa_yaml_show(key, shown),
                            "has a dot; sections are mappings here", w->err);
    if (xa_option_is_section(key)) {
        if (xa_node_is_null(value))
            return XA_OK;
        if (xa_node_kind(value) != XA_NODE_MAP)
            return xa_complain(value, key, true, "a mapping", w->err);
        return walk(w, value, key);
    }
    if (xa_option_find(key))
        return XA_OK;
    if (!strchr(key, '.') && is_backend_section(w->root, key))
        return XA_OK;
    if (xa_option_is_old(key))
        return xa_notes_add(w->notes, XA_INFO, "config.ignored_key", where, key,
                            "means nothing here and is ignored", w->err);
    return xa_notes_add(w->notes, XA_WARNING, "config.unknown_key", where,
                        xa_yaml_show(key, shown),
                        "is no key that is known here", w->err);
}

static enum xa_rc
walk(struct walk *w, const struct xa_node *map, const char *section)
{
    char path[KEY_MAX];
    const char *key;
    enum xa_rc rc = XA_OK;

    for (size_t i = 0; i < xa_node_count(map) && rc == XA_OK; i++) {
        const struct xa_node *value = xa_node_item(map, i, &key);

        snprintf(path, sizeof path, "%s%s%s", section, *section ? "." : "",
                 key);
        rc = look_at(w, value, xa_node_key_line(map, i), path, key);
    }
    return rc;
}

enum xa_rc
xa_notes_on_keys(struct xa_config_notes **notes, const struct xa_node *root,
                 struct xa_err *err)
{
    struct walk w = {.notes = notes, .root = root, .err = err};

    return walk(&w, root, "");
}

enum xa_rc
xa_notes_on_secrets(struct xa_config_notes **notes, const struct xa_node *file,
                    struct xa_err *err)
{
    char where[XA_WHERE_MAX];
    const struct xa_node *node;
    struct stat st;
    enum xa_rc rc = XA_OK;

    if (stat(xa_node_file(file), &st) != 0 || !(st.st_mode & S_IROTH))
        return XA_OK;
    for (size_t i = 0; i < xa_option_count && rc == XA_OK; i++) {
        XA_AUTO(xa_buf_free) struct xa_buf shown = XA_BUF(NOTE_MAX);

        node = xa_node_at(file, xa_options[i].key);
        if (!xa_options[i].is_secret || !xa_node_text(node) ||
            !*xa_node_text(node) ||
            !xa_option_hide(&xa_options[i], xa_node_text(node), &shown))
            continue;
        rc = xa_notes_add(notes, XA_WARNING, "config.exposed_secret",
                          xa_node_where(node, where), xa_options[i].key,
                          "is a secret in a file that everybody can read", err);
    }
    return rc;
}
