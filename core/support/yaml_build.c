/* yaml_build.c - from libyaml's events to a tree. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include <string.h>

#include <yaml.h>

#include "core/base/secret.h"
#include "core/base/str.h"
#include "core/support/yaml_anchor.h"
#include "core/support/yaml_node.h"

/* A mapping or list whose end was not read yet. */
struct frame {
    struct xa_node *node; /* lent: its parent owns it */
    char *key;            /* owned; a key that waits for its value */
    unsigned key_line;
    bool key_is_merge;     /* the key is a plain `<<` */
    struct xa_node *merge; /* owned; the value of `<<` */
    unsigned merge_line;
};

struct build {
    yaml_parser_t parser;
    struct xa_yaml_file *file; /* lent */
    const char *text;          /* lent */
    struct xa_yaml_room room;
    unsigned documents;
    struct frame frames[XA_YAML_DEPTH_MAX];
    size_t depth;
    struct xa_anchors anchors;
    struct xa_node *root;  /* owned */
    struct xa_node *spent; /* owned: merged mappings, kept for their anchors */
    struct xa_err *err;
};

static enum xa_rc
refuse_key_twice(struct build *b, const char *key, unsigned line,
                 unsigned first_line)
{
    char shown[XA_SHOWN_MAX];

    return xa_yaml_refuse(
        b->err, b->file, line,
        "key \"%s\" stands twice in one mapping, first in line %u",
        xa_yaml_show(key, shown), first_line);
}

static unsigned
line_of(const yaml_mark_t *mark)
{
    return (unsigned)mark->line + 1;
}

/* What is being read; only where depth > 0. */
static struct frame *
top(struct build *b)
{
    return &b->frames[b->depth - 1];
}

static bool
wants_key(struct build *b)
{
    return b->depth > 0 && top(b)->node->kind == XA_NODE_MAP && !top(b)->key;
}

static enum xa_rc
set_anchor(struct build *b, const yaml_char_t *name, const struct xa_node *node)
{
    if (!name)
        return XA_OK;
    return xa_anchors_set(&b->anchors, (const char *)name, node, b->err);
}

/* Give a node to the mapping or list that is being read.  Lends it back. */
static enum xa_rc
attach(struct build *b, struct xa_node **node, struct xa_node **out_lent)
{
    struct frame *f;

    *out_lent = *node;
    if (b->depth == 0) {
        b->root = XA_TAKE(*node);
        return XA_OK;
    }
    f = top(b);
    if (f->key_is_merge) {
        if (f->merge)
            return refuse_key_twice(b, "<<", f->key_line, f->merge_line);
        f->merge = XA_TAKE(*node);
        f->merge_line = f->key_line;
        f->key_is_merge = false;
        xa_str_free(&f->key);
        return XA_OK;
    }
    return xa_node_append(f->node, &f->key, f->key_line, node, b->err);
}

/* What `<<` named may have anchors that are used further down. */
static enum xa_rc
keep_spent(struct build *b, struct xa_node **merged)
{
    enum xa_rc rc = XA_OK;

    if (!b->spent)
        rc = xa_node_new(XA_NODE_LIST, b->file, 0, &b->spent, b->err);
    if (rc == XA_OK)
        rc = xa_node_append(b->spent, NULL, 0, merged, b->err);
    return rc;
}

static enum xa_rc
check_keys(struct build *b, const struct xa_node *map)
{
    for (size_t i = 1; i < map->indexed; i++) {
        const struct xa_entry *first = map->index[i - 1];
        const struct xa_entry *second = map->index[i];

        if (strcmp(first->key, second->key) == 0)
            return refuse_key_twice(b, second->key, second->line, first->line);
    }
    return XA_OK;
}

/* Not shown, as an unknown alias is not: a password that stands without quotes
 * and begins with "!" or "*" is what YAML takes for one. */
static enum xa_rc
check_tag(struct build *b, const yaml_event_t *event, const yaml_char_t *tag)
{
    if (!tag)
        return XA_OK;
    return xa_yaml_refuse(b->err, b->file, line_of(&event->start_mark),
                          "a tag (!...) is not accepted; put a value that "
                          "begins with \"!\" into quotes");
}

