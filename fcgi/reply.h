/* reply.h - an answer, from its parts to bytes. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A handler says what the answer is; headers that every answer carries, and
 * what HEAD leaves out, are put together here.  One reply serves many
 * requests, one after the other, so that its memory is had once.
 */
#ifndef XA_FCGI_REPLY_H
#define XA_FCGI_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/token/token.h"
#include "fcgi/status.h"

#define XA_REPLY_MAX (1024 * 1024) /* bytes of a body */
#define XA_REPLY_HEADERS_MAX 16384 /* bytes of the headers of a handler */
#define XA_TYPE_JSON "application/json"

struct xa_reply {
    unsigned status;
    enum xa_problem problem; /* why it is no success */
    const char *type;        /* Content-Type of the body; static */
    struct xa_buf body;
    struct xa_buf headers; /* more header lines, each with its CR LF */
    bool bare;             /* a refusal has no body */
    bool is_verdict;       /* an authorizer's 200: goes to the web server, and
                              Apache would add headers of ours to the answer
                              that it guards, so there are none */
    int64_t now_us;        /* when the request came */
    struct xa_err err;     /* the cause, for the log only */
    struct xa_key key;     /* of the token asked about, likewise; or "" */
};

/* Make it ready: 200, JSON, nothing in the body. */
void xa_reply_init(struct xa_reply *reply);

/* The same, keeping the memory; before each request. */
void xa_reply_clear(struct xa_reply *reply, int64_t now_us);

void xa_reply_done(struct xa_reply *reply);

/* 204, and no body whatever was put into it. */
void xa_reply_no_content(struct xa_reply *reply);

/*
 * Refuse: status, public words and headers of the problem.  What a handler
 * put into body and headers before is dropped.
 *
 *   detail  put behind the words; may be NULL
 */
void xa_reply_refuse(struct xa_reply *reply, enum xa_problem problem,
                     const char *detail);

/* Say when it is worth asking again; every 500 and 503 does. */
void xa_reply_retry_later(struct xa_reply *reply);

/* Add a header whose value is a constant or was checked: it goes out as is. */
void xa_reply_header(struct xa_reply *reply, const char *name,
                     const char *value);

/*
 * Add a header with text from elsewhere: bytes outside printable ASCII, `%`,
 * and a blank at either end are percent-encoded.
 */
void xa_reply_header_encoded(struct xa_reply *reply, const char *name,
                             const char *text);

/*
 * The whole CGI answer.
 *
 *   head  the same status and headers, no body
 *   out   cleared first; failures show in xa_buf_check()
 */
void xa_reply_render(const struct xa_reply *reply, bool head,
                     struct xa_buf *out);

#endif
