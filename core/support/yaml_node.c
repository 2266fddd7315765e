/* yaml_node.c - the inside of a node. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/yaml_node.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/secret.h"

#define FIRST_ROOM 4

enum xa_rc
xa_yaml_file_new(const char *name, struct xa_yaml_file **out,
                 struct xa_err *err)
{
    size_t size = strlen(name) + 1;
    struct xa_yaml_file *file = malloc(sizeof *file + size);

    if (!file)
        return xa_fail_nomem(err);
    file->refs = 1;
    memcpy(file->name, name, size);
    *out = file;
    return XA_OK;
}

void
xa_yaml_file_drop(struct xa_yaml_file **file)
{
    if (*file && --(*file)->refs == 0)
        free(*file);
    *file = NULL;
}

enum xa_rc
xa_node_new(enum xa_node_kind kind, struct xa_yaml_file *file, unsigned line,
            struct xa_node **out, struct xa_err *err)
{
    struct xa_node *node = calloc(1, sizeof *node);

    if (!node)
        return xa_fail_nomem(err);
    node->kind = kind;
    node->line = line;
    node->file = file;
    file->refs++;
    *out = node;
    return XA_OK;
}

/* A scalar may be a password. */
static void
wipe_free(char **text)
{
    if (*text)
        xa_wipe(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

void
xa_entry_clear(struct xa_entry *entry)
{
    free(entry->key);
    entry->key = NULL;
    xa_node_free(&entry->value);
}

void
xa_node_free(struct xa_node **node)
{
    struct xa_node *old = *node;

    *node = NULL;
    if (!old)
        return;
    for (size_t i = 0; i < old->count; i++)
        xa_entry_clear(&old->entries[i]);
    free(old->entries);
    free(old->index);
    wipe_free(&old->text);
    xa_yaml_file_drop(&old->file);
    free(old);
}

/* The index points into the entries, so it follows when they move. */
static enum xa_rc
grow(struct xa_node *node, struct xa_err *err)
{
    size_t room = node->room > 0 ? node->room * 2 : FIRST_ROOM;
    struct xa_entry *entries = calloc(room, sizeof *entries);

    if (!entries)
        return xa_fail_nomem(err);
    for (size_t i = 0; i < node->count; i++)
        entries[i] = node->entries[i];
    for (size_t i = 0; i < node->indexed; i++)
        node->index[i] = entries + (node->index[i] - node->entries);
    free(node->entries);
    node->entries = entries;
    node->room = room;
    return XA_OK;
}

enum xa_rc
xa_node_append(struct xa_node *node, char **key, unsigned key_line,
               struct xa_node **value, struct xa_err *err)
{
    struct xa_entry *entry;
    enum xa_rc rc;

    if (node->count == node->room) {
        rc = grow(node, err);
        if (rc != XA_OK)
            return rc;
    }
    entry = &node->entries[node->count++];
    entry->key = key ? XA_TAKE(*key) : NULL;
    entry->line = key_line;
    entry->rank = 0;
    entry->value = XA_TAKE(*value);
    return XA_OK;
}

static enum xa_rc
append_text(struct xa_node *list, const char *text, struct xa_err *err)
{
    XA_AUTO(xa_node_free) struct xa_node *item = NULL;
    enum xa_rc rc;

    rc = xa_node_new(XA_NODE_SCALAR, list->file, list->line, &item, err);
    if (rc == XA_OK)
        rc = xa_str_dup(text, &item->text, err);
    if (rc == XA_OK)
        rc = xa_node_append(list, NULL, 0, &item, err);
    return rc;
}

enum xa_rc
xa_node_split(struct xa_node *text, const struct xa_strlist *items,
              struct xa_err *err)
{
    XA_AUTO(xa_node_free) struct xa_node *list = NULL;
    struct xa_node old;
    enum xa_rc rc;

    rc = xa_node_new(XA_NODE_LIST, text->file, text->line, &list, err);
    for (size_t i = 0; rc == XA_OK && i < items->count; i++)
        rc = append_text(list, items->items[i], err);
    if (rc != XA_OK)
        return rc;
    old = *text;
    *text = *list;
    *list = old; /* which is freed */
    return XA_OK;
}

void
xa_node_clear(struct xa_node *text)
{
    wipe_free(&text->text);
    text->is_quoted = false;
}

static int
by_key(const void *a, const void *b)
{
    const struct xa_entry *one = *(struct xa_entry *const *)a;
    const struct xa_entry *other = *(struct xa_entry *const *)b;
    int order = strcmp(one->key, other->key);

    if (order != 0)
        return order;
    if (one->rank != other->rank)
        return one->rank < other->rank ? -1 : 1;
    return one < other ? -1 : one > other;
}

enum xa_rc
xa_node_reindex(struct xa_node *map, struct xa_err *err)
{
    struct xa_entry **index;

    if (map->count > map->index_room) {
        index = reallocarray(map->index, map->count, sizeof(struct xa_entry *));
        if (!index)
            return xa_fail_nomem(err);
        map->index = index;
        map->index_room = map->count;
    }
    for (size_t i = 0; i < map->count; i++)
        map->index[i] = &map->entries[i];
    map->indexed = map->count;
    if (map->count > 1)
        qsort(map->index, map->count, sizeof(struct xa_entry *), by_key);
    return XA_OK;
}

enum xa_rc
xa_yaml_refuse(struct xa_err *err, const struct xa_yaml_file *file,
               unsigned line, const char *fmt, ...)
{
    char why[XA_ERR_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    return xa_fail(err, XA_E_CONFIG, "%s:%u: %s", file->name, line, why);
}

const char *
xa_yaml_show(const char *text, char out[XA_SHOWN_MAX])
{
    size_t n = 0;

    for (; *text && n < XA_SHOWN_MAX - 4; text++) {
        unsigned char c = (unsigned char)*text;

        out[n++] = c < 0x20 || c == 0x7f ? '?' : *text;
    }
    if (*text) {
        /* not in the middle of a character */
        while (n > 0 && ((unsigned char)text[0] & 0xc0) == 0x80) {
            text--;
            n--;
        }
        memcpy(out + n, "...", 3);
        n += 3;
    }
    out[n] = '\0';
    return out;
}
