/* yaml.c - a YAML file as a tree that knows its lines. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/str.h"
#include "core/support/yaml_node.h"

#define READ_STEP 65536
#define FRACTION_MAX 9 /* digits behind the point that count */

static enum xa_rc
read_all(int fd, const char *path, struct xa_buf *buf, struct xa_err *err)
{
    size_t want;
    ssize_t n;
    void *place;

    for (;;) {
        want = buf->max - buf->len;
        if (want == 0)
            return xa_fail(err, XA_E_CONFIG, "%s: larger than %u bytes", path,
                           XA_YAML_FILE_MAX);
        if (want > READ_STEP)
            want = READ_STEP;
        place = xa_buf_reserve(buf, want);
        if (!place)
            return xa_fail_nomem(err);
        n = read(fd, place, want);
        if (n == 0)
            return XA_OK;
        if (n > 0)
            buf->len += (size_t)n;
        else if (errno != EINTR)
            return xa_fail(err, XA_E_CONFIG, "%s: cannot be read: %s", path,
                           strerror(errno));
    }
}

enum xa_rc
xa_yaml_read(const char *path, size_t max_nodes, struct xa_node **out,
             struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf text = XA_BUF(XA_YAML_FILE_MAX + 1);
    XA_AUTO(xa_fd_close) int fd = -1;
    enum xa_rc rc;

    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return xa_fail(err, XA_E_CONFIG, "%s: cannot be opened: %s", path,
                       strerror(errno));
    rc = read_all(fd, path, &text, err);
    if (rc != XA_OK)
        return rc;
    return xa_yaml_parse(path, xa_buf_text(&text), text.len, max_nodes, out,
                         err);
}

enum xa_rc
xa_yaml_parse(const char *name, const char *text, size_t len, size_t max_nodes,
              struct xa_node **out, struct xa_err *err)
{
    XA_AUTO(xa_yaml_file_drop) struct xa_yaml_file *file = NULL;
    XA_AUTO(xa_node_free) struct xa_node *root = NULL;
    enum xa_rc rc;

    rc = xa_yaml_file_new(name, &file, err);
    if (rc != XA_OK)
        return rc;
    rc = xa_yaml_build(file, text, len, max_nodes, &root, err);
    if (rc != XA_OK)
        return rc;
    if (xa_node_is_null(root)) {
        xa_node_free(&root);
        rc = xa_node_new(XA_NODE_MAP, file, 1, &root, err);
        if (rc != XA_OK)
            return rc;
    }
    *out = XA_TAKE(root);
    return XA_OK;
}

enum xa_node_kind
xa_node_kind(const struct xa_node *node)
{
    return node->kind;
}

const char *
xa_node_file(const struct xa_node *node)
{
    return node->file->name;
}

unsigned
xa_node_line(const struct xa_node *node)
{
    return node->line;
}

const char *
xa_node_text(const struct xa_node *node)
{
    return node ? node->text : NULL;
}

bool
xa_node_is_quoted(const struct xa_node *node)
{
    return node->is_quoted;
}

bool
xa_node_is_null(const struct xa_node *node)
{
    return !node || (node->kind == XA_NODE_SCALAR && !node->text);
}

size_t
xa_node_count(const struct xa_node *node)
{
    return node ? node->count : 0;
}

const struct xa_node *
xa_node_item(const struct xa_node *node, size_t i, const char **out_key)
{
    if (out_key)
        *out_key = NULL;
    if (i >= xa_node_count(node))
        return NULL;
    if (out_key)
        *out_key = node->entries[i].key;
    return node->entries[i].value;
}

unsigned
xa_node_key_line(const struct xa_node *map, size_t i)
{
    return i < xa_node_count(map) ? map->entries[i].line : 0;
}

