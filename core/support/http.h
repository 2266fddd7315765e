/* http.h - an HTTP client for servers that we depend on. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HTTP/1.1 over one kept connection per server, with a deadline for each
 * call.  It follows no redirect, reads no proxy variable, no netrc and no
 * configuration of curl's, and keeps no answer that is larger than allowed.
 * TLS is verified, from version 1.2 on.
 *
 * libcurl sends a PUT again when a kept connection proves dead, perhaps
 * after the server has done it: whatever is sent must do no harm twice.
 */
#ifndef XA_SUPPORT_HTTP_H
#define XA_SUPPORT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"

struct xa_http;      /* opaque: a client, not shared between processes */
struct xa_http_call; /* opaque: a request under way */

/* How to reach the servers; every text is copied. */
struct xa_http_setup {
    bool verify;              /* check certificate and name of the server */
    const char *ca_file;      /* NULL: the system's */
    const char *cert;         /* client certificate, PEM; may be NULL */
    const char *key;          /* its key, PEM; may be NULL */
    const char *secret_name;  /* name of a header that goes with each request,
                                 "X-Consul-Token" say; NULL: none */
    const char *secret_value; /* its value: never in a log, wiped when freed */
};

/*
 *   out  set on XA_OK only; release with xa_http_free()
 *
 * XA_E_NOMEM.  XA_E_CONFIG: a file of the setup cannot be read.
 */
XA_MUST_CHECK
enum xa_rc xa_http_new(const struct xa_http_setup *setup, struct xa_http **out,
                       struct xa_err *err);

/* Calls that were started and not freed yet end here, too: free them before,
 * or forget them. */
void xa_http_free(struct xa_http **http);

/* What is asked. */
struct xa_http_request {
    const char *method; /* "GET", "PUT", "DELETE" */
    const char *url;    /* whole; percent-encoded by the caller */
    const void *body;   /* NULL: none; lent until the call has ended */
    size_t body_len;
    size_t answer_max;   /* bytes of body that are accepted */
    int64_t deadline_ms; /* xa_clock_mono_ms() at which it must be done */
};

/* A header that the caller of a call wants to see. */
struct xa_http_wanted {
    const char *name; /* compared without case */
    char value[64];   /* "" when it is missing, longer, or has a NUL */
};

/* What came back. */
struct xa_http_answer {
    long status;
    struct xa_buf body; /* owned; release with xa_http_answer_done() */
    struct xa_http_wanted *wanted; /* the caller's storage; may be NULL */
    size_t wanted_count;
};

#define XA_HTTP_ANSWER(array, count)                                           \
    {                                                                          \
        .status = 0, .body = XA_BUF(0), .wanted = (array),                     \
        .wanted_count = (count)                                                \
    }
void xa_http_answer_done(struct xa_http_answer *answer);

/*
 * Ask, and wait for the whole answer.  Any status is XA_OK.
 *
 *   answer  filled on XA_OK; its header fields also when the body was larger
 *           than allowed
 *
 * XA_E_TIMEOUT: the deadline passed first.  XA_E_UNAVAILABLE: refused, reset,
 * name not found, certificate not trusted (each with a sentence of its own),
 * or an answer that breaks off or is no HTTP.  XA_E_INVALID: the body is larger
 * than answer_max.  XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_http_ask(struct xa_http *http,
                       const struct xa_http_request *request,
                       struct xa_http_answer *answer, struct xa_err *err);

/*
 * The same without waiting: start it, and look later.  The request's texts
 * are copied.  While one call is waited for, the others go on too.
 *
 *   answer  lent until the call is freed; as above once it has ended
 */
XA_MUST_CHECK
enum xa_rc xa_http_start(struct xa_http *http,
                         const struct xa_http_request *request,
                         struct xa_http_answer *answer,
                         struct xa_http_call **out, struct xa_err *err);

/*
 * Go on with a call that was started, for at most wait_ms (0: only look).
 *
 *   out_done  true: it has ended; the result is what is returned, and the
 *             call is to be freed.  false: XA_OK is returned.
 */
XA_MUST_CHECK
enum xa_rc xa_http_look(struct xa_http_call *call, int64_t wait_ms,
                        bool *out_done, struct xa_err *err);

/* Whether the machine of the server has confirmed that it has all of the
 * request; no proof that the server has read it.  Known of connections that
 * were made for this call only. */
bool xa_http_is_received(const struct xa_http_call *call);

/* How many connections were made so far, by all calls, those included in which
 * libcurl replaced a dead one silently.  As long as it stays the same, each
 * answer comes from the servers that answered before. */
uint64_t xa_http_connections(const struct xa_http *http);

/* Sleep until a call that is under way moves, for at most wait_ms. */
void xa_http_wait(struct xa_http *http, int64_t wait_ms);

/* End it wherever it stands; its connection is kept only if all of the answer
 * was read. */
void xa_http_call_free(struct xa_http_call **call);

#endif
