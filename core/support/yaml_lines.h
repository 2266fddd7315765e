/* yaml_lines.h - the lines of a YAML text, for editing it by hand. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * yaml.h says on which line a key stands; this says where on that line its
 * value begins and ends.  It knows the styles that people write, not all of
 * YAML: whoever edits by it parses the result and compares.
 */
#ifndef XA_SUPPORT_YAML_LINES_H
#define XA_SUPPORT_YAML_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

/* Lines are numbered from 1, as in yaml.h; places are offsets in bytes. */
struct xa_lines {
    const char *text; /* borrowed */
    size_t len;
    size_t *starts; /* owned; count + 1 of them, the last is len */
    unsigned count;
};

#define XA_LINES_NONE {.text = ""}

/* XA_E_CONFIG: lines end otherwise than by LF or CR LF somewhere, as YAML
 * allows.  XA_E_NOMEM. */
XA_MUST_CHECK
enum xa_rc xa_lines_init(struct xa_lines *lines, const char *text, size_t len,
                         struct xa_err *err);
void xa_lines_done(struct xa_lines *lines);

/* Where a line begins; the end of the text for any line behind the last. */
size_t xa_lines_start(const struct xa_lines *lines, unsigned line);

/* The end of the line in which `at` stands, before its newline. */
size_t xa_lines_end(const struct xa_lines *lines, size_t at);

/* Number of spaces that a line begins with. */
unsigned xa_lines_indent(const struct xa_lines *lines, unsigned line);

/* Whether a line is more than blanks and a comment; is only a comment. */
bool xa_lines_is_content(const struct xa_lines *lines, unsigned line);
bool xa_lines_is_comment(const struct xa_lines *lines, unsigned line);

/* The last line with content of those from `line` on and before `end`; at
 * least `line`. */
unsigned xa_lines_last_content(const struct xa_lines *lines, unsigned line,
                               unsigned end);

/* The place behind the colon of `key`, which begins the line; false if it
 * does not. */
bool xa_lines_find_value(const struct xa_lines *lines, unsigned line,
                         const char *key, size_t *out);

/* Step over blanks. */
size_t xa_lines_skip_blanks(const struct xa_lines *lines, size_t at);

/* Whether nothing, or a comment, stands from `at` to the end of the line. */
bool xa_lines_is_rest_blank(const struct xa_lines *lines, size_t at);

/*
 * The end of the scalar that begins at `at` and ends on the same line.
 * False: it is none, or its end is not on the line.
 */
bool xa_lines_scalar_end(const struct xa_lines *lines, size_t at, size_t *out);

/*
 * The end of the `{...}` or `[...]` that begins at `at`.  False: it does not
 * end before `limit`, or holds what may be a comment, an anchor or an alias.
 */
bool xa_lines_flow_end(const struct xa_lines *lines, size_t at, size_t limit,
                       size_t *out);

#endif
