/* discovery.c - telling Consul's agent that the service is here, and well. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/service/discovery.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/support/address.h"
#include "core/support/fcgi_ask.h"
#include "core/support/uuid.h"
#include "core/token/consul/agent.h"

#define STATUS_PATH "/0.1/status"
#define STATUS_MS 2500  /* as long as the slowest answer of a store takes */
#define TELL_FAILURE 2  /* failures in a row after which Consul is told */
#define ADDRESS_MAX 256 /* bytes, of what the configuration may hold */

enum state {
    IDLE,        /* until next_ms */
    REGISTERING, /* the agent is told who we are */
    ASKING,      /* the pool is asked how it is */
    PASSING,     /* the agent is told that it is well */
    FAILING      /* the agent is told that it is not */
};

struct xa_discovery {
    const struct xa_config *config;
    struct xa_agent *agent;
    struct xa_fcgi_call *probe;
    enum state state;
    int64_t next_ms;
    char id[XA_UUID_TEXT];
    char address[ADDRESS_MAX]; /* as it was registered last */
    bool is_registered;        /* as far as we know */
    bool is_known;             /* ... and the agent has shown that it knows */
    bool may_stand;            /* the agent was ever asked to register it */
    bool is_passing;           /* what the log said last */
    bool is_failing;           /* likewise: a reason has been told */
    unsigned failures;         /* of the pool, in a row */
};

enum xa_rc
xa_discovery_new(const struct xa_config *config, struct xa_discovery **out,
                 struct xa_err *err)
{
    XA_AUTO(xa_discovery_free) struct xa_discovery *discovery = NULL;
    enum xa_rc rc;

    if (!config->service_discovery.enabled ||
        strcmp(config->store.type, "consul") != 0) {
        *out = NULL;
        return XA_OK;
    }
    discovery = calloc(1, sizeof *discovery);
    if (!discovery)
        return xa_fail_nomem(err);
    discovery->config = config;
    rc = xa_uuid_random(discovery->id, err);
    if (rc == XA_OK)
        rc = xa_agent_new(config, discovery->id, &discovery->agent, err);
    if (rc != XA_OK)
        return rc;
    *out = XA_TAKE(discovery);
    return XA_OK;
}

void
xa_discovery_free(struct xa_discovery **place)
{
    struct xa_discovery *discovery = XA_TAKE(*place);

    if (!discovery)
        return;
    xa_fcgi_free(&discovery->probe);
    xa_agent_free(&discovery->agent);
    free(discovery);
}

/* --- what came of it ----------------------------------------------------- */

static void
rest(struct xa_discovery *discovery, int64_t now_ms, uint32_t seconds)
{
    discovery->state = IDLE;
    discovery->next_ms = now_ms + (int64_t)seconds * 1000;
}

static void
retry(struct xa_discovery *discovery, int64_t now_ms)
{
    rest(discovery, now_ms,
         discovery->config->service_discovery.retry_interval_s);
}

/* Once, until it works again. */
static void
log_failure(struct xa_discovery *discovery, const char *reason)
{
    char quoted[XA_LOG_VALUE_MAX];

    if (!discovery->is_failing)
        xa_log(XA_WARNING, "discovery.failing", "reason=%s",
               xa_log_quote(reason, quoted));
    discovery->is_failing = true;
    discovery->is_passing = false;
}

static void
log_registered(const struct xa_discovery *discovery)
{
    const char *uuid = discovery->config->uuid;
    char quoted[XA_LOG_VALUE_MAX];

    xa_log(XA_INFO, "discovery.registered",
           "id=%s address=%s port=%u xivo_uuid=%s", discovery->id,
           discovery->address,
           discovery->config->service_discovery.advertise_port,
           uuid ? xa_log_quote(uuid, quoted) : "-");
}

/* The agent did not do as it was told.  One that knew the service and does not
 * any more hears of it at once; but behind a name that is of several agents
 * each one may say so, every time. */
static void
give_up_turn(struct xa_discovery *discovery, int64_t now_ms,
             const struct xa_err *err)
{
    bool was_known = discovery->is_known;

    if (err->code == XA_E_NOTFOUND) {
        discovery->is_registered = false;
        discovery->is_known = false;
        if (was_known) {
            xa_log(XA_WARNING, "discovery.forgotten", "id=%s", discovery->id);
            rest(discovery, now_ms, 0);
            return;
        }
    }
    log_failure(discovery, err->text);
    retry(discovery, now_ms);
}

/* --- the steps ----------------------------------------------------------- */

static void
choose_address(struct xa_discovery *discovery, char out[ADDRESS_MAX])
{
    const char *given = discovery->config->service_discovery.advertise_address;

    memset(out, 0, ADDRESS_MAX);
    if (strcmp(given, "auto") == 0)
        xa_address_of(
            discovery->config->service_discovery.advertise_address_interface,
            out);
    else
        memcpy(out, given, strnlen(given, ADDRESS_MAX - 1));
}

static enum xa_rc
begin_register(struct xa_discovery *discovery, struct xa_err *err)
{
    discovery->state = REGISTERING;
    discovery->may_stand = true;
    discovery->is_known = false;
    return xa_agent_register(discovery->agent, discovery->address, err);
}

