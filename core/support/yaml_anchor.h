/* yaml_anchor.h - the anchors of a document by name. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SUPPORT_YAML_ANCHOR_H
#define XA_SUPPORT_YAML_ANCHOR_H

#include "core/base/err.h"
#include "core/support/yaml.h"

struct xa_anchors {
    void *tree; /* of tsearch(3) */
};

/* Remember a node, which is lent, by a name, which is copied.  A name may be
 * given again: the later node counts.  XA_E_NOMEM. */
XA_MUST_CHECK
enum xa_rc xa_anchors_set(struct xa_anchors *anchors, const char *name,
                          const struct xa_node *node, struct xa_err *err);

/* The node of that name, NULL if there is none. */
const struct xa_node *xa_anchors_find(const struct xa_anchors *anchors,
                                      const char *name);

void xa_anchors_free(struct xa_anchors *anchors);

#endif
