/* http.c - servers that behave as told, in a time of their own. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tests/fakes/http.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/support/http.h"

#define CALLS 8

struct fake_http fake_http;

struct xa_http_call {
    struct xa_http_answer *answer;
    struct fake_host *host;
    bool is_used;
    bool is_stale;
    bool is_sure;
    bool is_lost; /* sent to a dead host */
    int64_t begun_ms;
    int64_t deadline_ms;
};

struct xa_http {
    struct xa_http_call calls[CALLS];
};

int64_t __wrap_xa_clock_mono_ms(void);

int64_t
__wrap_xa_clock_mono_ms(void)
{
    return fake_http.now_ms;
}

void
fake_http_reset(void)
{
    memset(&fake_http, 0, sizeof fake_http);
    fake_http.now_ms = 1000000;
}

enum xa_rc
xa_http_new(const struct xa_http_setup *setup XA_UNUSED, struct xa_http **out,
            struct xa_err *err)
{
    *out = calloc(1, sizeof **out);
    return *out ? XA_OK : xa_fail_nomem(err);
}

void
xa_http_free(struct xa_http **http)
{
    free(*http);
    *http = NULL;
}

void
xa_http_answer_done(struct xa_http_answer *answer)
{
    xa_buf_free(&answer->body);
}

static void
count(void)
{
    fake_http.asked++;
    fake_http.under_way++;
    if (fake_http.under_way > fake_http.most)
        fake_http.most = fake_http.under_way;
}

enum xa_rc
xa_http_start(struct xa_http *http, const struct xa_http_request *request,
              struct xa_http_answer *answer, struct xa_http_call **out,
              struct xa_err *err XA_UNUSED)
{
    struct xa_http_call *call = http->calls;
    const char *host = strstr(request->url, "://h");

    while (call->is_used)
        call++;
    assert(call < http->calls + CALLS && host);
    snprintf(fake_http.method, sizeof fake_http.method, "%s", request->method);
    snprintf(fake_http.url, sizeof fake_http.url, "%s", request->url);
    snprintf(fake_http.body, sizeof fake_http.body, "%.*s",
             (int)request->body_len,
             request->body ? (const char *)request->body : "");
    *call = (struct xa_http_call){
        .answer = answer,
        .host = &fake_http.hosts[host[4] - '0'],
        .is_used = true,
        .is_stale = strstr(request->url, "stale"),
        .is_sure = strstr(request->url, "consistent"),
        .begun_ms = fake_http.now_ms,
        .deadline_ms = request->deadline_ms,
    };
    call->is_lost = call->host->kind == FAKE_DEAD;
    call->host->asked++;
    if (!call->host->has_connection)
        fake_http.connections++;
    call->host->has_connection = true;
    count();
    *out = call;
    return XA_OK;
}

void
xa_http_call_free(struct xa_http_call **call)
{
    if (*call) {
        (*call)->is_used = false;
        fake_http.under_way--;
    }
    *call = NULL;
}

static void
set(struct xa_http_answer *answer, const char *name, const char *value)
{
    for (size_t i = 0; i < answer->wanted_count; i++)
        if (strcmp(answer->wanted[i].name, name) == 0)
            snprintf(answer->wanted[i].value, sizeof answer->wanted[i].value,
                     "%s", value);
}

/* When it is answered as things stand; INT64_MAX: not at all. */
static int64_t
answered_at(const struct xa_http_call *call)
{
    if (call->host->kind == FAKE_FROZEN || call->is_lost)
        return INT64_MAX;
    return call->begun_ms + call->host->takes_ms;
}

static enum xa_rc
answer(struct xa_http_call *call, struct xa_err *err)
{
    struct fake_host *host = call->host;
    struct xa_http_answer *to = call->answer;

    if (host->kind == FAKE_REFUSED) {
        host->has_connection = false;
        return xa_fail(err, XA_E_UNAVAILABLE, "refused");
    }
    xa_buf_clear(&to->body);
    if (host->kind == FAKE_LEADERLESS) {
        to->status = 500;
        xa_buf_puts(&to->body, "No cluster leader");
        return XA_OK;
    }
    if (host->kind == FAKE_BUSY) {
        to->status = 429;
        if (host->busy_left > 0 && --host->busy_left == 0)
            host->kind = FAKE_FINE;
        return XA_OK;
    }
    to->status = host->status > 0 ? host->status : 200;
    if (call->is_stale && host->stale_status > 0)
        to->status = host->stale_status;
    set(to, "X-Consul-Index", "7");
    set(to, "X-Consul-KnownLeader", "true");
    set(to, "X-Consul-LastContact", host->contact ? host->contact : "0");
    xa_buf_puts(&to->body, host->past && !call->is_sure ? host->past
                           : host->text                 ? host->text
                           : call->is_stale             ? "stale"
                                                        : "fresh");
    return XA_OK;
}

enum xa_rc
xa_http_look(struct xa_http_call *call, int64_t wait_ms, bool *out_done,
             struct xa_err *err)
{
    int64_t until_ms = fake_http.now_ms + wait_ms;
    int64_t at_ms = answered_at(call);

    if (until_ms > call->deadline_ms)
        until_ms = call->deadline_ms;
    *out_done = true;
    if (at_ms <= until_ms || at_ms <= fake_http.now_ms) {
        if (at_ms > fake_http.now_ms)
            fake_http.now_ms = at_ms;
        return answer(call, err);
    }
    if (until_ms > fake_http.now_ms)
        fake_http.now_ms = until_ms;
    if (fake_http.now_ms >= call->deadline_ms)
        return xa_fail(err, XA_E_TIMEOUT, "silent");
    *out_done = false;
    return XA_OK;
}

bool
xa_http_is_received(const struct xa_http_call *call)
{
    return !call->is_lost;
}

uint64_t
xa_http_connections(const struct xa_http *http XA_UNUSED)
{
    return fake_http.connections;
}

void
xa_http_wait(struct xa_http *http, int64_t wait_ms)
{
    int64_t until_ms = fake_http.now_ms + wait_ms;

    for (size_t i = 0; i < CALLS; i++)
        if (http->calls[i].is_used && answered_at(&http->calls[i]) < until_ms)
            until_ms = answered_at(&http->calls[i]);
    if (until_ms > fake_http.now_ms)
        fake_http.now_ms = until_ms;
}

enum xa_rc
xa_http_ask(struct xa_http *http, const struct xa_http_request *request,
            struct xa_http_answer *to, struct xa_err *err)
{
    XA_AUTO(xa_http_call_free) struct xa_http_call *call = NULL;
    bool is_done;
    enum xa_rc rc = xa_http_start(http, request, to, &call, err);

    return rc != XA_OK ? rc : xa_http_look(call, INT64_MAX / 4, &is_done, err);
}
