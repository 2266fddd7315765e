/* acl.h - may a holder of these ACLs do that? SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An ACL is words joined by dots.  In the ACL of a token `*` stands for any
 * run of characters other than `.` and `#`, also inside a word and also an
 * empty one; `#` stands for any run of any characters; a word that is exactly
 * `me` matches `me` or the token's auth_id.  Every other character is
 * literal, those of auth_id and of the required ACL included.  The whole
 * required ACL must match.  An ACL that begins with `!` forbids what the rest
 * matches, and wins over every other.
 */
#ifndef XA_TOKEN_ACL_H
#define XA_TOKEN_ACL_H

#include <stdbool.h>
#include <stddef.h>

#define XA_SCOPE_MAX 65535 /* bytes of a required ACL; longer is refused */

/*
 * Whether one pattern (without the `!`) matches a required ACL.  Time is at
 * most proportional to length of pattern x length of required ACL; memory is
 * constant.
 *
 *   auth_id  the token's; never NULL
 */
bool xa_acl_matches(const char *pattern, const char *auth_id,
                    const char *required);

/* Whether any of the ACLs allows what is required and none forbids it. */
bool xa_acl_allows(const char *const *acls, size_t count, const char *auth_id,
                   const char *required);

#endif
