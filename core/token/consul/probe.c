/* probe.c - trying a Consul that did not answer. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/consul/inside.h"

#include "core/base/clock.h"
#include "core/token/consul/hosts.h"

#define PROBE_ANSWER_MAX 65536
#define SECOND_WAIT_MS 10 /* of a use that has waited already */
#define SAME_USE_MS 5     /* after that wait its next request comes */

/* A server that wakes among dead connections may reset the first new ones. */
#define TRIES 3

static void
drop(struct xa_consul_probe *probe)
{
    xa_http_call_free(&probe->call);
    xa_consul_reply_done(&probe->reply);
}

/* What a leader is asked next is consistent: so is what tries it. */
static struct xa_consul_request
probe_request(const struct xa_consul *consul, int lane)
{
    return (struct xa_consul_request){
        .mode = lane == XA_LANE_STALE ? XA_CONSUL_STALE : XA_CONSUL_SURE,
        .method = "GET",
        .path = xa_buf_text(&consul->probe_path),
    };
}

static enum xa_rc
send_probe(struct xa_consul *consul, int lane, struct xa_consul_probe *probe,
           struct xa_err *err)
{
    struct xa_consul_request what = probe_request(consul, lane);
    struct xa_http_request request = {
        .method = what.method,
        .answer_max = PROBE_ANSWER_MAX,
        .deadline_ms = INT64_MAX, /* the breaker says when to give it up */
    };
    enum xa_rc rc;

    rc = xa_consul_url(consul->config, probe->host, &what, &consul->url, err);
    if (rc != XA_OK)
        return rc;
    request.url = consul->url.data;
    return xa_http_start(consul->http, &request, &probe->reply.http,
                         &probe->call, err);
}

/* Each probe asks the next host of the list. */
static void
begin(struct xa_consul *consul, int lane, int slot)
{
    struct xa_consul_lane *at = &consul->lanes[lane];
    struct xa_consul_probe *probe = &at->probes[slot];
    struct xa_err err = XA_ERR_NONE;

    drop(probe);
    xa_consul_reply_init(&probe->reply, PROBE_ANSWER_MAX);
    consul->probe_host =
        (consul->probe_host + 1) % consul->config->consul.hosts.count;
    probe->host = consul->probe_host;
    xa_breaker_began(&at->breaker, slot, xa_clock_mono_ms());
    if (send_probe(consul, lane, probe, &err) != XA_OK)
        xa_breaker_failed(&at->breaker, slot, &err);
}

static bool
begin_if_due(struct xa_consul *consul, int lane)
{
    int slot = xa_breaker_due(&consul->lanes[lane].breaker, xa_clock_mono_ms());

    if (slot >= 0)
        begin(consul, lane, slot);
    return slot >= 0;
}

void
xa_consul_probe_begin(struct xa_consul *consul, int lane)
{
    begin_if_due(consul, lane);
}

/* XA_OK: it has been answered. */
static enum xa_rc
judge(struct xa_consul *consul, int lane, const struct xa_consul_probe *probe,
      struct xa_err *err)
{
    struct xa_consul_request what = probe_request(consul, lane);

    if (xa_consul_judge(&what, lane == XA_LANE_STALE, &probe->reply,
                        consul->config->consul.prefix,
                        err) == XA_CONSUL_ANSWERS)
        return XA_OK;
    return err->code;
}

/* What has come of a probe; true: it closed the breaker. */
static bool
look_at(struct xa_consul *consul, int lane, int slot)
{
    struct xa_consul_lane *at = &consul->lanes[lane];
    struct xa_consul_probe *probe = &at->probes[slot];
    struct xa_err err = XA_ERR_NONE;
    bool is_done = false;
    enum xa_rc rc;

    if (!probe->call)
        return false;
    rc = xa_http_look(probe->call, 0, &is_done, &err);
    if (!is_done) {
        if (xa_http_is_received(probe->call))
            xa_breaker_received(&at->breaker, slot);
        return false;
    }
    if (rc == XA_OK)
        rc = judge(consul, lane, probe, &err);
    if (rc == XA_OK)
        xa_consul_settle(consul, probe->host);
    else
        xa_breaker_failed(&at->breaker, slot, &err);
    drop(probe);
    return rc == XA_OK;
}

static bool
look(struct xa_consul *consul, int lane)
{
    struct xa_consul_lane *at = &consul->lanes[lane];
    bool is_answered = false;

    for (int slot = 0; slot < XA_BREAKER_PROBES; slot++)
        is_answered = look_at(consul, lane, slot) || is_answered;
    if (!is_answered)
        return false;
    for (int slot = 0; slot < XA_BREAKER_PROBES; slot++)
        drop(&at->probes[slot]);
    xa_breaker_answered(&at->breaker);
    return true;
}

static int64_t
patience(const struct xa_consul *consul, int lane, int64_t now_ms)
{
    if (lane == XA_LANE_STALE && now_ms - consul->waited_at_ms < SAME_USE_MS)
        return SECOND_WAIT_MS;
    return XA_CONSUL_PROBE_MS;
}

/* true: the breaker has closed. */
static bool
wait_until(struct xa_consul *consul, int lane, int64_t until_ms)
{
    size_t tries = TRIES * consul->config->consul.hosts.count;

    for (;;) {
        int64_t now_ms;

        if (look(consul, lane))
            return true;
        if (tries > 0 && begin_if_due(consul, lane)) {
            tries--;
            continue;
        }
        now_ms = xa_clock_mono_ms();
        if (now_ms >= until_ms ||
            !xa_breaker_is_probing(&consul->lanes[lane].breaker))
            return false;
        xa_http_wait(consul->http, until_ms - now_ms);
    }
}

enum xa_rc
xa_consul_probe_wait(struct xa_consul *consul, int lane, int64_t deadline_ms,
                     struct xa_err *err)
{
    const struct xa_err *reason = &consul->lanes[lane].breaker.reason;
    int64_t now_ms = xa_clock_mono_ms();
    int64_t until_ms = now_ms + patience(consul, lane, now_ms);
    bool is_closed;

    if (until_ms > deadline_ms)
        until_ms = deadline_ms;
    is_closed = wait_until(consul, lane, until_ms);
    if (lane == XA_LANE_LEADER)
        consul->waited_at_ms = xa_clock_mono_ms();
    return is_closed ? XA_OK : xa_fail(err, reason->code, "%s", reason->text);
}

void
xa_consul_probes_free(struct xa_consul *consul)
{
    for (int lane = 0; lane < XA_LANES; lane++)
        for (int slot = 0; slot < XA_BREAKER_PROBES; slot++)
            drop(&consul->lanes[lane].probes[slot]);
}