static bool
is_null_word(const char *text)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};

    for (size_t i = 0; i < XA_COUNT(words); i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

static enum xa_rc
take_key(struct build *b, const char *text, bool is_plain, unsigned line)
{
    struct frame *f = top(b);
    enum xa_rc rc;

    if (is_plain && !*text)
        return xa_yaml_refuse(b->err, b->file, line,
                              "a key is missing before \":\"");
    rc = xa_str_dup(text, &f->key, b->err);
    if (rc != XA_OK)
        return rc;
    f->key_line = line;
    f->key_is_merge = is_plain && strcmp(text, "<<") == 0;
    return XA_OK;
}

static enum xa_rc
on_scalar(struct build *b, const yaml_event_t *event)
{
    XA_AUTO(xa_node_free) struct xa_node *node = NULL;
    struct xa_node *lent;
    const char *text = (const char *)event->data.scalar.value;
    bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    unsigned line = line_of(&event->start_mark);
    enum xa_rc rc;

    rc = check_tag(b, event, event->data.scalar.tag);
    if (rc != XA_OK)
        return rc;
    if (strlen(text) != event->data.scalar.length)
        return xa_yaml_refuse(b->err, b->file, line,
                              "a text with a NUL character");
    if (wants_key(b) && !event->data.scalar.anchor)
        return take_key(b, text, is_plain, line);
    if (wants_key(b))
        return xa_yaml_refuse(b->err, b->file, line,
                              "a key cannot have an anchor");
    rc = xa_yaml_node(&b->room, XA_NODE_SCALAR, b->file, line, &node, b->err);
    if (rc != XA_OK)
        return rc;
    node->is_quoted = !is_plain;
    if (!is_plain || !is_null_word(text))
        rc = xa_str_dup(text, &node->text, b->err);
    if (rc == XA_OK)
        rc = attach(b, &node, &lent);
    if (rc == XA_OK)
        rc = set_anchor(b, event->data.scalar.anchor, lent);
    return rc;
}

static enum xa_rc
on_start(struct build *b, const yaml_event_t *event, enum xa_node_kind kind,
         const yaml_char_t *tag, const yaml_char_t *anchor)
{
    XA_AUTO(xa_node_free) struct xa_node *node = NULL;
    struct xa_node *lent;
    unsigned line = line_of(&event->start_mark);
    enum xa_rc rc;

    rc = check_tag(b, event, tag);
    if (rc != XA_OK)
        return rc;
    if (wants_key(b))
        return xa_yaml_refuse(b->err, b->file, line,
                              "a key must be a text, not a mapping or list");
    if (b->depth == XA_YAML_DEPTH_MAX)
        return xa_yaml_refuse(b->err, b->file, line, "nested deeper than %d",
                              XA_YAML_DEPTH_MAX);
    rc = xa_yaml_node(&b->room, kind, b->file, line, &node, b->err);
    if (rc != XA_OK)
        return rc;
    node->is_open = true;
    rc = attach(b, &node, &lent);
    if (rc == XA_OK)
        rc = set_anchor(b, anchor, lent);
    if (rc == XA_OK)
        b->frames[b->depth++] = (struct frame){.node = lent};
    return rc;
}

static enum xa_rc
on_end(struct build *b)
{
    XA_AUTO(xa_node_free) struct xa_node *merged = NULL;
    struct frame *f = top(b);
    struct xa_node *node = f->node;
    enum xa_rc rc = XA_OK;

    merged = XA_TAKE(f->merge);
    if (node->kind == XA_NODE_MAP) {
        rc = xa_node_reindex(node, b->err);
        if (rc == XA_OK)
            rc = check_keys(b, node);
        if (rc == XA_OK && merged)
            rc = xa_node_merge_copies(&b->room, node, merged, b->depth, b->err);
        if (rc == XA_OK && merged)
            rc = keep_spent(b, &merged);
    }
    node->is_open = false;
    b->depth--;
    return rc;
}

static enum xa_rc
on_alias(struct build *b, const yaml_event_t *event)
{
    XA_AUTO(xa_node_free) struct xa_node *node = NULL;
    const char *name = (const char *)event->data.alias.anchor;
    const struct xa_node *from = xa_anchors_find(&b->anchors, name);
    char shown[XA_SHOWN_MAX];
    unsigned line = line_of(&event->start_mark);
    struct xa_node *lent;
    enum xa_rc rc;

    if (!from)
        return xa_yaml_refuse(b->err, b->file, line,
                              "nothing above has the anchor of this alias; put "
                              "a value that begins with \"*\" into quotes");
    xa_yaml_show(name, shown);
    if (from->is_open)
        return xa_yaml_refuse(b->err, b->file, line,
                              "alias \"%s\" stands inside what it repeats",
                              shown);
    if (wants_key(b))
        return xa_yaml_refuse(b->err, b->file, line,
                              "a key must be a text, not an alias");
    rc = xa_node_copy(&b->room, from, b->depth + 1, &node, b->err);
    if (rc == XA_OK)
        rc = attach(b, &node, &lent);
    return rc;
}

static enum xa_rc
on_event(struct build *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (b->documents++ > 0)
            return xa_yaml_refuse(b->err, b->file, line_of(&event->start_mark),
                                  "a second document; one file holds one");
        return XA_OK;
    case YAML_SCALAR_EVENT:
        return on_scalar(b, event);
    case YAML_ALIAS_EVENT:
        return on_alias(b, event);
    case YAML_MAPPING_START_EVENT:
        return on_start(b, event, XA_NODE_MAP, event->data.mapping_start.tag,
                        event->data.mapping_start.anchor);
    case YAML_SEQUENCE_START_EVENT:
        return on_start(b, event, XA_NODE_LIST, event->data.sequence_start.tag,
                        event->data.sequence_start.anchor);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        return on_end(b);
    default:
        return XA_OK;
    }
}

