/* agent.c - what is told to the local agent of Consul. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/consul/agent.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/support/http.h"
#include "core/support/json.h"
#include "core/support/uuid.h"
#include "core/token/consul/hosts.h"
#include "core/token/consul/names.h"

#define NAME "xivo-auth"
#define BODY_MAX (64 * 1024)   /* tags may be many */
#define URL_MAX 2048           /* bytes */
#define ANSWER_MAX (16 * 1024) /* an error text at most */
#define WORDS_MAX 120          /* bytes of an answer that are told */

struct xa_agent {
    const struct xa_config *config;
    struct xa_http *http;
    struct xa_http_call *call; /* NULL: none is under way */
    struct xa_http_answer answer;
    struct xa_buf body; /* of the request; lent to the call */
    struct xa_buf url;
    struct xa_buf path;
    char id[XA_UUID_TEXT];
};

enum xa_rc
xa_agent_new(const struct xa_config *config, const char *id,
             struct xa_agent **out, struct xa_err *err)
{
    XA_AUTO(xa_agent_free) struct xa_agent *agent = calloc(1, sizeof *agent);
    enum xa_rc rc;

    if (!agent)
        return xa_fail_nomem(err);
    agent->config = config;
    agent->body.max = BODY_MAX;
    agent->url.max = URL_MAX;
    agent->path.max = URL_MAX;
    memcpy(agent->id, id, strnlen(id, sizeof agent->id - 1));
    rc = xa_consul_http_new(config, &agent->http, err);
    if (rc != XA_OK)
        return rc;
    *out = XA_TAKE(agent);
    return XA_OK;
}

static void
end_call(struct xa_agent *agent)
{
    xa_http_call_free(&agent->call);
    xa_http_answer_done(&agent->answer);
    agent->answer = (struct xa_http_answer)XA_HTTP_ANSWER(NULL, 0);
    agent->answer.body.max = ANSWER_MAX;
}

void
xa_agent_free(struct xa_agent **place)
{
    struct xa_agent *agent = XA_TAKE(*place);

    if (!agent)
        return;
    end_call(agent);
    xa_http_free(&agent->http);
    xa_buf_free(&agent->body);
    xa_buf_free(&agent->url);
    xa_buf_free(&agent->path);
    free(agent);
}

/* --- requests ------------------------------------------------------------ */

/* The request to PUT the body at the path; its texts are the agent's. */
static enum xa_rc
prepare(struct xa_agent *agent, const char *query, int64_t deadline_ms,
        struct xa_http_request *out, struct xa_err *err)
{
    const struct xa_consul_request what = {
        .mode = XA_CONSUL_WRITE,
        .method = "PUT",
        .path = xa_buf_text(&agent->path),
        .query = query,
    };
    enum xa_rc rc;

    end_call(agent);
    rc = xa_buf_check(&agent->path, err);
    if (rc == XA_OK)
        rc = xa_buf_check(&agent->body, err);
    if (rc == XA_OK)
        rc = xa_consul_url(agent->config, 0, &what, &agent->url, err);
    if (rc != XA_OK)
        return rc;
    *out = (struct xa_http_request){
        .method = "PUT",
        .url = xa_buf_text(&agent->url),
        .body = xa_buf_text(&agent->body),
        .body_len = agent->body.len,
        .answer_max = ANSWER_MAX,
        .deadline_ms = deadline_ms,
    };
    return XA_OK;
}

static enum xa_rc
begin(struct xa_agent *agent, const char *query, struct xa_err *err)
{
    int64_t deadline_ms = xa_clock_mono_ms() + agent->config->consul.timeout_ms;
    struct xa_http_request request;
    enum xa_rc rc;

    rc = prepare(agent, query, deadline_ms, &request, err);
    if (rc != XA_OK)
        return rc;
    return xa_http_start(agent->http, &request, &agent->answer, &agent->call,
                         err);
}

/* "agent/check/pass/service:ID", say; nothing is sent along. */
static void
put_path(struct xa_agent *agent, const char *what, const char *which)
{
    xa_buf_clear(&agent->body);
    xa_buf_clear(&agent->path);
    xa_buf_putf(&agent->path, "agent/%s%s", what, which);
}

