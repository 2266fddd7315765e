/* inside.h - the client, for client.c and probe.c only. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TOKEN_CONSUL_INSIDE_H
#define XA_TOKEN_CONSUL_INSIDE_H

#include "core/support/http.h"
#include "core/token/consul/breaker.h"
#include "core/token/consul/client.h"
#include "core/token/consul/trust.h"
#include "core/token/consul/verdict.h"
#include "core/token/news.h"

/* What can be asked while the other cannot, each with a breaker. */
enum { XA_LANE_LEADER, XA_LANE_STALE, XA_LANES };

struct xa_consul_probe {
    struct xa_http_call *call; /* NULL: none */
    struct xa_consul_reply reply;
    size_t host; /* whom it asks */
};

struct xa_consul_lane {
    struct xa_breaker breaker;
    struct xa_consul_probe probes[XA_BREAKER_PROBES];
};

struct xa_consul {
    const struct xa_config *config;
    struct xa_http *http;
    struct xa_buf url;        /* of the request in hand */
    struct xa_buf probe_path; /* what a probe reads */
    struct xa_consul_lane lanes[XA_LANES];
    struct xa_trust trust;
    size_t host;       /* who is asked first: the last that answered */
    size_t probe_host; /* whom the last probe asked */
    struct xa_news news;
    bool is_lost;         /* the last answer that was needed did not come */
    int64_t lost_at_ms;   /* since when */
    int64_t waited_at_ms; /* when a wait for a leader ended last */
};

/* That host answered; it is asked first from now on. */
void xa_consul_settle(struct xa_consul *consul, size_t host);

/* A probe is due from now on: start it, so that it is under way while this
 * process does something else. */
void xa_consul_probe_begin(struct xa_consul *consul, int lane);

/*
 * Wait until the lane's breaker closes, for XA_CONSUL_PROBE_MS; for a stale
 * read less when its use has waited for a leader just before.
 *
 * Else the reason of the probe that ended last.
 */
XA_MUST_CHECK
enum xa_rc xa_consul_probe_wait(struct xa_consul *consul, int lane,
                                int64_t deadline_ms, struct xa_err *err);

void xa_consul_probes_free(struct xa_consul *consul);

#endif
