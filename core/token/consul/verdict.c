/* verdict.c - whether an answer is Consul's, and what it says of Consul. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/consul/verdict.h"

#include <string.h>
#include <strings.h>

#include "core/base/str.h"

#define SHOWN_MAX 160 /* bytes of an answer in a sentence */

enum { INDEX, KNOWN_LEADER, LAST_CONTACT, CONTENT_TYPE };

static const char *const names[] = {
    [INDEX] = "X-Consul-Index",
    [KNOWN_LEADER] = "X-Consul-KnownLeader",
    [LAST_CONTACT] = "X-Consul-LastContact",
    [CONTENT_TYPE] = "Content-Type",
};

/* Failures that blame the request, by what Consul has asked of it. */
static const struct {
    long status;
    const char *path;
    const char *text;
} blames[] = {
    {404, "session/", "Session id "},
    {404, "agent/", "Unknown "},
    {500, "kv/", "invalid session "},
    {500, "kv/", "failed session lookup: "},
    {500, "kv/", "strconv."},
    {500, "session/", "Invalid Session TTL "},
    {500, "session/", "Session TTL "},
    {500, "agent/", "CheckID "},
};

void
xa_consul_reply_init(struct xa_consul_reply *reply, size_t body_max)
{
    memset(reply, 0, sizeof *reply);
    for (size_t i = 0; i < XA_COUNT(names); i++)
        reply->wanted[i].name = names[i];
    reply->http.wanted = reply->wanted;
    reply->http.wanted_count = XA_COUNT(names);
    reply->http.body.max = body_max;
}

void
xa_consul_reply_done(struct xa_consul_reply *reply)
{
    xa_http_answer_done(&reply->http);
}

static bool
begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static const char *
header(const struct xa_consul_reply *reply, int which)
{
    return reply->wanted[which].value;
}

static bool
has_index(const struct xa_consul_reply *reply)
{
    uint64_t index;

    return xa_str_to_u64(header(reply, INDEX), UINT64_MAX, &index);
}

static bool
is_type(const struct xa_consul_reply *reply, const char *type)
{
    return strncasecmp(header(reply, CONTENT_TYPE), type, strlen(type)) == 0;
}

/* An agent that asked a server puts words before what the server said. */
static const char *
own_words(const struct xa_consul_reply *reply)
{
    static const char relayed[] = "rpc error making call: ";
    const char *text = xa_buf_text(&reply->http.body);

    while (begins(text, relayed))
        text += sizeof relayed - 1;
    return text;
}

static bool
blames_request(const struct xa_consul_request *request,
               const struct xa_consul_reply *reply)
{
    for (size_t i = 0; i < XA_COUNT(blames); i++)
        if (blames[i].status == reply->http.status &&
            begins(request->path, blames[i].path) &&
            begins(own_words(reply), blames[i].text))
            return true;
    return false;
}

/* A read of keys always has an index; what else succeeds is JSON or empty. */
static bool
is_consuls_success(const struct xa_consul_request *request,
                   const struct xa_consul_reply *reply)
{
    if (begins(request->path, "kv/") && strcmp(request->method, "GET") == 0)
        return has_index(reply);
    return reply->http.body.len == 0 || is_type(reply, "application/json");
}

static bool
is_answer(const struct xa_consul_request *request,
          const struct xa_consul_reply *reply)
{
    switch (reply->http.status) {
    case 200:
        return is_consuls_success(request, reply);
    case 400:
    case 403:
    case 409:
    case 413:
        return !is_type(reply, "text/html");
    case 404:
        return has_index(reply) || blames_request(request, reply);
    default:
        return blames_request(request, reply);
    }
}

static enum xa_consul_verdict
fault(const struct xa_consul_reply *reply, const char *secret,
      struct xa_err *err)
{
    const char *text = xa_buf_text(&reply->http.body);
    bool is_shown = reply->http.status >= 400 && *text != '\0' &&
                    !is_type(reply, "text/html") && !strstr(text, secret);

    xa_fail(err, XA_E_UNAVAILABLE, "it answers with status %ld%s%.*s",
            reply->http.status, is_shown ? ": " : "", is_shown ? SHOWN_MAX : 0,
            text);
    return XA_CONSUL_FAULT;
}

enum xa_consul_verdict
xa_consul_judge(const struct xa_consul_request *request, bool is_stale,
                const struct xa_consul_reply *reply, const char *secret,
                struct xa_err *err)
{
    bool has_no_leader = strcasecmp(header(reply, KNOWN_LEADER), "false") == 0;

    if (reply->http.status == 500 &&
        strstr(xa_buf_text(&reply->http.body), "No cluster leader"))
        has_no_leader = true;
    else if (is_stale)
        has_no_leader = false;
    if (has_no_leader) {
        xa_fail(err, XA_E_UNAVAILABLE, "Consul has no leader");
        return XA_CONSUL_LEADERLESS;
    }
    if (reply->http.status == 429) {
        xa_fail(err, XA_E_UNAVAILABLE, "Consul has too many requests");
        return XA_CONSUL_IS_BUSY;
    }
    if (!is_answer(request, reply))
        return fault(reply, secret, err);
    return XA_CONSUL_ANSWERS;
}

void
xa_consul_reply_take(struct xa_consul_reply *reply,
                     struct xa_consul_answer *out)
{
    uint64_t ms;

    xa_buf_free(&out->body);
    out->body = reply->http.body;
    reply->http.body = (struct xa_buf)XA_BUF(out->body.max);
    out->status = reply->http.status;
    out->has_index = has_index(reply);
    out->has_leader = strcasecmp(header(reply, KNOWN_LEADER), "false") != 0;
    out->last_contact_ms = INT64_MAX;
    if (xa_str_to_u64(header(reply, LAST_CONTACT), INT64_MAX, &ms))
        out->last_contact_ms = (int64_t)ms;
}