static enum xa_rc
begin_tell(struct xa_discovery *discovery, const char *failure,
           struct xa_err *err)
{
    discovery->state = failure ? FAILING : PASSING;
    return failure ? xa_agent_fail(discovery->agent, failure, err)
                   : xa_agent_pass(discovery->agent, err);
}

/* The pool is not well.  Once may be chance; Consul hears of it when it lasts.
 */
static enum xa_rc
take_failure(struct xa_discovery *discovery, int64_t now_ms, const char *reason,
             struct xa_err *err)
{
    log_failure(discovery, reason);
    if (++discovery->failures >= TELL_FAILURE)
        return begin_tell(discovery, reason, err);
    retry(discovery, now_ms);
    return XA_OK;
}

static enum xa_rc
begin_ask(struct xa_discovery *discovery, int64_t now_ms, struct xa_err *err)
{
    struct xa_err why = XA_ERR_NONE;

    discovery->state = ASKING;
    xa_fcgi_free(&discovery->probe);
    if (xa_fcgi_start(discovery->config->service_discovery.socket, STATUS_PATH,
                      now_ms + STATUS_MS, &discovery->probe, &why) != XA_OK)
        return take_failure(discovery, now_ms, why.text, err);
    return XA_OK;
}

/* A turn begins; the address may be another one than before. */
static enum xa_rc
begin(struct xa_discovery *discovery, int64_t now_ms, struct xa_err *err)
{
    char address[ADDRESS_MAX];

    choose_address(discovery, address);
    if (discovery->is_registered && strcmp(address, discovery->address) == 0)
        return begin_ask(discovery, now_ms, err);
    memcpy(discovery->address, address, sizeof address);
    return begin_register(discovery, err);
}

static enum xa_rc
look_register(struct xa_discovery *discovery, int64_t now_ms,
              struct xa_err *err)
{
    bool is_done = false;
    enum xa_rc rc = xa_agent_look(discovery->agent, &is_done, err);

    if (rc != XA_OK || !is_done)
        return rc;
    discovery->is_registered = true;
    log_registered(discovery);
    return begin_ask(discovery, now_ms, err);
}

static enum xa_rc
look_ask(struct xa_discovery *discovery, int64_t now_ms, struct xa_err *err)
{
    struct xa_err why = XA_ERR_NONE;
    bool is_done = false;
    int status = 0;
    enum xa_rc rc = xa_fcgi_look(discovery->probe, &is_done, &status, &why);

    if (!is_done)
        return XA_OK;
    xa_fcgi_free(&discovery->probe);
    if (rc == XA_OK && status != 200)
        rc = xa_fail(&why, XA_E_UNAVAILABLE, "the pool answers %d to GET %s",
                     status, STATUS_PATH);
    if (rc != XA_OK)
        return take_failure(discovery, now_ms, why.text, err);
    discovery->failures = 0;
    return begin_tell(discovery, NULL, err);
}

static enum xa_rc
look_tell(struct xa_discovery *discovery, int64_t now_ms, struct xa_err *err)
{
    bool is_done = false;
    enum xa_rc rc = xa_agent_look(discovery->agent, &is_done, err);

    if (rc != XA_OK || !is_done)
        return rc;
    discovery->is_known = true;
    if (discovery->state == FAILING) {
        retry(discovery, now_ms);
        return XA_OK;
    }
    if (!discovery->is_passing)
        xa_log(XA_INFO, "discovery.passing", "id=%s", discovery->id);
    discovery->is_passing = true;
    discovery->is_failing = false;
    rest(discovery, now_ms,
         discovery->config->service_discovery.refresh_interval_s);
    return XA_OK;
}

int64_t
xa_discovery_step(struct xa_discovery *discovery, int64_t now_ms)
{
    struct xa_err err = XA_ERR_NONE;
    enum xa_rc rc = XA_OK;

    if (!discovery)
        return INT64_MAX;
    switch (discovery->state) {
    case IDLE:
        if (now_ms >= discovery->next_ms)
            rc = begin(discovery, now_ms, &err);
        break;
    case REGISTERING:
        rc = look_register(discovery, now_ms, &err);
        break;
    case ASKING:
        rc = look_ask(discovery, now_ms, &err);
        break;
    case PASSING:
    case FAILING:
        rc = look_tell(discovery, now_ms, &err);
        break;
    }
    if (rc != XA_OK)
        give_up_turn(discovery, now_ms, &err);
    return discovery->state == IDLE ? discovery->next_ms
                                    : now_ms + XA_DISCOVERY_LOOK_MS;
}

void
xa_discovery_leave(struct xa_discovery *discovery)
{
    char quoted[XA_LOG_VALUE_MAX];
    struct xa_err err = XA_ERR_NONE;

    if (!discovery || !discovery->may_stand)
        return;
    if (xa_agent_leave(discovery->agent,
                       xa_clock_mono_ms() + XA_DISCOVERY_LEAVE_MS,
                       &err) == XA_OK)
        xa_log(XA_INFO, "discovery.left", "id=%s", discovery->id);
    else
        xa_log(XA_WARNING, "discovery.not_left", "id=%s reason=%s",
               discovery->id, xa_log_quote(err.text, quoted));
}
