/* log.c - events, one line each. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/str.h"

#define HELD_MAX 32768 /* bytes of lines held back */
#define HEAD_MAX 128   /* time, program, pid, level and event */
#define DATE_LEN 19    /* "2016-12-05T11:16:58" */
#define IDENT_MAX 32
#define EVENT_MAX 40

static const struct {
    const char *name;
    const char *label;
    int priority; /* syslog(3) */
} levels[] = {
    [XA_DEBUG] = {"debug", "DEBUG", LOG_DEBUG},
    [XA_INFO] = {"info", "INFO", LOG_INFO},
    [XA_WARNING] = {"warning", "WARNING", LOG_WARNING},
    [XA_ERROR] = {"error", "ERROR", LOG_ERR},
    [XA_CRITICAL] = {"critical", "CRITICAL", LOG_CRIT},
};

/* The sink: the one piece of file-scope state that core allows itself. */
static struct {
    enum { TO_FD, TO_SYSLOG, TO_CAPTURE } kind;
    enum xa_level level;
    int fd;
    char *path; /* owned; NULL unless the sink is a file */
    const char *ident;
    int64_t second; /* of which the next two tell; 0: of none yet */
    char date[XA_CLOCK_TEXT];
    char source[IDENT_MAX + 32]; /* "Z ident[pid] " */
    bool hold;
    size_t held_len;
    char held[HELD_MAX];
    xa_log_capture_fn *capture;
    void *capture_ctx;
} sink = {
    .kind = TO_FD,
    .level = XA_INFO,
    .fd = STDERR_FILENO,
    .ident = "xivo-auth",
};

static int
open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
                0640);
}

