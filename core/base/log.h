/* log.h - events, one line each. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xa_log(XA_WARNING, "consul.retry", "attempt=%u wait_ms=%u", n, wait_ms);
 *
 * writes one line: time in UTC, program and pid, level, the event's name
 * (noun.verb, stable, for grep), then key=value.  Control characters and
 * bytes that are no UTF-8 are escaped as \xNN wherever they come from, so an
 * event is always one line.  No token, password or key may be an argument.
 *
 * The sink is the only mutable state of its kind in a process.  Until
 * xa_log_open() it is stderr at level info.
 */
#ifndef XA_BASE_LOG_H
#define XA_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

enum xa_level { XA_DEBUG, XA_INFO, XA_WARNING, XA_ERROR, XA_CRITICAL };

#define XA_LOG_LINE_MAX 4096  /* bytes of one line; longer is cut, and says so \
                               */
#define XA_LOG_VALUE_MAX 2048 /* bytes of one quoted value, with the NUL */

/*
 * Choose the sink.
 *
 *   ident   the program's name; lent for the life of the process
 *   target  "stderr", "syslog" (facility daemon), or a path that is opened
 *           for appending and made with mode 0640
 *
 * A child that does not open its log anew may bear its parent's pid in lines
 * of its first second.
 *
 * XA_E_CONFIG: the file cannot be opened; the sink stays as it was.
 */
XA_MUST_CHECK
enum xa_rc xa_log_open(const char *ident, const char *target,
                       enum xa_level level, struct xa_err *err);

/*
 * Whether xa_log_open() could open this target; makes nothing.
 *
 * XA_E_CONFIG: it could not.
 */
XA_MUST_CHECK
enum xa_rc xa_log_probe(const char *target, struct xa_err *err);

/* Open the file anew, after logrotate moved it; nothing for other sinks.
 * If that fails the old file goes on being written.  XA_E_CONFIG. */
XA_MUST_CHECK
enum xa_rc xa_log_reopen(struct xa_err *err);

/* Write what is held back and go back to stderr. */
void xa_log_close(void);

/* Whether lines go to stderr, where a main says why it ends anyway. */
bool xa_log_is_stderr(void);

/* Whether events of this level are written; to skip costly arguments. */
bool xa_log_enabled(enum xa_level level);

XA_PRINTF(3, 4)
void xa_log(enum xa_level level, const char *event, const char *fmt, ...);

/* The same for a text that is ready, and for a line of which there are so many
 * that it waits for others while xa_log_hold() asks for that; up to level info. */
void xa_log_later(enum xa_level level, const char *event, const char *text);

/*
 * A sentence for who has started the program: "IDENT: TEXT" on standard
 * error, where it may reach a terminal, escaped as a line of the log is.  What
 * another program said may stand in it.
 */
void xa_log_complain(const char *ident, const char *text);

/*
 * A value from outside, in double quotes, with `"` and `\` escaped, so that
 * it cannot look like a further key=value.  NULL gives `-`.  Returns out.
 */
const char *xa_log_quote(const char *text, char out[XA_LOG_VALUE_MAX]);

/*
 * Hold lines of xa_log_later() back, in a file sink, until xa_log_flush(), a
 * full buffer (32 KiB) or a line that does not wait, which comes after them: a
 * loop that serves many requests writes now and then instead of once per
 * request.
 */
void xa_log_hold(bool hold);
void xa_log_flush(void);
bool xa_log_is_holding(void); /* whether lines wait to be written */

/*
 * xa_log() from a signal handler, after the lines that are held back, with
 * nothing that is not safe there (signal-safety(7)), whatever the level of the
 * log is.  Where the sink is syslog the line goes to stderr.
 *
 *   text  plain ASCII; cut at XA_LOG_SHORT_MAX - 1 bytes
 */
#define XA_LOG_SHORT_MAX 128
void xa_log_from_handler(enum xa_level level, const char *event,
                         const char *text);

/* Level by its name in the configuration ("warning"); false if no such. */
bool xa_log_level_from_name(const char *name, enum xa_level *out);
const char *xa_log_level_name(enum xa_level level);

/* For tests: every line goes to fn instead (line without newline, lent for
 * the call).  NULL ends it. */
typedef void xa_log_capture_fn(void *ctx, enum xa_level level,
                               const char *line);
void xa_log_capture(xa_log_capture_fn *fn, void *ctx, enum xa_level level);

#endif
