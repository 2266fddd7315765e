/* client.h - talking to Consul: hosts, deadlines, the breaker. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One client per process.  It tries the hosts of the configuration in turn,
 * keeps to one deadline over all of it, and knows which answers are Consul's.
 *
 * The breaker: after a time-out, and after an answer that says there is no
 * leader, one probe is always under way.  A call waits for it at most
 * XA_CONSUL_PROBE_MS, then fails with the reason of the latest probe; the
 * breaker closes as soon as a probe is answered.  So errors stay quick, and
 * the first call after Consul's return succeeds.  Reads that may be stale
 * have a breaker of their own, because servers without a leader answer them.
 *
 * A read is consistent, whatever is configured, while there is any sign that
 * the leader may be a new one: see trust.h.  An answer is asked for a second
 * time only when the sign came with it.  Whoever needs a 404 to be beyond doubt
 * asks again unless the answer is_sure.
 */
#ifndef XA_TOKEN_CONSUL_CLIENT_H
#define XA_TOKEN_CONSUL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/support/config.h"
#include "core/token/news.h"

#define XA_CONSUL_PROBE_MS 40
#define XA_CONSUL_ANSWER_MAX                                                   \
    1048576 /* bytes; a larger listing is abandoned                            \
             */

struct xa_consul; /* opaque */

/*
 *   config  borrowed until xa_consul_free(); its consul.* is obeyed
 *   out     set on XA_OK only
 *
 * Nothing is asked yet: a Consul that is out of reach fails no start.
 * XA_E_CONFIG: a certificate or key cannot be read.  XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_consul_new(const struct xa_config *config, struct xa_consul **out,
                         struct xa_err *err);
void xa_consul_free(struct xa_consul **consul);

/*
 * What happened to the client, and room for what its user has to tell: lent.
 *
 *   consul.lost reason=   an answer that is needed did not come
 *   consul.back after_ms= the first that did
 *   consul.moved from= to= another host of the list is asked from now on
 */
struct xa_news *xa_consul_news(struct xa_consul *consul);

/* The deadline of one use that begins now: consul.timeout from now. */
int64_t xa_consul_deadline_ms(const struct xa_consul *consul);

enum xa_consul_mode {
    XA_CONSUL_READ,  /* as consul.consistency says, but never stale, and
                        consistent where a default read cannot be trusted */
    XA_CONSUL_STALE, /* any server may answer, however old its data */
    XA_CONSUL_CHECK, /* as consul.consistency says, stale too: what is there
                        may then be as old as consul.stale_max; what is not
                        there is asked for again as XA_CONSUL_READ */
    XA_CONSUL_SURE,  /* from a leader that knows all that was ever answered: a
                        new one may not, for a moment, and says 404 */
    XA_CONSUL_WRITE
};

struct xa_consul_request {
    enum xa_consul_mode mode;
    const char *method;
    const char *path;  /* behind /v1/, "kv/xivo/..." say; percent-encoded */
    const char *query; /* "keys" say; NULL: none.  Data centre and consistency
                          are added by the client. */
    const struct xa_buf *body; /* may be NULL */
    int64_t deadline_ms;
    /*
     * Make the body anew before it is sent again, to whatever host: one that
     * was silent, or whose connection broke, may do what it was asked at any
     * later time.  NULL: that does no harm.
     */
    enum xa_rc (*renew)(void *ctx, struct xa_err *err);
    void *ctx; /* for renew */
};

struct xa_consul_answer {
    long status;
    struct xa_buf body;
    bool has_index;          /* X-Consul-Index: Consul's own answer */
    bool has_leader;         /* X-Consul-KnownLeader is not "false" */
    bool is_sure;            /* of a consistent read */
    int64_t last_contact_ms; /* of a stale read; INT64_MAX when not told */
};
#define XA_CONSUL_ANSWER                                                       \
    {                                                                          \
        .status = 0, .body = XA_BUF(XA_CONSUL_ANSWER_MAX),                     \
        .last_contact_ms = INT64_MAX                                           \
    }
void xa_consul_answer_done(struct xa_consul_answer *answer);

/*
 * Ask Consul.  XA_OK: an answer of Consul itself, whose status is 200, 400,
 * 403, 404 (of a key with an index only), 409, 413, or 500 with a text that
 * blames the request ("invalid session" say); what it means is the caller's
 * affair.  answer->body is used again where the caller keeps it.
 *
 *   XA_E_UNAVAILABLE  refused, no leader, 5xx, 429, a redirect, or something
 *                     that is no answer of Consul's
 *   XA_E_TIMEOUT      no answer before the deadline, or the breaker says so
 *   XA_E_INVALID      the answer is larger than XA_CONSUL_ANSWER_MAX
 *   XA_E_NOMEM
 */
XA_MUST_CHECK
enum xa_rc xa_consul_ask(struct xa_consul *consul,
                         const struct xa_consul_request *request,
                         struct xa_consul_answer *answer, struct xa_err *err);

#endif
