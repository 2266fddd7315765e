/* yaml_node.h - the inside of a node. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For yaml*.c alone; everybody else sees yaml.h.
 *
 * A tree owns its nodes, each exactly once: an alias is a copy.  A mapping
 * keeps its entries in the order of the file and beside them an index sorted
 * by key, so that a look-up and the search for duplicates cost O(log n).
 */
#ifndef XA_SUPPORT_YAML_NODE_H
#define XA_SUPPORT_YAML_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "core/support/yaml.h"

/* The name of a file, shared by the nodes that stand in it. */
struct xa_yaml_file {
    size_t refs;
    char name[];
};

struct xa_entry {
    char *key;     /* owned; NULL in a list */
    unsigned line; /* of the key */
    unsigned rank; /* 0: stands here; n: came by `<<` from the nth mapping */
    struct xa_node *value; /* owned */
};

struct xa_node {
    enum xa_node_kind kind;
    bool is_quoted;
    bool is_open; /* its end was not read yet: an alias to it has no end */
    unsigned line;
    struct xa_yaml_file *file;
    char *text; /* of a scalar; owned; NULL for null */
    struct xa_entry *entries;
    size_t count;
    size_t room;             /* entries allocated */
    struct xa_entry **index; /* of a mapping: its entries by key, rank, place */
    size_t indexed;          /* entries the index knows */
    size_t index_room;
};

/* A file name that has one reference; xa_yaml_file_drop() gives it back. */
XA_MUST_CHECK
enum xa_rc xa_yaml_file_new(const char *name, struct xa_yaml_file **out,
                            struct xa_err *err);
void xa_yaml_file_drop(struct xa_yaml_file **file);

/* An empty node; takes a reference of its own to file.  XA_E_NOMEM. */
XA_MUST_CHECK
enum xa_rc xa_node_new(enum xa_node_kind kind, struct xa_yaml_file *file,
                       unsigned line, struct xa_node **out, struct xa_err *err);

/*
 * Append an entry; the index is stale until xa_node_reindex().
 *
 *   key    taken; NULL in a list
 *   value  taken
 *
 * XA_E_NOMEM: nothing was taken.
 */
XA_MUST_CHECK
enum xa_rc xa_node_append(struct xa_node *node, char **key, unsigned key_line,
                          struct xa_node **value, struct xa_err *err);

/* Sort the index of a mapping anew.  XA_E_NOMEM. */
XA_MUST_CHECK
enum xa_rc xa_node_reindex(struct xa_node *map, struct xa_err *err);

/* Wipe and free what an entry owns. */
void xa_entry_clear(struct xa_entry *entry);

#define XA_YAML_COPIED_MAX (16u * 1024 * 1024) /* bytes */

/* What one document may take, aliases expanded. */
struct xa_yaml_room {
    size_t nodes_max;
    size_t nodes;
    size_t copied; /* bytes of text that aliases repeat */
};

/* A new node, counted.  XA_E_CONFIG: there is no more room.  XA_E_NOMEM. */
XA_MUST_CHECK
enum xa_rc xa_yaml_node(struct xa_yaml_room *room, enum xa_node_kind kind,
                        struct xa_yaml_file *file, unsigned line,
                        struct xa_node **out, struct xa_err *err);

/*
 * A copy of a finished node with all below it, as an alias stands for.
 *
 *   depth  of the copy: what contains it, itself included
 *
 * XA_E_CONFIG: there is no more room, or it is nested too deeply.
 * XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_node_copy(struct xa_yaml_room *room, const struct xa_node *from,
                        size_t depth, struct xa_node **out, struct xa_err *err);

/*
 * Do what `<<: from` does to a mapping whose own keys are distinct.
 *
 *   depth  of map
 *
 * XA_E_CONFIG: as above, or from is no mapping and no list of them.
 * XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_node_merge_copies(struct xa_yaml_room *room, struct xa_node *map,
                                const struct xa_node *from, size_t depth,
                                struct xa_err *err);

/* XA_E_CONFIG with "file:line: " before the words. */
XA_PRINTF(4, 5)
enum xa_rc xa_yaml_refuse(struct xa_err *err, const struct xa_yaml_file *file,
                          unsigned line, const char *fmt, ...);

/*
 * The tree of one document from memory: what xa_yaml_parse() does, all but
 * the rule that nothing at all is an empty mapping (then *out is NULL).
 */
XA_MUST_CHECK
enum xa_rc xa_yaml_build(struct xa_yaml_file *file, const char *text,
                         size_t len, size_t max_nodes, struct xa_node **out,
                         struct xa_err *err);

/* Text from outside made fit for a complaint: control characters become `?`,
 * what is long is cut.  Returns out. */
#define XA_SHOWN_MAX 64
const char *xa_yaml_show(const char *text, char out[XA_SHOWN_MAX]);

#endif
