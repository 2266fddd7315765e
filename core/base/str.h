/* str.h - text from outside, checked. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_BASE_STR_H
#define XA_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

/* A list of owned strings; items[count] is not read. */
struct xa_strlist {
    char **items; /* owned, as is each string */
    size_t count;
};

/* Append a copy of text.  XA_E_NOMEM: memory ran out, list unchanged. */
XA_MUST_CHECK
enum xa_rc xa_strlist_add(struct xa_strlist *list, const char *text,
                          struct xa_err *err);
bool xa_strlist_has(const struct xa_strlist *list, const char *text);
void xa_strlist_free(struct xa_strlist *list);

/* A copy of text, which may be NULL (then NULL is copied).  XA_E_NOMEM. */
XA_MUST_CHECK
enum xa_rc xa_str_dup(const char *text, char **out, struct xa_err *err);

/* Whether len bytes are valid UTF-8 (RFC 3629: no surrogates, no overlong
 * forms, nothing above U+10FFFF).  NUL counts as a character. */
bool xa_str_is_utf8(const char *text, size_t len);

/* Whether a control character of ASCII (below 0x20, or 0x7f) stands in len
 * bytes. */
bool xa_str_has_ascii_control(const char *text, size_t len);

/* Whether any control character does: those of ASCII, or U+0080 to U+009F in
 * UTF-8, which some terminals obey, too. */
bool xa_str_has_control(const char *text, size_t len);

/* A number in decimal, with a NUL: XA_U64_TEXT bytes at most.  A signal handler
 * may call it.  Returns the end, where the NUL is. */
#define XA_U64_TEXT 21
char *xa_str_put_u64(char *out, uint64_t number);

/* The last so many digits of a number, with zeros before it, and no NUL.  A
 * signal handler may call it.  Returns the end. */
char *xa_str_put_digits(char *out, uint64_t number, size_t digits);

/*
 * A whole decimal number without sign or blanks, at most max.  False, and
 * out unchanged, for anything else, an empty text too.
 */
bool xa_str_to_u64(const char *text, uint64_t max, uint64_t *out);

/* Lower-case hexadecimal of len bytes into out, 2 * len + 1 bytes. */
void xa_str_hex(const void *bytes, size_t len, char *out);

/* Whether text is exactly len lower-case hexadecimal digits. */
bool xa_str_is_hex(const char *text, size_t len);

/*
 * Undo percent-encoding (RFC 3986 section 2.1) from in to out, which may be
 * the same place.  Returns the length of the result, or -1 when a `%` is not
 * followed by two hexadecimal digits.
 *
 *   out            at least len + 1 bytes; gets a NUL behind the result
 *   plus_is_space  as in a query (HTML, application/x-www-form-urlencoded)
 */
ptrdiff_t xa_str_percent_decode(const char *in, size_t len, char *out,
                                bool plus_is_space);

#endif
