/* path_acl.h - the ACL that a method and a path ask for. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A server that guards `GET /users/42` under the prefix `confd` asks for
 * `confd.users.42.read`:
 *
 *     prefix  as the server has it
 *     path    each `/` becomes a `.`, and a `.` inside a segment a `_`
 *     action  .read (GET, HEAD), .create (POST), .update (PUT, PATCH) or
 *             .delete (DELETE)
 *
 * So names that differ in `.` and `_` alone ask for the same ACL.
 *
 * The path is decoded once.  What two programs could read in two ways is
 * refused, so that the ACL is that of what the server then serves: segments
 * that are empty (a slash at the end makes one), `.` or `..`; `%2F`; control
 * characters; `*`, `#`, `;`; `\`, which URL parsers of the browsers' kind take
 * for a slash; what is no UTF-8.
 *
 * A site shapes it with rows of authorize.paths.  The first one whose `path`
 * is how the path begins, segment by segment, takes that much away and puts
 * its `as` there; `*` in `path` is any one segment.  With
 *
 *     {path: /confd/1.1, as: /}
 *
 * `GET /confd/1.1/users/42` under `confd` is `confd.users.42.read`, too.
 * Whatever rows say, the ACL begins with the prefix and ends with the action.
 */
#ifndef XA_SUPPORT_PATH_ACL_H
#define XA_SUPPORT_PATH_ACL_H

#include <stddef.h>

#include "core/base/err.h"
#include "core/support/yaml.h"

#define XA_PATH_ACL_MAX 4096 /* bytes of a path, as it came */

struct xa_path_rule {
    char *path;  /* owned; "": every path */
    char *words; /* owned: `as` as it stands in an ACL, "" or ".users" */
};

struct xa_path_rules {
    struct xa_path_rule *rows; /* owned */
    size_t count;
};

/*
 * Read the rows of authorize.paths.
 *
 *   node  a list; NULL or null: no rows
 *   out   set on XA_OK only; release with xa_path_rules_free()
 *
 * XA_E_CONFIG: err names file, line, what was found and what is expected.
 * XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_path_rules_read(const struct xa_node *node,
                              struct xa_path_rules *out, struct xa_err *err);
void xa_path_rules_free(struct xa_path_rules *rules);

/*
 * The ACL that a request asks for.
 *
 *   prefix  not NULL
 *   method  of the original request; NULL is none that is known
 *   target  its path, as it came, perhaps with a query, which is left out
 *   out     set on XA_OK only; release with xa_str_free()
 *
 * XA_E_FORBIDDEN: there is none; err says why.  XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_path_acl(const struct xa_path_rules *rules, const char *prefix,
                       const char *method, const char *target, char **out,
                       struct xa_err *err);

#endif
