/* acl.c - may a holder of these ACLs do that? SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Most patterns differ from what is required within their first literal
 * characters, and are refused there.  What is left goes through the set of
 * places in the required ACL that the pattern read so far can reach: one
 * pass over the places for each element of the pattern, so no input makes it
 * slower than length x length, as backtracking would be.
 */
#include "config.h"

#include "core/token/acl.h"

#include <stdint.h>
#include <string.h>

/* The places that a pattern, read up to some element, can have reached. */
struct reach {
    const char *required;
    size_t len;
    size_t low;  /* no place below is reached; > len: none at all */
    uint8_t at[XA_SCOPE_MAX + 1];
    uint8_t next[XA_SCOPE_MAX + 1];
};

/* Whether the word `me` begins at this place of the pattern. */
static bool
is_me_word(const char *pattern, const char *at)
{
    if (at[0] != 'm' || at[1] != 'e' || (at[2] != '.' && at[2] != '\0'))
        return false;
    return at == pattern || at[-1] == '.';
}

static bool
is_special(const char *pattern, const char *at)
{
    return *at == '*' || *at == '#' || is_me_word(pattern, at);
}

static void
find_low(struct reach *r)
{
    while (r->low <= r->len && !r->at[r->low])
        r->low++;
}

static void
step_literal(struct reach *r, char c)
{
    for (size_t i = r->len; i > r->low; i--)
        r->at[i] = r->at[i - 1] && r->required[i - 1] == c;
    r->at[r->low] = 0;
}

/* `*`: onwards over everything but `.` and `#`. */
static void
step_star(struct reach *r)
{
    for (size_t i = r->low; i < r->len; i++)
        if (r->at[i] && r->required[i] != '.' && r->required[i] != '#')
            r->at[i + 1] = 1;
}

/* `#`: onwards over everything. */
static void
step_hash(struct reach *r)
{
    memset(r->at + r->low, 1, r->len + 1 - r->low);
}

/* The word `me`: over "me", or over the auth_id. */
static void
step_me(struct reach *r, const char *auth_id)
{
    const char *words[] = {"me", auth_id};

    memset(r->next, 0, r->len + 1);
    for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
        size_t word_len = strlen(words[w]);

        for (size_t i = r->low; i <= r->len && word_len <= r->len - i; i++)
            if (r->at[i] && memcmp(r->required + i, words[w], word_len) == 0)
                r->next[i + word_len] = 1;
    }
    memcpy(r->at, r->next, r->len + 1);
}

/* Match from `rest` on, a place in pattern, against the whole of required.
 * Apart, so that only patterns that come this far pay for the tables. */
static bool __attribute__((noinline))
match_rest(const char *pattern, const char *rest, const char *auth_id,
           const char *required, size_t len)
{
    struct reach r;

    r.required = required;
    r.len = len;
    r.low = 0;
    memset(r.at, 0, len + 1);
    r.at[0] = 1;
    for (; *rest && r.low <= len; rest++) {
        if (*rest == '*') {
            step_star(&r);
        } else if (*rest == '#') {
            step_hash(&r);
        } else if (is_me_word(pattern, rest)) {
            step_me(&r, auth_id);
            rest++; /* two characters of the pattern */
        } else {
            step_literal(&r, *rest);
        }
        find_low(&r);
    }
    return r.low <= len && r.at[len];
}

bool
xa_acl_matches(const char *pattern, const char *auth_id, const char *required)
{
    const char *rest = pattern;
    size_t len;

    while (*rest && !is_special(pattern, rest)) {
        if (*rest != *required)
            return false;
        rest++;
        required++;
    }
    if (!*rest)
        return !*required;
    /* what is required is often the very words of the ACL, and each element
     * of a pattern matches itself */
    if (strcmp(rest, required) == 0)
        return true;
    len = strlen(required);
    if (len > XA_SCOPE_MAX)
        return false;
    return match_rest(pattern, rest, auth_id, required, len);
}

bool
xa_acl_allows(const char *const *acls, size_t count, const char *auth_id,
              const char *required)
{
    bool allowed = false;

    if (strnlen(required, XA_SCOPE_MAX + 1) > XA_SCOPE_MAX)
        return false; /* also where a `#` would match: nothing may forbid it */
    for (size_t i = 0; i < count; i++) {
        if (acls[i][0] == '!') {
            if (xa_acl_matches(acls[i] + 1, auth_id, required))
                return false;
        } else if (!allowed) {
            allowed = xa_acl_matches(acls[i], auth_id, required);
        }
    }
    return allowed;
}
