/* acl_oracle.h - what an ACL matches, by trying every way. SPDX-License-Identifier: GPL-3.0-or-later */
/* Slow, and plain to see: the rules of core/token/acl.h, one by one. */
#ifndef XA_TESTS_FUZZ_ACL_ORACLE_H
#define XA_TESTS_FUZZ_ACL_ORACLE_H

#include <stdbool.h>
#include <string.h>

static bool
acl_oracle_from(const char *pattern, bool at_word, const char *me,
                const char *required)
{
    size_t me_len = strlen(me);

    if (!*pattern)
        return !*required;
    if (*pattern == '*' || *pattern == '#') {
        for (;; required++) {
            if (acl_oracle_from(pattern + 1, false, me, required))
                return true;
            if (!*required)
                return false;
            if (*pattern == '*' && (*required == '.' || *required == '#'))
                return false;
        }
    }
    if (at_word && strncmp(pattern, "me", 2) == 0 &&
        (pattern[2] == '.' || !pattern[2]) &&
        strncmp(required, me, me_len) == 0 &&
        acl_oracle_from(pattern + 2, false, me, required + me_len))
        return true;
    return *pattern == *required &&
           acl_oracle_from(pattern + 1, *pattern == '.', me, required + 1);
}

static bool
acl_oracle(const char *pattern, const char *me, const char *required)
{
    return acl_oracle_from(pattern, true, me, required);
}

#endif
