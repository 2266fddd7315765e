/* verdict.h - whether an answer is Consul's, and what it says of Consul. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TOKEN_CONSUL_VERDICT_H
#define XA_TOKEN_CONSUL_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/support/http.h"
#include "core/token/consul/client.h"

/* An answer with the header fields by which it is judged. */
struct xa_consul_reply {
    struct xa_http_wanted wanted[4];
    struct xa_http_answer http; /* its `wanted` is the array above */
};

void xa_consul_reply_init(struct xa_consul_reply *reply, size_t body_max);
void xa_consul_reply_done(struct xa_consul_reply *reply);

enum xa_consul_verdict {
    XA_CONSUL_ANSWERS,    /* what it says is the caller's affair */
    XA_CONSUL_IS_BUSY,    /* 429 */
    XA_CONSUL_LEADERLESS, /* it is there, and can do nothing */
    XA_CONSUL_FAULT       /* it failed, or somebody else answered */
};

/*
 * Judge what came back.
 *
 *   is_stale  whether any server was allowed to answer
 *   secret    a text that no sentence may show: the prefix of the keys, which
 *             may be plain tokens
 *   err       filled with XA_E_UNAVAILABLE unless it is an answer
 */
enum xa_consul_verdict xa_consul_judge(const struct xa_consul_request *request,
                                       bool is_stale,
                                       const struct xa_consul_reply *reply,
                                       const char *secret, struct xa_err *err);

/* Hand over status, body and header fields. */
void xa_consul_reply_take(struct xa_consul_reply *reply,
                          struct xa_consul_answer *out);

#endif
