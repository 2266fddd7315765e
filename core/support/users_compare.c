/* users_compare.c - did a change to a users file change just that? SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/users_compare.h"

#include <string.h>

/* Two scalars are the same if nobody could read them as different things. */
static bool
is_same_scalar(const struct xa_node *a, const struct xa_node *b)
{
    const char *left = xa_node_text(a);
    const char *right = xa_node_text(b);
    bool word;
    double number;

    if (!left || !right)
        return !left && !right;
    return strcmp(left, right) == 0 &&
           xa_node_to_bool(a, &word) == xa_node_to_bool(b, &word) &&
           xa_node_to_double(a, &number) == xa_node_to_double(b, &number);
}

static bool
is_same(const struct xa_node *a, const struct xa_node *b)
{
    const char *key;

    if (!a || !b || xa_node_kind(a) != xa_node_kind(b) ||
        xa_node_count(a) != xa_node_count(b))
        return false;
    if (xa_node_kind(a) == XA_NODE_SCALAR)
        return is_same_scalar(a, b);
    for (size_t i = 0; i < xa_node_count(a); i++) {
        const struct xa_node *item = xa_node_item(a, i, &key);
        const struct xa_node *other =
            key ? xa_node_get(b, key) : xa_node_item(b, i, NULL);

        if (!is_same(item, other))
            return false;
    }
    return true;
}

/* Whether b is a, apart from one key that b has and a may have. */
static bool
is_same_but_for(const struct xa_node *a, const struct xa_node *b,
                const char *but)
{
    size_t had = xa_node_get(a, but) ? 0 : 1;
    const char *key;

    if (!xa_node_get(b, but) || xa_node_count(a) + had != xa_node_count(b))
        return false;
    for (size_t i = 0; i < xa_node_count(a); i++) {
        const struct xa_node *item = xa_node_item(a, i, &key);

        if (strcmp(key, but) != 0 && !is_same(item, xa_node_get(b, key)))
            return false;
    }
    return true;
}

static bool
has_text(const struct xa_node *user, const char *key, const char *text)
{
    const char *found = xa_node_text(xa_node_get(user, key));

    return found && strcmp(found, text) == 0;
}

static bool
has_acls(const struct xa_node *user, const struct xa_strlist *acls)
{
    const struct xa_node *list = xa_node_get(user, "acls");

    if (!list || xa_node_kind(list) != XA_NODE_LIST ||
        xa_node_count(list) != acls->count)
        return false;
    for (size_t i = 0; i < acls->count; i++) {
        const char *text = xa_node_text(xa_node_item(list, i, NULL));

        if (!text || strcmp(text, acls->items[i]) != 0)
            return false;
    }
    return true;
}

/* Whether a key of the user is one that was to change. */
static bool
is_to_change(const struct xa_user_change *change, const char *key)
{
    return strcmp(key, "password") == 0 ||
           (strcmp(key, "uuid") == 0 && change->uuid) ||
           (strcmp(key, "acls") == 0 && change->acls);
}

/* Keys of a user that were to stay. */
static size_t
count_kept(const struct xa_node *user, const struct xa_user_change *change)
{
    const char *key;
    size_t kept = 0;

    for (size_t i = 0; i < xa_node_count(user); i++) {
        xa_node_item(user, i, &key);
        kept += !is_to_change(change, key);
    }
    return kept;
}

static bool
is_user_as_asked(const struct xa_node *before, const struct xa_node *after,
                 const struct xa_user_change *change)
{
    const char *key;

    if (!has_text(after, "password", change->hash) ||
        (change->uuid && !has_text(after, "uuid", change->uuid)) ||
        (change->acls && !has_acls(after, change->acls)) ||
        count_kept(before, change) != count_kept(after, change))
        return false;
    for (size_t i = 0; i < xa_node_count(before); i++) {
        const struct xa_node *value = xa_node_item(before, i, &key);

        if (!is_to_change(change, key) &&
            !is_same(value, xa_node_get(after, key)))
            return false;
    }
    return true;
}

bool
xa_users_only_changed(const struct xa_node *before, const struct xa_node *after,
                      const struct xa_user_change *change)
{
    const struct xa_node *old_users = xa_node_get(before, "users");
    const struct xa_node *users = xa_node_get(after, "users");

    return is_same_but_for(before, after, "users") &&
           is_same_but_for(old_users, users, change->login) &&
           is_user_as_asked(xa_node_get(old_users, change->login),
                            xa_node_get(users, change->login), change);
}
