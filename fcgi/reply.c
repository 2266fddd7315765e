/* reply.c - an answer, from its parts to bytes. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fcgi/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/secret.h"
#include "core/support/json.h"

#define LENGTH_MAX 64 /* bytes of a Content-Length header */
#define CRLF "\r\n"
#define ALWAYS                                                                 \
    "Cache-Control: no-store" CRLF "X-Content-Type-Options: nosniff" CRLF

/* Seconds; a store or a directory that is away may be back by then. */
#define RETRY_AFTER "2"

void
xa_reply_init(struct xa_reply *reply)
{
    reply->body = (struct xa_buf)XA_BUF(XA_REPLY_MAX);
    reply->headers = (struct xa_buf)XA_BUF(XA_REPLY_HEADERS_MAX);
    xa_reply_clear(reply, 0);
}

void
xa_reply_clear(struct xa_reply *reply, int64_t now_us)
{
    reply->status = 200;
    reply->problem = XA_FINE;
    reply->type = XA_TYPE_JSON;
    reply->bare = false;
    reply->is_verdict = false;
    reply->now_us = now_us;
    reply->err.code = XA_OK;
    reply->err.text[0] = '\0';
    xa_wipe(&reply->key, sizeof reply->key); /* it may be the token itself */
    xa_buf_clear(&reply->body);
    xa_buf_clear(&reply->headers);
}

void
xa_reply_done(struct xa_reply *reply)
{
    xa_buf_free(&reply->body);
    xa_buf_free(&reply->headers);
}

void
xa_reply_no_content(struct xa_reply *reply)
{
    reply->status = 204;
    xa_buf_clear(&reply->body);
}

static void
put_error(struct xa_reply *reply, const char *detail)
{
    XA_AUTO(xa_buf_free) struct xa_buf words = XA_BUF(XA_REPLY_MAX);
    bool before_1970 = reply->now_us < 0; /* a clock that was set wrong */
    int64_t us = before_1970 ? -reply->now_us : reply->now_us;

    xa_buf_puts(&words, xa_problem_reason(reply->problem));
    if (detail)
        xa_buf_puts(&words, detail);
    xa_buf_puts(&reply->body, "{\"reason\": [");
    xa_json_put_string(&reply->body, xa_buf_text(&words));
    xa_buf_putf(&reply->body,
                "], \"timestamp\": [%s%" PRId64 ".%06" PRId64
                "], \"status_code\": %u}",
                before_1970 ? "-" : "", us / XA_US_PER_S, us % XA_US_PER_S,
                reply->status);
}

void
xa_reply_refuse(struct xa_reply *reply, enum xa_problem problem,
                const char *detail)
{
    const char *challenge = xa_problem_challenge(problem);

    reply->problem = problem;
    reply->is_verdict = false;
    reply->status = xa_problem_status(problem);
    reply->type = XA_TYPE_JSON;
    xa_buf_clear(&reply->body);
    xa_buf_clear(&reply->headers);
    if (challenge)
        xa_reply_header(reply, "WWW-Authenticate", challenge);
    if (reply->status == 500 || reply->status == 503)
        xa_reply_retry_later(reply);
    if (!reply->bare)
        put_error(reply, detail);
}

void
xa_reply_retry_later(struct xa_reply *reply)
{
    xa_reply_header(reply, "Retry-After", RETRY_AFTER);
}

void
xa_reply_header(struct xa_reply *reply, const char *name, const char *value)
{
    xa_buf_puts(&reply->headers, name);
    xa_buf_put(&reply->headers, ": ", 2);
    xa_buf_puts(&reply->headers, value);
    xa_buf_put(&reply->headers, CRLF, 2);
}

/* Whether a byte of the text may stand in a header as it is; the NUL at the
 * end may not, nor may a blank at an edge, where it would be lost. */
static bool
is_plain(const char *text, size_t i)
{
    unsigned char c = (unsigned char)text[i];

    if (c == ' ')
        return i > 0 && text[i + 1] != '\0';
    return c > ' ' && c < 0x7f && c != '%';
}

void
xa_reply_header_encoded(struct xa_reply *reply, const char *name,
                        const char *text)
{
    size_t i = 0;

    xa_buf_puts(&reply->headers, name);
    xa_buf_put(&reply->headers, ": ", 2);
    for (;;) {
        size_t begin = i;

        while (is_plain(text, i))
            i++;
        xa_buf_put(&reply->headers, text + begin, i - begin);
        if (!text[i])
            break;
        xa_buf_putf(&reply->headers, "%%%02X", (unsigned char)text[i++]);
    }
    xa_buf_put(&reply->headers, CRLF, 2);
}

static void
put_body_headers(const struct xa_reply *reply, struct xa_buf *out)
{
    char line[LENGTH_MAX];
    int n;

    if (reply->body.len > 0) {
        xa_buf_puts(out, "Content-Type: ");
        xa_buf_puts(out, reply->type);
        xa_buf_put(out, CRLF, 2);
    }
    n = snprintf(line, sizeof line, "Content-Length: %zu" CRLF,
                 reply->body.len);
    xa_buf_put(out, line, (size_t)n);
}

void
xa_reply_render(const struct xa_reply *reply, bool head, struct xa_buf *out)
{
    xa_buf_clear(out);
    xa_buf_puts(out, "Status: ");
    xa_buf_puts(out, xa_status_line(reply->status));
    xa_buf_puts(out, reply->is_verdict ? CRLF : CRLF ALWAYS);
    if (reply->status != 204 && !reply->is_verdict) /* RFC 9110 section 8.6 */
        put_body_headers(reply, out);
    xa_buf_put(out, xa_buf_text(&reply->headers), reply->headers.len);
    xa_buf_put(out, CRLF, 2);
    if (!head)
        xa_buf_put(out, xa_buf_text(&reply->body), reply->body.len);
}
