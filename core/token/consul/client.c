/* client.c - talking to Consul: hosts, deadlines, the breaker. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/consul/client.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/token/consul/hosts.h"
#include "core/token/consul/inside.h"
#include "core/token/consul/names.h"

#define URL_MAX 16384
#define BUSY_WAIT_MS 20   /* least pause after a 429 */
#define BUSY_SPREAD_MS 40 /* and by how much it varies */

enum xa_rc
xa_consul_new(const struct xa_config *config, struct xa_consul **out,
              struct xa_err *err)
{
    XA_AUTO(xa_consul_free) struct xa_consul *consul = NULL;
    enum xa_rc rc;

    consul = calloc(1, sizeof *consul);
    if (!consul)
        return xa_fail_nomem(err);
    consul->config = config;
    consul->url.max = URL_MAX;
    consul->probe_path.max = URL_MAX;
    xa_buf_puts(&consul->probe_path, "kv/");
    xa_consul_put_escaped(&consul->probe_path, config->consul.prefix);
    xa_buf_puts(&consul->probe_path, "schedule/0000000000");
    rc = xa_buf_check(&consul->probe_path, err);
    if (rc == XA_OK)
        rc = xa_consul_http_new(config, &consul->http, err);
    if (rc != XA_OK)
        return rc;
    *out = XA_TAKE(consul);
    return XA_OK;
}

void
xa_consul_free(struct xa_consul **place)
{
    struct xa_consul *consul = XA_TAKE(*place);

    if (!consul)
        return;
    xa_consul_probes_free(consul);
    xa_http_free(&consul->http);
    xa_buf_free(&consul->url);
    xa_buf_free(&consul->probe_path);
    free(consul);
}

int64_t
xa_consul_deadline_ms(const struct xa_consul *consul)
{
    return xa_clock_mono_ms() + consul->config->consul.timeout_ms;
}

void
xa_consul_answer_done(struct xa_consul_answer *answer)
{
    xa_buf_free(&answer->body);
}

struct xa_news *
xa_consul_news(struct xa_consul *consul)
{
    return &consul->news;
}

void
xa_consul_settle(struct xa_consul *consul, size_t host)
{
    const struct xa_strlist *hosts = &consul->config->consul.hosts;

    if (host == consul->host)
        return;
    xa_news_put(&consul->news, XA_WARNING, "consul.moved", "from=%s to=%s",
                hosts->items[consul->host], hosts->items[host]);
    consul->host = host;
}

/* Say it when Consul does not do its work any more, and when it does again;
 * not each time. */
static void
note_health(struct xa_consul *consul, enum xa_rc rc, const char *why)
{
    bool is_lost = rc == XA_E_TIMEOUT || rc == XA_E_UNAVAILABLE;
    char quoted[XA_LOG_VALUE_MAX];
    int64_t now_ms;

    if (is_lost == consul->is_lost || rc == XA_E_NOMEM)
        return;
    now_ms = xa_clock_mono_ms();
    if (is_lost)
        xa_news_put(&consul->news, XA_ERROR, "consul.lost", "reason=%s",
                    xa_log_quote(why, quoted));
    else
        xa_news_put(&consul->news, XA_INFO, "consul.back", "after_ms=%lld",
                    (long long)(now_ms - consul->lost_at_ms));
    consul->is_lost = is_lost;
    consul->lost_at_ms = now_ms;
}

/* --- one request --------------------------------------------------------- */

/* What came of asking the hosts. */
struct round {
    struct xa_err err;  /* of the host that tells most */
    bool is_repeated;   /* the request may have come to a host before */
    bool is_silent;     /* one did not answer in time */
    bool is_leaderless; /* one said so */
    bool is_busy;       /* one has too many requests */
};

static int
lane_of(enum xa_consul_mode mode)
{
    return mode == XA_CONSUL_STALE ? XA_LANE_STALE : XA_LANE_LEADER;
}

/* Ask one host; false: another is to be asked, and why is in round. */
static bool
ask_host(struct xa_consul *consul, size_t host,
         const struct xa_consul_request *what, int64_t deadline_ms,
         struct xa_consul_reply *reply, struct round *round)
{
    struct xa_http_request request = {
        .method = what->method,
        .body = what->body ? xa_buf_text(what->body) : NULL,
        .body_len = what->body ? what->body->len : 0,
        .answer_max = XA_CONSUL_ANSWER_MAX,
        .deadline_ms = deadline_ms,
    };
    struct xa_err err = XA_ERR_NONE;
    enum xa_consul_verdict verdict = XA_CONSUL_ANSWERS;
    bool is_settled;
    enum xa_rc rc;

