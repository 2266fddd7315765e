/* json.h - JSON in by json-c's strict mode, JSON out by hand. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SUPPORT_JSON_H
#define XA_SUPPORT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"

struct json_object; /* json-c's; released with xa_json_free() */

/* Why a text was refused; the responder has a public reason for each. */
enum xa_json_fault {
    XA_JSON_FINE,
    XA_JSON_SYNTAX,  /* empty, not JSON, not UTF-8, or bytes behind it */
    XA_JSON_TOO_DEEP /* nested deeper than max_depth */
};

/*
 * Parse one JSON text (RFC 8259), by the measure of json-c's strict mode.
 * That still takes keys in single quotes, NaN and Infinity, raw control
 * characters in strings, and numbers such as `00`, `-01`, `1.` and `-.5`; a
 * caller who asks for an integer or for a known text refuses these anyway.
 * A string may hold a NUL (`\u0000`): compare with its length.
 *
 *   max_depth  levels of arrays and objects; `{}` is 1
 *   out        set on XA_JSON_FINE only; NULL then means the value `null`
 *   XA_JSON_SYNTAX also when memory ran out, as json-c does not tell
 */
XA_MUST_CHECK
enum xa_json_fault xa_json_parse(const char *text, size_t len, int max_depth,
                                 struct json_object **out);
void xa_json_free(struct json_object **json);

/* The text as a JSON string with its quotes.  Text must be UTF-8. */
void xa_json_put_string(struct xa_buf *buf, const char *text);

/* The same, or `null` when text is NULL. */
void xa_json_put_string_or_null(struct xa_buf *buf, const char *text);

/* An array of strings. */
void xa_json_put_strings(struct xa_buf *buf, const char *const *items,
                         size_t count);

#endif