/* libyaml gives a line for its own complaints, but an offset for bad bytes. */
static enum xa_rc
refuse_syntax(struct build *b)
{
    const yaml_parser_t *p = &b->parser;
    unsigned line = line_of(&p->problem_mark);

    if (p->error == YAML_MEMORY_ERROR)
        return xa_fail_nomem(b->err);
    if (p->error == YAML_READER_ERROR) {
        line = 1;
        for (size_t i = 0; i < p->problem_offset; i++)
            line += b->text[i] == '\n';
    }
    return xa_yaml_refuse(b->err, b->file, line, "%s%s%s",
                          p->problem ? p->problem : "syntax error",
                          p->context ? " " : "", p->context ? p->context : "");
}

static enum xa_rc
read_events(struct build *b)
{
    enum xa_rc rc;
    bool at_end;

    do {
        yaml_event_t event;

        if (!yaml_parser_parse(&b->parser, &event))
            return refuse_syntax(b);
        at_end = event.type == YAML_STREAM_END_EVENT;
        rc = on_event(b, &event);
        if (event.type == YAML_SCALAR_EVENT)
            xa_wipe(event.data.scalar.value, event.data.scalar.length);
        yaml_event_delete(&event);
    } while (rc == XA_OK && !at_end);
    return rc;
}

static void
build_done(struct build *b)
{
    for (size_t i = 0; i < b->depth; i++) {
        xa_str_free(&b->frames[i].key);
        xa_node_free(&b->frames[i].merge);
    }
    xa_anchors_free(&b->anchors);
    xa_node_free(&b->root);
    xa_node_free(&b->spent);
}

/* Its buffers held the text of the file, passwords too. */
static void
delete_parser(yaml_parser_t *p)
{
    xa_wipe(p->buffer.start, (size_t)(p->buffer.end - p->buffer.start));
    xa_wipe(p->raw_buffer.start,
            (size_t)(p->raw_buffer.end - p->raw_buffer.start));
    yaml_parser_delete(p);
}

enum xa_rc
xa_yaml_build(struct xa_yaml_file *file, const char *text, size_t len,
              size_t max_nodes, struct xa_node **out, struct xa_err *err)
{
    XA_AUTO(build_done)
    struct build b = {
        .file = file,
        .text = text,
        .room = {.nodes_max = max_nodes},
        .err = err,
    };
    enum xa_rc rc;

    if (!yaml_parser_initialize(&b.parser))
        return xa_fail_nomem(err);
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)text, len);
    rc = read_events(&b);
    delete_parser(&b.parser);
    if (rc == XA_OK)
        *out = XA_TAKE(b.root);
    return rc;
}