    rc = xa_consul_url(consul->config, host, what, &consul->url, &err);
    if (rc == XA_OK) {
        request.url = consul->url.data;
        rc = xa_http_ask(consul->http, &request, &reply->http, &err);
        xa_trust_look(&consul->trust, xa_http_connections(consul->http));
    }
    if (rc == XA_OK) {
        verdict = xa_consul_judge(what, what->mode == XA_CONSUL_STALE, reply,
                                  consul->config->consul.prefix, &err);
        rc = err.code;
    }
    if (verdict != XA_CONSUL_ANSWERS)
        xa_err_prefix(&err, "%s: ", consul->config->consul.hosts.items[host]);
    round->is_busy = round->is_busy || verdict == XA_CONSUL_IS_BUSY;
    round->is_leaderless =
        round->is_leaderless || verdict == XA_CONSUL_LEADERLESS;
    is_settled = rc != XA_E_TIMEOUT && rc != XA_E_UNAVAILABLE;
    if (!is_settled && verdict != XA_CONSUL_IS_BUSY)
        xa_trust_lose(&consul->trust);
    if (is_settled || !round->is_silent)
        round->err = err; /* silence tells more than a refusal */
    round->is_silent = round->is_silent || rc == XA_E_TIMEOUT;
    return is_settled;
}

/* Before each host but the first: whatever the ones before it said, the
 * request was on its way to them. */
static bool
renew(const struct xa_consul_request *what, struct round *round)
{
    struct xa_err err = XA_ERR_NONE;
    bool is_repeated = round->is_repeated;

    round->is_repeated = true;
    if (!is_repeated || !what->renew || what->renew(what->ctx, &err) == XA_OK)
        return true;
    round->err = err;
    return false;
}

/*
 * Ask the hosts in turn, beginning with the one that answered last; each gets
 * its share of the time that is left.
 */
static enum xa_rc
ask_hosts(struct xa_consul *consul, const struct xa_consul_request *what,
          struct xa_consul_reply *reply, struct round *round)
{
    size_t count = consul->config->consul.hosts.count;

    *round = (struct round){.is_repeated = round->is_repeated};
    for (size_t i = 0; i < count; i++) {
        size_t host = (consul->host + i) % count;
        int64_t now_ms = xa_clock_mono_ms();
        int64_t share_ms = (what->deadline_ms - now_ms) / (int64_t)(count - i);

        if (!renew(what, round))
            break;
        if (!ask_host(consul, host, what, now_ms + share_ms, reply, round))
            continue;
        if (round->err.code == XA_OK)
            xa_consul_settle(consul, host);
        return round->err.code;
    }
    return round->err.code;
}

/* Processes that were refused together shall not come again together. */
static bool
pause_when_busy(struct xa_consul *consul, int64_t deadline_ms)
{
    int64_t wait_ms =
        BUSY_WAIT_MS + (xa_clock_boot_us() + getpid()) % BUSY_SPREAD_MS;

    if (xa_clock_mono_ms() + 2 * wait_ms > deadline_ms)
        return false;
    xa_http_wait(consul->http, wait_ms);
    return true;
}

static enum xa_rc
ask_plainly(struct xa_consul *consul, const struct xa_consul_request *what,
            struct xa_consul_reply *reply, struct xa_err *err)
{
    int lane = lane_of(what->mode);
    struct round round = {.is_repeated = false};
    enum xa_rc rc;

    if (consul->lanes[lane].breaker.is_open) {
        rc = xa_consul_probe_wait(consul, lane, what->deadline_ms, err);
        if (rc != XA_OK)
            return rc;
    }
    if (xa_clock_mono_ms() >= what->deadline_ms)
        return xa_fail(err, XA_E_TIMEOUT, "no time is left to ask Consul");
    rc = ask_hosts(consul, what, reply, &round);
    if (rc != XA_OK && round.is_busy &&
        pause_when_busy(consul, what->deadline_ms))
        rc = ask_hosts(consul, what, reply, &round);
    if (lane == XA_LANE_LEADER)
        note_health(consul, rc, round.err.text);
    if (rc == XA_OK)
        return XA_OK;
    if (round.is_silent || round.is_leaderless) {
        xa_breaker_open(&consul->lanes[lane].breaker, &round.err);
        xa_consul_probe_begin(consul, lane);
    }
    return xa_fail(err, rc, "%s", round.err.text);
}

