/* users_compare.h - did a change to a users file change just that? SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SUPPORT_USERS_COMPARE_H
#define XA_SUPPORT_USERS_COMPARE_H

#include <stdbool.h>

#include "core/support/users_edit.h"
#include "core/support/yaml.h"

/*
 * Whether `after` is `before` with the change made, and nothing else: every
 * other key and user has the same value, and the user has what was asked.
 */
bool xa_users_only_changed(const struct xa_node *before,
                           const struct xa_node *after,
                           const struct xa_user_change *change);

#endif