static void
write_all(const char *bytes, size_t len)
{
    ssize_t n;

    while (len > 0) {
        n = write(sink.fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* nobody is left to tell; the service goes on */
        bytes += n;
        len -= (size_t)n;
    }
}

void
xa_log_flush(void)
{
    write_all(sink.held, sink.held_len);
    sink.held_len = 0;
}

bool
xa_log_is_holding(void)
{
    return sink.held_len > 0;
}

void
xa_log_hold(bool hold)
{
    if (!hold)
        xa_log_flush();
    sink.hold = hold && sink.path;
}

void
xa_log_close(void)
{
    xa_log_flush();
    if (sink.kind == TO_SYSLOG)
        closelog();
    if (sink.path) {
        close(sink.fd);
        xa_str_free(&sink.path);
    }
    sink.kind = TO_FD;
    sink.fd = STDERR_FILENO;
    sink.hold = false;
}

static bool
is_file(const char *target)
{
    return strcmp(target, "stderr") != 0 && strcmp(target, "syslog") != 0;
}

/* Whether a file could be made here. */
static bool
has_writable_folder(const char *path)
{
    XA_AUTO(xa_str_free) char *copy = strdup(path);

    return copy &&
           faccessat(AT_FDCWD, dirname(copy), W_OK | X_OK, AT_EACCESS) == 0;
}

enum xa_rc
xa_log_probe(const char *target, struct xa_err *err)
{
    int fd;

    if (!is_file(target))
        return XA_OK;
    fd = open(target, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && !(errno == ENOENT && has_writable_folder(target)))
        return xa_fail(err, XA_E_CONFIG, "cannot open log file %s: %s", target,
                       strerror(errno));
    xa_fd_close(&fd);
    return XA_OK;
}

static enum xa_rc
open_file_sink(const char *target, struct xa_err *err)
{
    XA_AUTO(xa_str_free) char *path = NULL;
    enum xa_rc rc;
    int fd;

    rc = xa_str_dup(target, &path, err);
    if (rc != XA_OK)
        return rc;
    fd = open_file(path);
    if (fd < 0)
        return xa_fail(err, XA_E_CONFIG, "cannot open log file %s: %s", path,
                       strerror(errno));
    xa_log_close();
    sink.fd = fd;
    sink.path = XA_TAKE(path);
    return XA_OK;
}

enum xa_rc
xa_log_open(const char *ident, const char *target, enum xa_level level,
            struct xa_err *err)
{
    enum xa_rc rc;

    if (is_file(target)) {
        rc = open_file_sink(target, err);
        if (rc != XA_OK)
            return rc;
    } else {
        xa_log_close();
    }
    if (strcmp(target, "syslog") == 0) {
        openlog(ident, LOG_PID | LOG_NDELAY, LOG_DAEMON);
        sink.kind = TO_SYSLOG;
    }
    sink.ident = ident;
    sink.level = level;
    sink.second = 0;
    return XA_OK;
}

enum xa_rc
xa_log_reopen(struct xa_err *err)
{
    int fd;

    xa_log_flush();
    if (!sink.path)
        return XA_OK;
    fd = open_file(sink.path);
    if (fd < 0)
        return xa_fail(err, XA_E_CONFIG, "cannot reopen log file %s: %s",
                       sink.path, strerror(errno));
    close(sink.fd);
    sink.fd = fd;
    return XA_OK;
}

bool
xa_log_is_stderr(void)
{
    return sink.kind == TO_FD && !sink.path;
}

bool
xa_log_enabled(enum xa_level level)
{
    return level >= sink.level;
}

/* Bytes at the beginning that a log line shows as they are, and quickly. */
static size_t
plain_len(const char *text)
{
    size_t len = 0;

    while (text[len] >= 0x20 && text[len] < 0x7f)
        len++;
    return len;
}

/* Whether a byte beyond ASCII, in valid UTF-8, is half of a control character:
 * U+0080 to U+009F, which some terminals obey. */
static bool
is_of_control(const char *at)
{
    const unsigned char *byte = (const unsigned char *)at;

    return byte[0] == 0xc2 ? byte[1] < 0xa0
                           : byte[0] < 0xa0 && byte[-1] == 0xc2;
}

static const char cut[] = "...";

/* Say behind n bytes of text that there was more, with no half character
 * before it.  Returns the length. */
static size_t
put_cut(char *text, size_t n)
{
    while (n > 0 && ((unsigned char)text[n - 1] & 0xc0) == 0x80)
        n--;
    if (n > 0 && (unsigned char)text[n - 1] >= 0xc0)
        n--;
    memcpy(text + n, cut, sizeof cut);
    return n + sizeof cut - 1;
}

/*
 * Copy text to out, which has room for max bytes and a NUL, escaping what
 * would break a line or a terminal.  Returns the length.
 */
static size_t
escape(const char *text, char *out, size_t max)
{
    size_t n = plain_len(text);
    bool valid;

    max -= sizeof cut - 1;
    if (n <= max && text[n] == '\0') { /* nearly every line */
        memcpy(out, text, n + 1);
        return n;
    }
    valid = xa_str_is_utf8(text, strlen(text));
    n = 0;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = c >= 0x20 && c != 0x7f &&
                     (c < 0x80 || (valid && !is_of_control(text)));

        if (n + 4 > max)
            return put_cut(out, n);
        if (plain)
            out[n++] = *text;
        else
            n += (size_t)sprintf(out + n, "\\x%02x", c);
    }
    out[n] = '\0';
    return n;
}

static void
emit(enum xa_level level, bool may_wait, char *line, size_t len)
{
    if (sink.kind == TO_CAPTURE) {
        sink.capture(sink.capture_ctx, level, line);
        return;
    }
    if (sink.kind == TO_SYSLOG) {
        syslog(levels[level].priority, "%s", line);
        return;
    }
    line[len++] = '\n'; /* takes the place of the NUL */
    if (sink.hold) {
        if (len > HELD_MAX - sink.held_len)
            xa_log_flush();
        memcpy(sink.held + sink.held_len, line, len);
        sink.held_len += len;
        if (!may_wait)
            xa_log_flush();
        return;
    }
    write_all(line, len);
}

/* Date, program and pid change once a second at most. */
static void
make_head(int64_t second)
{
    xa_clock_format_utc(second * XA_US_PER_S, sink.date);
    snprintf(sink.source, sizeof sink.source, "Z %.*s[%ld] ", IDENT_MAX,
             sink.ident, (long)getpid());
    sink.second = second;
}

/* Time in UTC, program and pid.  Returns the end. */
static char *
put_head(char *out, int64_t now_us)
{
    if (now_us / XA_US_PER_S != sink.second)
        make_head(now_us / XA_US_PER_S);
    out = mempcpy(out, sink.date, DATE_LEN);
    *out++ = '.';
    out = xa_str_put_digits(out, (uint64_t)(now_us % XA_US_PER_S), 6);
    return stpcpy(out, sink.source);
}

