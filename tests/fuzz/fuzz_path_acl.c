/* fuzz_path_acl.c - no path gives an ACL of another shape. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: a target.  What comes out begins with the prefix, ends with the
 * action, has a word for each segment and nothing that an ACL takes for more
 * than a letter.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/auto.h"
#include "core/base/str.h"
#include "core/support/path_acl.h"

#define PREFIX "p"
#define ACTION ".delete"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
count(const char *text, size_t len, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += text[i] == c;
    return n;
}

static void
check(const char *acl, const char *target)
{
    size_t len = strlen(acl);
    size_t path_len = strcspn(target, "?");

    if (strncmp(acl, PREFIX ".", sizeof PREFIX) != 0 ||
        strcmp(acl + len - (sizeof ACTION - 1), ACTION) != 0 ||
        strpbrk(acl, "*#;\\") || strstr(acl, "..") ||
        xa_str_has_control(acl, len) || !xa_str_is_utf8(acl, len) ||
        count(acl, len, '.') != count(target, path_len, '/') + 1)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct xa_path_rules none = {0};
    char row_path[] = "/confd/*";
    char row_words[] = ".users";
    struct xa_path_rule row = {row_path, row_words};
    struct xa_path_rules rules = {&row, 1};
    XA_AUTO(xa_str_free) char *target = malloc(size + 1);
    XA_AUTO(xa_str_free) char *acl = NULL;
    XA_AUTO(xa_str_free) char *shaped = NULL;

    if (!target)
        return 0;
    memcpy(target, data, size);
    target[size] = '\0';
    if (xa_path_acl(&none, PREFIX, "DELETE", target, &acl, NULL) == XA_OK)
        check(acl, target);
    /* a row changes what is asked for, never whether */
    if ((xa_path_acl(&rules, PREFIX, "DELETE", target, &shaped, NULL) ==
         XA_OK) != (acl != NULL))
        abort();
    return 0;
}