static struct xa_entry *
find(const struct xa_node *map, const char *key)
{
    size_t low = 0;
    size_t high = map->indexed;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(key, map->index[middle]->key);

        if (order == 0)
            return map->index[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct xa_node *
xa_node_get(const struct xa_node *map, const char *key)
{
    const struct xa_entry *entry;

    if (!map)
        return NULL;
    entry = find(map, key);
    return entry ? entry->value : NULL;
}

bool
xa_node_to_bool(const struct xa_node *node, bool *out)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {
        {"true", true},   {"yes", true}, {"on", true},
        {"false", false}, {"no", false}, {"off", false},
    };
    const char *text = xa_node_text(node);

    if (!text || node->is_quoted)
        return false;
    for (size_t i = 0; i < XA_COUNT(words); i++) {
        if (strcasecmp(text, words[i].word) == 0) {
            *out = words[i].value;
            return true;
        }
    }
    return false;
}

/* Step over the sign of a number; whether it is a minus. */
static bool
take_sign(const char **text)
{
    bool minus = **text == '-';

    if (minus || **text == '+')
        (*text)++;
    return minus;
}

/* A leading zero is octal in YAML 1.1 and decimal in 1.2: neither here. */
static bool
to_u64(const char *text, uint64_t max, uint64_t *out)
{
    if (text[0] == '0' && text[1] != '\0')
        return false;
    return xa_str_to_u64(text, max, out);
}

bool
xa_node_to_int(const struct xa_node *node, int64_t *out)
{
    const char *text = xa_node_text(node);
    uint64_t value;
    bool minus;

    if (!text)
        return false;
    minus = take_sign(&text);
    if (!to_u64(text, INT64_MAX, &value))
        return false;
    *out = minus ? -(int64_t)value : (int64_t)value;
    return true;
}

/* By hand, because strtod() follows the locale. */
bool
xa_node_to_double(const struct xa_node *node, double *out)
{
    const char *text = xa_node_text(node);
    char whole[24]; /* more digits are no number of ours */
    size_t len;
    uint64_t units;
    double value = 0;
    double weight = 1;
    bool minus;

    if (!text)
        return false;
    minus = take_sign(&text);
    len = strcspn(text, ".");
    if (len >= sizeof whole)
        return false;
    memcpy(whole, text, len);
    whole[len] = '\0';
    units = 0;
    if (!(len == 0 && *text == '.') && !to_u64(whole, INT64_MAX, &units))
        return false;
    if (text[len] == '.') {
        text += len + 1;
        if (*text == '\0' || text[strspn(text, "0123456789")] != '\0')
            return false;
        for (size_t i = 0; i < FRACTION_MAX && text[i]; i++) {
            weight *= 10;
            value = value * 10 + (text[i] - '0');
        }
    }
    value = (double)units + value / weight;
    *out = minus ? -value : value;
    return true;
}

/* With where it stands; theirs gets the old one. */
static void
take_value(struct xa_entry *ours, struct xa_entry *theirs)
{
    struct xa_node *old = ours->value;

    ours->value = theirs->value;
    ours->line = theirs->line;
    theirs->value = old;
}

/* The index stays as it was meanwhile: keys of `from` are distinct. */
static enum xa_rc
take_entries(struct xa_node *into, struct xa_node *from, struct xa_err *err)
{
    enum xa_rc rc;

    for (size_t i = 0; i < from->count; i++) {
        struct xa_entry *theirs = &from->entries[i];
        struct xa_entry *ours = find(into, theirs->key);

        if (!ours) {
            rc = xa_node_append(into, &theirs->key, theirs->line,
                                &theirs->value, err);
        } else if (ours->value->kind == XA_NODE_MAP &&
                   theirs->value->kind == XA_NODE_MAP) {
            rc = xa_node_merge(ours->value, &theirs->value, err);
        } else {
            if (xa_node_is_null(ours->value) &&
                theirs->value->kind == XA_NODE_MAP)
                take_value(ours, theirs);
            continue;
        }
        if (rc != XA_OK)
            return rc;
    }
    return xa_node_reindex(into, err);
}

enum xa_rc
xa_node_merge(struct xa_node *into, struct xa_node **from, struct xa_err *err)
{
    enum xa_rc rc = take_entries(into, *from, err);

    xa_node_free(from);
    return rc;
}

enum xa_rc
xa_node_drop_nulls(struct xa_node *map, struct xa_err *err)
{
    size_t kept = 0;
    enum xa_rc rc = XA_OK;

    map->indexed = 0;
    for (size_t i = 0; i < map->count; i++) {
        struct xa_entry *entry = &map->entries[i];

        if (xa_node_is_null(entry->value)) {
            xa_entry_clear(entry);
            continue;
        }
        if (entry->value->kind == XA_NODE_MAP && rc == XA_OK)
            rc = xa_node_drop_nulls(entry->value, err);
        map->entries[kept++] = *entry;
    }
    map->count = kept;
    if (rc != XA_OK)
        return rc;
    return xa_node_reindex(map, err);
}
