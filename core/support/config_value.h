/* config_value.h - one value of the configuration: check it, store it. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SUPPORT_CONFIG_VALUE_H
#define XA_SUPPORT_CONFIG_VALUE_H

#include "core/base/err.h"
#include "core/support/config.h"
#include "core/support/config_table.h"

/* Names of trees that are no file, so have no lines worth telling. */
#define XA_FROM_CLI "command line"
#define XA_FROM_ENV "environment XIVO_UUID"
#define XA_FROM_OLD "consul without store"
#define XA_FROM_DEFAULTS "default"

#define XA_WHERE_MAX 300 /* bytes of a place, with the NUL */

/* Where a node stands: "/etc/x.yml:12", "command line".  Returns out. */
const char *xa_node_where(const struct xa_node *node, char out[XA_WHERE_MAX]);

/*
 * Refuse the value of a key: "WHERE: KEY: found WHAT, expected `expected`".
 * What a secret holds is not told.  Returns XA_E_CONFIG.
 */
enum xa_rc xa_complain(const struct xa_node *node, const char *key,
                       bool is_secret, const char *expected,
                       struct xa_err *err);

/*
 * Check a value by its row and put it into the row's field, if it has one.
 *
 *   node   not null
 *   field  a text or list is owned by it from then on, and is released with
 *          xa_option_clear(); NULL: check only
 *
 * XA_E_CONFIG: the complaint.  XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_option_set(const struct xa_option *option,
                         const struct xa_node *node, void *field,
                         struct xa_err *err);

/*
 * Append what may be shown of a secret: of a database's address everything
 * but the password, of others nothing.  Returns whether something is hidden.
 */
bool xa_option_hide(const struct xa_option *option, const char *text,
                    struct xa_buf *buf);

/* Free what a field owns, wiped if it is a secret. */
void xa_option_clear(const struct xa_option *option, void *field);

#endif