static void
put_tags(struct xa_buf *out, const struct xa_config *config)
{
    const struct xa_strlist *extra = &config->service_discovery.extra_tags;

    xa_buf_putc(out, '[');
    if (config->uuid) {
        xa_json_put_string(out, config->uuid);
        xa_buf_puts(out, ", ");
    }
    xa_json_put_string(out, NAME);
    for (size_t i = 0; i < extra->count; i++) {
        xa_buf_puts(out, ", ");
        xa_json_put_string(out, extra->items[i]);
    }
    xa_buf_putc(out, ']');
}

enum xa_rc
xa_agent_register(struct xa_agent *agent, const char *address,
                  struct xa_err *err)
{
    const struct xa_config *config = agent->config;
    struct xa_buf *body = &agent->body;

    put_path(agent, "service/register", "");
    xa_buf_putf(body, "{\"ID\": \"%s\", \"Name\": \"" NAME "\", \"Address\": ",
                agent->id);
    xa_json_put_string(body, address);
    xa_buf_putf(body, ", \"Port\": %u, \"Tags\": ",
                config->service_discovery.advertise_port);
    put_tags(body, config);
    /* A daemon that was killed takes nothing away: its agent does, later. */
    xa_buf_putf(body,
                ", \"Check\": {\"TTL\": \"%us\", "
                "\"DeregisterCriticalServiceAfter\": \"%us\"}}",
                config->service_discovery.ttl_interval_s,
                (unsigned)XA_AGENT_FORGOTTEN_S);
    return begin(agent, NULL, err);
}

enum xa_rc
xa_agent_pass(struct xa_agent *agent, struct xa_err *err)
{
    put_path(agent, "check/pass/service:", agent->id);
    return begin(agent, NULL, err);
}

enum xa_rc
xa_agent_fail(struct xa_agent *agent, const char *why, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf note = XA_BUF(URL_MAX);
    enum xa_rc rc;

    put_path(agent, "check/fail/service:", agent->id);
    xa_buf_puts(&note, "note=");
    xa_consul_put_escaped(&note, why);
    rc = xa_buf_check(&note, err);
    if (rc != XA_OK)
        return rc;
    return begin(agent, xa_buf_text(&note), err);
}

/* --- answers ------------------------------------------------------------- */

/* Consul 1.8 says with a 500 what a newer one says with a 404. */
static bool
is_forgotten(const struct xa_http_answer *answer)
{
    const char *text = xa_buf_text(&answer->body);

    return answer->status == 404 ||
           (answer->status == 500 &&
            (strstr(text, "does not have associated TTL") ||
             strstr(text, "Unknown check") || strstr(text, "Unknown service")));
}

static enum xa_rc
judge(const struct xa_agent *agent, struct xa_err *err)
{
    const struct xa_http_answer *answer = &agent->answer;
    const char *text = xa_buf_text(&answer->body);

    if (answer->status == 200)
        return XA_OK;
    if (is_forgotten(answer))
        return xa_fail(err, XA_E_NOTFOUND,
                       "the agent does not know the service");
    return xa_fail(
        err, answer->status == 403 ? XA_E_FORBIDDEN : XA_E_UNAVAILABLE,
        "%s: the agent answers %ld: %.*s", agent->config->consul.hosts.items[0],
        answer->status, WORDS_MAX, text);
}

enum xa_rc
xa_agent_look(struct xa_agent *agent, bool *out_done, struct xa_err *err)
{
    bool is_done = false;
    enum xa_rc rc;

    *out_done = true;
    if (!agent->call)
        return XA_OK;
    rc = xa_http_look(agent->call, 0, &is_done, err);
    if (!is_done) {
        *out_done = false;
        return XA_OK;
    }
    if (rc == XA_OK)
        rc = judge(agent, err);
    end_call(agent);
    return rc;
}

enum xa_rc
xa_agent_leave(struct xa_agent *agent, int64_t deadline_ms, struct xa_err *err)
{
    struct xa_http_request request;
    enum xa_rc rc;

    put_path(agent, "service/deregister/", agent->id);
    rc = prepare(agent, NULL, deadline_ms, &request, err);
    if (rc == XA_OK)
        rc = xa_http_ask(agent->http, &request, &agent->answer, err);
    if (rc == XA_OK)
        rc = judge(agent, err);
    end_call(agent);
    return rc == XA_E_NOTFOUND ? XA_OK : rc;
}