static void
put_line(enum xa_level level, bool may_wait, const char *event,
         const char *text)
{
    char line[XA_LOG_LINE_MAX + HEAD_MAX];
    char *end = line;
    size_t room;

    if (!xa_log_enabled(level))
        return;
    if (sink.kind == TO_FD) /* syslog puts time, name and pid itself */
        end = put_head(end, xa_clock_now_us());
    end = stpcpy(end, levels[level].label);
    *end++ = ' ';
    end = mempcpy(end, event, strnlen(event, EVENT_MAX));
    if (*text)
        *end++ = ' ';
    room = sizeof line - (size_t)(end - line) - 2; /* newline, NUL */
    end += escape(text, end, room);
    emit(level, may_wait, line, (size_t)(end - line));
}

void
xa_log_later(enum xa_level level, const char *event, const char *text)
{
    put_line(level, level <= XA_INFO, event, text);
}

void
xa_log(enum xa_level level, const char *event, const char *fmt, ...)
{
    char text[XA_LOG_LINE_MAX];
    va_list ap;
    int n;

    if (!xa_log_enabled(level))
        return;
    va_start(ap, fmt);
    n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0)
        text[0] = '\0';
    else if ((size_t)n >= sizeof text)
        put_cut(text, sizeof text - sizeof cut);
    put_line(level, false, event, text);
}

/* What put_head() keeps may be half made when a signal comes. */
static char *
put_head_anew(char *out, int64_t now_us)
{
    xa_clock_format_utc(now_us, out);
    out = stpcpy(out + strlen(out), "Z ");
    out = mempcpy(out, sink.ident, strnlen(sink.ident, IDENT_MAX));
    *out++ = '[';
    out = xa_str_put_u64(out, (uint64_t)getpid());
    return stpcpy(out, "] ");
}

void
xa_log_from_handler(enum xa_level level, const char *event, const char *text)
{
    char line[HEAD_MAX + XA_LOG_SHORT_MAX];
    char *end = put_head_anew(line, xa_clock_now_us());

    end = stpcpy(end, levels[level].label);
    *end++ = ' ';
    end = mempcpy(end, event, strnlen(event, EVENT_MAX));
    *end++ = ' ';
    end = mempcpy(end, text, strnlen(text, XA_LOG_SHORT_MAX - 1));
    *end++ = '\n';
    if (sink.kind != TO_FD)
        sink.fd = STDERR_FILENO;
    xa_log_flush();
    write_all(line, (size_t)(end - line));
}

void
xa_log_complain(const char *ident, const char *text)
{
    char line[XA_LOG_LINE_MAX];

    escape(text, line, sizeof line - 1);
    fprintf(stderr, "%s: %s\n", ident, line);
}

const char *
xa_log_quote(const char *text, char out[XA_LOG_VALUE_MAX])
{
    const size_t max = XA_LOG_VALUE_MAX - 8;
    size_t n = 0;
    size_t len;

    if (!text) {
        strcpy(out, "-");
        return out;
    }
    out[n++] = '"';
    for (; *text && n < max; text += len, n += len) {
        len = strcspn(text, "\"\\");
        if (len == 0) {
            out[n++] = '\\';
            len = 1;
        } else if (len > max - n) {
            len = max - n;
        }
        memcpy(out + n, text, len);
    }
    if (*text) {
        memcpy(out + n, "...", 3);
        n += 3;
    }
    out[n++] = '"';
    out[n] = '\0';
    return out;
}

bool
xa_log_level_from_name(const char *name, enum xa_level *out)
{
    for (size_t i = 0; i < XA_COUNT(levels); i++) {
        if (strcasecmp(name, levels[i].name) == 0) {
            *out = (enum xa_level)i;
            return true;
        }
    }
    return false;
}

const char *
xa_log_level_name(enum xa_level level)
{
    return levels[level].name;
}

void
xa_log_capture(xa_log_capture_fn *fn, void *ctx, enum xa_level level)
{
    sink.kind = fn ? TO_CAPTURE : TO_FD;
    sink.capture = fn;
    sink.capture_ctx = ctx;
    sink.level = level;
}