/* Whether the answer of a stale read may stand. */
static bool
is_good_enough(const struct xa_consul *consul,
               const struct xa_consul_answer *answer)
{
    return answer->status == 200 &&
           answer->last_contact_ms <=
               (int64_t)consul->config->consul.stale_max_s * 1000;
}

static enum xa_rc
ask(struct xa_consul *consul, const struct xa_consul_request *what,
    enum xa_consul_mode mode, int64_t deadline_ms,
    struct xa_consul_answer *answer, struct xa_err *err)
{
    XA_AUTO(xa_consul_reply_done) struct xa_consul_reply reply;
    struct xa_consul_request request = *what;
    enum xa_rc rc;

    request.mode = mode;
    request.deadline_ms = deadline_ms;
    xa_consul_reply_init(&reply, XA_CONSUL_ANSWER_MAX);
    reply.http.body = answer->body; /* its memory is used again */
    answer->body = (struct xa_buf)XA_BUF(XA_CONSUL_ANSWER_MAX);
    rc = ask_plainly(consul, &request, &reply, err);
    if (rc == XA_OK) {
        xa_consul_reply_take(&reply, answer);
        answer->is_sure = mode == XA_CONSUL_SURE;
    }
    return rc;
}

/* A stale read, where the configuration has it: true when the answer will do.
 * One that is not calm may come from a server that was restarted: how old its
 * state is then, it does not know. */
static bool
try_stale(struct xa_consul *consul, const struct xa_consul_request *request,
          struct xa_consul_answer *answer)
{
    const struct xa_config *config = consul->config;
    int64_t now_ms = xa_clock_mono_ms();
    int64_t half_ms = now_ms + (request->deadline_ms - now_ms) / 2;

    if (strcmp(config->consul.consistency, "stale") != 0 ||
        config->consul.stale_max_s == 0 ||
        !xa_trust_is_calm(&consul->trust, now_ms))
        return false;
    if (ask(consul, request, XA_CONSUL_STALE, half_ms, answer, NULL) != XA_OK)
        return false;
    return xa_trust_is_calm(&consul->trust, now_ms) &&
           is_good_enough(consul, answer);
}

/* A read of what is written by now: consistent, or of a leader that can be
 * trusted before and after. */
static enum xa_rc
ask_leader(struct xa_consul *consul, const struct xa_consul_request *request,
           struct xa_consul_answer *answer, struct xa_err *err)
{
    int64_t begun_ms = xa_clock_mono_ms();
    bool is_sure =
        request->mode == XA_CONSUL_SURE ||
        strcmp(consul->config->consul.consistency, "consistent") == 0 ||
        !xa_trust_holds(&consul->trust, begun_ms);
    enum xa_rc rc;

    rc = ask(consul, request, is_sure ? XA_CONSUL_SURE : XA_CONSUL_READ,
             request->deadline_ms, answer, err);
    if (rc != XA_OK || xa_trust_believes(&consul->trust, is_sure, begun_ms,
                                         xa_clock_mono_ms()))
        return rc;
    begun_ms = xa_clock_mono_ms();
    rc =
        ask(consul, request, XA_CONSUL_SURE, request->deadline_ms, answer, err);
    if (rc == XA_OK)
        xa_trust_believes(&consul->trust, true, begun_ms, xa_clock_mono_ms());
    return rc;
}

enum xa_rc
xa_consul_ask(struct xa_consul *consul, const struct xa_consul_request *request,
              struct xa_consul_answer *answer, struct xa_err *err)
{
    switch (request->mode) {
    case XA_CONSUL_CHECK:
        if (try_stale(consul, request, answer))
            return XA_OK;
        return ask_leader(consul, request, answer, err);
    case XA_CONSUL_READ:
    case XA_CONSUL_SURE:
        return ask_leader(consul, request, answer, err);
    default:
        return ask(consul, request, request->mode, request->deadline_ms, answer,
                   err);
    }
}
