/* yaml.h - a YAML file as a tree that knows its lines. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One document per file, over libyaml.  Refused with file and line: syntax
 * errors, tags (`!exec`, `!!python/...`), a key that stands twice in one
 * mapping (both lines are named), a key that is no scalar, and more than
 * XA_YAML_NODES_MAX nodes once aliases are expanded.  `<<` merges (YAML 1.1
 * merge key): keys beside it win, the first of several merged mappings wins.
 */
#ifndef XA_SUPPORT_YAML_H
#define XA_SUPPORT_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/str.h"

#define XA_YAML_NODES_MAX 10000
#define XA_YAML_DEPTH_MAX 64
#define XA_YAML_FILE_MAX (64u * 1024 * 1024) /* bytes; 300,000 users */

struct xa_node; /* opaque */

enum xa_node_kind { XA_NODE_SCALAR, XA_NODE_MAP, XA_NODE_LIST };

/*
 * Read a file.  An empty file is an empty mapping.
 *
 *   max_nodes  XA_YAML_NODES_MAX for configuration; a file of users may hold
 *              more
 *   out        set on XA_OK only; release with xa_node_free()
 *
 * XA_E_CONFIG: cannot be read, or is not acceptable; err names file, line
 * and what is wrong.  XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_yaml_read(const char *path, size_t max_nodes,
                        struct xa_node **out, struct xa_err *err);

/* The same from memory; `name` stands for the file in complaints. */
XA_MUST_CHECK
enum xa_rc xa_yaml_parse(const char *name, const char *text, size_t len,
                         size_t max_nodes, struct xa_node **out,
                         struct xa_err *err);

void xa_node_free(struct xa_node **node);

enum xa_node_kind xa_node_kind(const struct xa_node *node);

/* Name of the file and line (from 1) where the node stands; lent. */
const char *xa_node_file(const struct xa_node *node);
unsigned xa_node_line(const struct xa_node *node);

/*
 * Text of a scalar; NULL for null (plain `null`, `~` or nothing), a mapping,
 * a list, or node NULL.
 */
const char *xa_node_text(const struct xa_node *node);

/* Whether a scalar was written in quotes (then "true" is no boolean). */
bool xa_node_is_quoted(const struct xa_node *node);

/* Whether the node is null as xa_node_text() says, or NULL. */
bool xa_node_is_null(const struct xa_node *node);

/* Items of a map or list; 0 otherwise. */
size_t xa_node_count(const struct xa_node *node);

/* Value i, and its key if it is a mapping (out_key may be NULL, gets NULL for
 * a list).  NULL when out of range. */
const struct xa_node *xa_node_item(const struct xa_node *node, size_t i,
                                   const char **out_key);

/* Line of key i of a mapping. */
unsigned xa_node_key_line(const struct xa_node *map, size_t i);

/* Value of a key, also one that is null; NULL if there is none. */
const struct xa_node *xa_node_get(const struct xa_node *map, const char *key);

/* Scalars by the rules of the configuration; false if it is no such. */
bool xa_node_to_bool(const struct xa_node *node, bool *out);
bool xa_node_to_int(const struct xa_node *node, int64_t *out);
bool xa_node_to_double(const struct xa_node *node, double *out);

/*
 * Merge the mapping `from` into the mapping `into`, key by key: a key that
 * both have as mappings is merged in turn, a null of `into` gives way to a
 * mapping (it is a heading with nothing below it), any other key of `into`
 * wins.
 * What is taken is moved; `from` is freed in any case and left NULL.
 *
 * XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_node_merge(struct xa_node *into, struct xa_node **from,
                         struct xa_err *err);

/*
 * Make a list of a text, in its place: one text for each item.
 *
 * XA_E_NOMEM: the node is as it was.
 */
XA_MUST_CHECK
enum xa_rc xa_node_split(struct xa_node *text, const struct xa_strlist *items,
                         struct xa_err *err);

/* Make null of a text, in its place. */
void xa_node_clear(struct xa_node *text);

/* Remove every key whose value is null, in mappings inside mappings too, so
 * that a null does not hide what is merged in later.  XA_E_NOMEM. */
XA_MUST_CHECK
enum xa_rc xa_node_drop_nulls(struct xa_node *map, struct xa_err *err);

/* Append a text as a scalar of one line, in quotes where it could be read as
 * something else. */
void xa_yaml_put_text(struct xa_buf *buf, const char *text);

/* Whether the value of this key is not to be shown. */
typedef bool xa_yaml_hide_fn(const char *key);

/* Append a node as YAML of one line ({...}, [...]).  hide may be NULL. */
void xa_yaml_put_node(struct xa_buf *buf, const struct xa_node *node,
                      xa_yaml_hide_fn *hide);

#endif
