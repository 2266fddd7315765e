/* log.c - events, one line each. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/str.h"

#define HELD_MAX 32768 /* bytes of lines held back */

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

    if (strcmp(target, "stderr") == 0) {
        xa_log_close();
    } else if (strcmp(target, "syslog") == 0) {
        xa_log_close();
        openlog(ident, LOG_PID | LOG_NDELAY, LOG_DAEMON);
        sink.kind = TO_SYSLOG;
    } else {
        rc = open_file_sink(target, err);
        if (rc != XA_OK)
            return rc;
    }
    sink.ident = ident;
    sink.level = level;
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

/*
 * Copy text to out, which has room for max bytes and a NUL, escaping what
 * would break a line or a terminal.  Returns the length.
 */
static size_t
escape(const char *text, char *out, size_t max)
{
    static const char cut[] = "...";
    bool valid = xa_str_is_utf8(text, strlen(text));
    size_t n = 0;

    max -= sizeof cut - 1;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = c >= 0x20 && c != 0x7f && (c < 0x80 || valid);

        if (n + 4 > max) {
            while (n > 0 && ((unsigned char)out[n - 1] & 0xc0) == 0x80)
                n--; /* no half character before the dots */
            if (n > 0 && (unsigned char)out[n - 1] >= 0xc0)
                n--;
            memcpy(out + n, cut, sizeof cut - 1);
            n += sizeof cut - 1;
            break;
        }
        if (plain)
            out[n++] = *text;
        else
            n += (size_t)sprintf(out + n, "\\x%02x", c);
    }
    out[n] = '\0';
    return n;
}

static void
emit(enum xa_level level, char *line, size_t len)
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
        if (level >= XA_ERROR)
            xa_log_flush();
        return;
    }
    write_all(line, len);
}

void
xa_log(enum xa_level level, const char *event, const char *fmt, ...)
{
    char raw[XA_LOG_LINE_MAX];
    char line[XA_LOG_LINE_MAX + 128]; /* and the head, below */
    char when[XA_CLOCK_TEXT];
    size_t len = 0;
    va_list ap;

    if (!xa_log_enabled(level))
        return;
    va_start(ap, fmt);
    if (vsnprintf(raw, sizeof raw, fmt, ap) < 0)
        raw[0] = '\0';
    va_end(ap);
    if (sink.kind == TO_FD) { /* syslog puts time, name and pid itself */
        xa_clock_format_utc(xa_clock_now_us(), when);
        len = (size_t)snprintf(line, 96, "%sZ %.32s[%ld] ", when, sink.ident,
                               (long)getpid());
    }
    len += (size_t)snprintf(line + len, 64, "%s %.40s%s", levels[level].label,
                            event, raw[0] ? " " : "");
    len += escape(raw, line + len, sizeof line - len - 2);
    emit(level, line, len);
}

const char *
xa_log_quote(const char *text, char out[XA_LOG_VALUE_MAX])
{
    size_t n = 0;

    if (!text) {
        strcpy(out, "-");
        return out;
    }
    out[n++] = '"';
    for (; *text && n < XA_LOG_VALUE_MAX - 8; text++) {
        if (*text == '"' || *text == '\\')
            out[n++] = '\\';
        out[n++] = *text;
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
