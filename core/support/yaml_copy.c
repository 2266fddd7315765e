/* yaml_copy.c - aliases and `<<`: copies, as far as there is room. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include <string.h>

#include "core/base/str.h"
#include "core/support/yaml_node.h"

enum xa_rc
xa_yaml_node(struct xa_yaml_room *room, enum xa_node_kind kind,
             struct xa_yaml_file *file, unsigned line, struct xa_node **out,
             struct xa_err *err)
{
    if (room->nodes == room->nodes_max)
        return xa_yaml_refuse(err, file, line,
                              "more than %zu values, aliases expanded",
                              room->nodes_max);
    room->nodes++;
    return xa_node_new(kind, file, line, out, err);
}

/* A few aliases of one long text would fill the memory. */
static enum xa_rc
copy_text(struct xa_yaml_room *room, const struct xa_node *from,
          const char *text, char **out, struct xa_err *err)
{
    room->copied += text ? strlen(text) : 0;
    if (room->copied > XA_YAML_COPIED_MAX)
        return xa_yaml_refuse(err, from->file, from->line,
                              "aliases repeat more than %u bytes",
                              XA_YAML_COPIED_MAX);
    return xa_str_dup(text, out, err);
}

/* Append a copy of an entry; depth is that of the mapping or list `to`. */
static enum xa_rc
copy_entry(struct xa_yaml_room *room, const struct xa_entry *from,
           struct xa_node *to, size_t depth, struct xa_err *err)
{
    XA_AUTO(xa_node_free) struct xa_node *value = NULL;
    XA_AUTO(xa_str_free) char *key = NULL;
    enum xa_rc rc;

    rc = copy_text(room, from->value, from->key, &key, err);
    if (rc == XA_OK)
        rc = xa_node_copy(room, from->value, depth + 1, &value, err);
    if (rc == XA_OK)
        rc = xa_node_append(to, &key, from->line, &value, err);
    return rc;
}

enum xa_rc
xa_node_copy(struct xa_yaml_room *room, const struct xa_node *from,
             size_t depth, struct xa_node **out, struct xa_err *err)
{
    XA_AUTO(xa_node_free) struct xa_node *node = NULL;
    enum xa_rc rc;

    if (depth > XA_YAML_DEPTH_MAX && from->kind != XA_NODE_SCALAR)
        return xa_yaml_refuse(err, from->file, from->line,
                              "nested deeper than %d, aliases expanded",
                              XA_YAML_DEPTH_MAX);
    rc = xa_yaml_node(room, from->kind, from->file, from->line, &node, err);
    if (rc == XA_OK)
        rc = copy_text(room, from, from->text, &node->text, err);
    if (rc != XA_OK)
        return rc;
    /* analyzer: XA_OK means that node is set */
    node->is_quoted = from->is_quoted;
    for (size_t i = 0; i < from->count && rc == XA_OK; i++)
        rc = copy_entry(room, &from->entries[i], node, depth, err);
    if (rc == XA_OK && node->kind == XA_NODE_MAP)
        rc = xa_node_reindex(node, err);
    if (rc == XA_OK)
        *out = XA_TAKE(node);
    return rc;
}

/* Append copies of what one merged mapping has, ranked behind what is there. */
static enum xa_rc
append_copies(struct xa_yaml_room *room, struct xa_node *map,
              const struct xa_node *from, unsigned rank, size_t depth,
              struct xa_err *err)
{
    enum xa_rc rc = XA_OK;

    if (from->kind != XA_NODE_MAP)
        return xa_yaml_refuse(err, from->file, from->line,
                              "\"<<\" takes a mapping or a list of mappings");
    for (size_t i = 0; i < from->count && rc == XA_OK; i++) {
        rc = copy_entry(room, &from->entries[i], map, depth, err);
        if (rc == XA_OK)
            map->entries[map->count - 1].rank = rank;
    }
    return rc;
}

/* Of equal keys the index has the one that wins first: drop the others. */
static void
drop_losers(struct xa_node *map)
{
    const struct xa_entry *winner = NULL;
    size_t kept = 0;

    for (size_t i = 0; i < map->indexed; i++) {
        if (winner && strcmp(winner->key, map->index[i]->key) == 0)
            xa_node_free(&map->index[i]->value);
        else
            winner = map->index[i];
    }
    map->indexed = 0;
    for (size_t i = 0; i < map->count; i++) {
        if (map->entries[i].value)
            map->entries[kept++] = map->entries[i];
        else
            xa_entry_clear(&map->entries[i]);
    }
    map->count = kept;
}

/* One sort for all of them keeps the cost in proportion to what is merged. */
enum xa_rc
xa_node_merge_copies(struct xa_yaml_room *room, struct xa_node *map,
                     const struct xa_node *from, size_t depth,
                     struct xa_err *err)
{
    enum xa_rc rc = XA_OK;

    if (from->kind != XA_NODE_LIST)
        rc = append_copies(room, map, from, 1, depth, err);
    else
        for (unsigned i = 0; i < from->count && rc == XA_OK; i++)
            rc = append_copies(room, map, from->entries[i].value, i + 1, depth,
                               err);
    if (rc == XA_OK)
        rc = xa_node_reindex(map, err);
    if (rc != XA_OK)
        return rc;
    drop_losers(map);
    return xa_node_reindex(map, err);
}
