/* yaml_anchor.c - the anchors of a document by name. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/yaml_anchor.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct anchor {
    const char *name; /* behind the struct, or the name that is looked for */
    const struct xa_node *node;
};

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct anchor *)a)->name,
                  ((const struct anchor *)b)->name);
}

enum xa_rc
xa_anchors_set(struct xa_anchors *anchors, const char *name,
               const struct xa_node *node, struct xa_err *err)
{
    size_t size = strlen(name) + 1;
    struct anchor *anchor = malloc(sizeof *anchor + size);
    struct anchor **found;

    if (!anchor)
        return xa_fail_nomem(err);
    anchor->name = memcpy(anchor + 1, name, size);
    found = tsearch(anchor, &anchors->tree, by_name);
    if (found)
        (*found)->node = node;
    if (!found || *found != anchor)
        free(anchor);
    return found ? XA_OK : xa_fail_nomem(err);
}

const struct xa_node *
xa_anchors_find(const struct xa_anchors *anchors, const char *name)
{
    struct anchor wanted = {.name = name};
    struct anchor **found = tfind(&wanted, &anchors->tree, by_name);

    return found ? (*found)->node : NULL;
}

void
xa_anchors_free(struct xa_anchors *anchors)
{
    tdestroy(anchors->tree, free);
    anchors->tree = NULL;
}
