/* fuzz_users.c - change a user in a users file. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: the file.  An edit that succeeds can be made again, and then changes
 * nothing.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/support/users_edit.h"

#define MAX (1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    XA_AUTO(xa_buf_free) struct xa_buf once = XA_BUF(MAX);
    XA_AUTO(xa_buf_free) struct xa_buf twice = XA_BUF(MAX);
    char text[] = "confd.#";
    char *items[] = {text};
    const struct xa_strlist acls = {items, 1};
    const struct xa_user_change change = {
        .login = "alice", .hash = "$6$x", .uuid_if_new = "u", .acls = &acls};
    bool is_new = false;

    if (xa_users_edit("users.yml", (const char *)data, size, &change, &once,
                      &is_new, NULL) != XA_OK)
        return 0;
    if (xa_users_edit("users.yml", xa_buf_text(&once), once.len, &change,
                      &twice, &is_new, NULL) != XA_OK ||
        is_new || once.len != twice.len ||
        memcmp(once.data, twice.data, once.len) != 0)
        abort();
    return 0;
}
