/* test_discovery.c - when Consul's agent is told of the service. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/service/discovery.h"
#include "core/support/address.h"
#include "core/support/fcgi_ask.h"
#include "core/token/consul/agent.h"
#include "tests/unit/unit.h"

#define RETRY_MS 2000
#define REFRESH_MS 27000

/* --- an agent and a pool that answer as told, at the next look --- */

struct xa_agent {
    int unused;
};

struct xa_fcgi_call {
    int unused;
};

static struct {
    char told[512];       /* what the agent was told, in letters and words */
    enum xa_rc registers; /* what comes of it */
    enum xa_rc tells;     /* likewise, of pass and fail */
    enum xa_rc leaves;    /* likewise */
    enum xa_rc result;    /* of what is under way */
    bool is_silent;       /* the agent does not answer yet */
    enum xa_rc begins;    /* to ask the pool */
    enum xa_rc answers;   /* what comes of it */
    int status;           /* of its answer */
    bool is_pool_silent;  /* it does not answer yet */
    unsigned pool_calls;  /* that are not freed */
    const char *address;  /* of the interface */
    char log[2048];       /* events, each with a blank behind it */
} world;

static void
tell(const char *what, const char *more)
{
    size_t len = strlen(world.told);

    snprintf(world.told + len, sizeof world.told - len, "%s%s ", what, more);
}

enum xa_rc
xa_agent_new(const struct xa_config *config XA_UNUSED, const char *id,
             struct xa_agent **out, struct xa_err *err)
{
    assert_int_equal(strlen(id), 36);
    *out = calloc(1, sizeof **out);
    return *out ? XA_OK : xa_fail_nomem(err);
}

void
xa_agent_free(struct xa_agent **agent)
{
    free(*agent);
    *agent = NULL;
}

enum xa_rc
xa_agent_register(struct xa_agent *agent XA_UNUSED, const char *address,
                  struct xa_err *err XA_UNUSED)
{
    tell("register:", address);
    world.result = world.registers;
    return XA_OK;
}

enum xa_rc
xa_agent_pass(struct xa_agent *agent XA_UNUSED, struct xa_err *err XA_UNUSED)
{
    tell("pass", "");
    world.result = world.tells;
    return XA_OK;
}

enum xa_rc
xa_agent_fail(struct xa_agent *agent XA_UNUSED, const char *why,
              struct xa_err *err XA_UNUSED)
{
    tell("fail:", why);
    world.result = world.tells;
    return XA_OK;
}

enum xa_rc
xa_agent_look(struct xa_agent *agent XA_UNUSED, bool *out_done,
              struct xa_err *err)
{
    *out_done = !world.is_silent;
    if (world.is_silent || world.result == XA_OK)
        return XA_OK;
    return xa_fail(err, world.result, "agent");
}

enum xa_rc
xa_agent_leave(struct xa_agent *agent XA_UNUSED, int64_t deadline_ms XA_UNUSED,
               struct xa_err *err)
{
    tell("leave", "");
    return world.leaves == XA_OK ? XA_OK : xa_fail(err, world.leaves, "agent");
}

enum xa_rc
xa_fcgi_start(const char *socket, const char *path,
              int64_t deadline_ms XA_UNUSED, struct xa_fcgi_call **out,
              struct xa_err *err)
{
    assert_string_equal(socket, "/run/xivo-auth/check.sock");
    assert_string_equal(path, "/0.1/status");
    if (world.begins != XA_OK)
        return xa_fail(err, world.begins, "nobody");
    *out = calloc(1, sizeof **out);
    assert_non_null(*out);
    world.pool_calls++;
    return XA_OK;
}

enum xa_rc
xa_fcgi_look(struct xa_fcgi_call *call, bool *out_done, int *out_status,
             struct xa_err *err)
{
    assert_non_null(call);
    *out_done = !world.is_pool_silent;
    if (world.is_pool_silent)
        return XA_OK;
    if (world.answers != XA_OK)
        return xa_fail(err, world.answers, "broken");
    *out_status = world.status;
    return XA_OK;
}

void
xa_fcgi_free(struct xa_fcgi_call **call)
{
    if (*call)
        world.pool_calls--;
    free(*call);
    *call = NULL;
}

void
xa_address_of(const char *interface, char out[XA_ADDRESS_TEXT])
{
    assert_string_equal(interface, "eth0");
    snprintf(out, XA_ADDRESS_TEXT, "%s", world.address);
}

/* --- the fixture --- */

struct fixture {
    struct xa_config *config;
    struct xa_discovery *discovery;
    int64_t now_ms;
};

static void
note_event(void *ctx XA_UNUSED, enum xa_level level XA_UNUSED, const char *line)
{
    const char *event = strchr(line, ' ') + 1; /* behind the level */
    size_t len = strlen(world.log);

    snprintf(world.log + len, sizeof world.log - len, "%.*s ",
             (int)strcspn(event, " "), event);
}

static void
set_text(char **place, const char *text)
{
    free(*place);
    *place = strdup(text);
    assert_non_null(*place);
}

static int
set_up(void **state)
{
    static struct fixture f;

    memset(&world, 0, sizeof world);
    world.status = 200;
    world.address = "192.0.2.7";
    f = (struct fixture){.now_ms = 5000};
    assert_int_equal(xa_config_defaults(&f.config, NULL), XA_OK);
    set_text(&f.config->store.type, "consul");
    set_text(&f.config->service_discovery.socket, "/run/xivo-auth/check.sock");
    f.config->service_discovery.enabled = true;
    xa_log_capture(note_event, NULL, XA_INFO);
    assert_int_equal(xa_discovery_new(f.config, &f.discovery, NULL), XA_OK);
    assert_non_null(f.discovery);
    *state = &f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    xa_discovery_free(&f->discovery);
    xa_config_free(&f->config);
    xa_log_capture(NULL, NULL, XA_INFO);
    assert_int_equal(world.pool_calls, 0);
    return 0;
}

/* Step as the daemon does, until it rests for a while; returns for how long. */
static int64_t
run(struct fixture *f)
{
    int64_t next_ms;

    world.told[0] = '\0';
    world.log[0] = '\0';
    for (int i = 0; i < 50; i++) {
        next_ms = xa_discovery_step(f->discovery, f->now_ms);
        if (next_ms - f->now_ms > XA_DISCOVERY_LOOK_MS)
            return next_ms - f->now_ms;
        assert_true(next_ms >= f->now_ms);
        f->now_ms = next_ms;
    }
    fail_msg("it never rests: %s", world.told);
    return 0;
}

/* The same when that time is over. */
static int64_t
run_after(struct fixture *f, int64_t rest_ms)
{
    f->now_ms += rest_ms;
    return run(f);
}

/* --- tests --- */

static void
test_step__registers_and_passes(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(run(f), REFRESH_MS);
    assert_string_equal(world.told, "register:192.0.2.7 pass ");
    assert_string_equal(world.log, "discovery.registered discovery.passing ");
    assert_int_equal(
        xa_discovery_step(f->discovery, f->now_ms + REFRESH_MS - 1),
        f->now_ms + REFRESH_MS);
    assert_string_equal(world.told, "register:192.0.2.7 pass ");
    assert_int_equal(run_after(f, REFRESH_MS), REFRESH_MS);
    assert_string_equal(world.told, "pass ");
    assert_string_equal(world.log, "");
}

static void
test_step__never_waits(void **state)
{
    struct fixture *f = *state;

    world.is_silent = true;
    world.is_pool_silent = true;
    for (int i = 0; i < 4; i++)
        assert_int_equal(xa_discovery_step(f->discovery, f->now_ms),
                         f->now_ms + XA_DISCOVERY_LOOK_MS);
    assert_string_equal(world.told, "register:192.0.2.7 ");
    world.is_silent = false;
    for (int i = 0; i < 4; i++)
        assert_int_equal(xa_discovery_step(f->discovery, f->now_ms),
                         f->now_ms + XA_DISCOVERY_LOOK_MS);
    assert_string_equal(world.told, "register:192.0.2.7 ");
    world.is_pool_silent = false;
    assert_int_equal(run(f), REFRESH_MS);
    assert_string_equal(world.told, "pass ");
}

static void
test_step__tells_of_a_pool_that_stays_away(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(run(f), REFRESH_MS);
    world.begins = XA_E_UNAVAILABLE;
    assert_int_equal(run_after(f, REFRESH_MS), RETRY_MS);
    assert_string_equal(world.told, ""); /* once may be chance */
    assert_string_equal(world.log, "discovery.failing ");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(run_after(f, RETRY_MS), RETRY_MS);
        assert_string_equal(world.told, "fail:nobody ");
        assert_string_equal(world.log, "");
    }
    world.begins = XA_OK;
    assert_int_equal(run_after(f, RETRY_MS), REFRESH_MS);
    assert_string_equal(world.told, "pass ");
    assert_string_equal(world.log, "discovery.passing ");
    world.begins = XA_E_UNAVAILABLE; /* counted anew */
    assert_int_equal(run_after(f, REFRESH_MS), RETRY_MS);
    assert_string_equal(world.told, "");
}

static void
test_step__takes_only_a_200_for_well(void **state)
{
    struct fixture *f = *state;

    world.status = 503;
    assert_int_equal(run(f), RETRY_MS);
    assert_string_equal(world.told, "register:192.0.2.7 ");
    assert_int_equal(run_after(f, RETRY_MS), RETRY_MS);
    assert_string_equal(world.told,
                        "fail:the pool answers 503 to GET /0.1/status ");
    world.answers = XA_E_TIMEOUT;
    assert_int_equal(run_after(f, RETRY_MS), RETRY_MS);
    assert_string_equal(world.told, "fail:broken ");
}

static void
test_step__registers_again_where_it_is_forgotten(void **state)
{
    struct fixture *f = *state;
    int64_t next_ms;

    assert_int_equal(run(f), REFRESH_MS);
    world.tells = XA_E_NOTFOUND;
    f->now_ms += REFRESH_MS;
    world.told[0] = world.log[0] = '\0';
    for (int i = 0; i < 3; i++) /* begin to ask, ask, hear of it */
        next_ms = xa_discovery_step(f->discovery, f->now_ms);
    assert_int_equal(next_ms, f->now_ms); /* at once */
    assert_string_equal(world.told, "pass ");
    assert_string_equal(world.log, "discovery.forgotten ");
    world.tells = XA_OK;
    assert_int_equal(run(f), REFRESH_MS);
    assert_string_equal(world.told, "register:192.0.2.7 pass ");
}

/* As when consul.host is the name of several agents. */
static void
test_step__rests_when_it_is_forgotten_each_time(void **state)
{
    struct fixture *f = *state;

    world.tells = XA_E_NOTFOUND;
    assert_int_equal(run(f), RETRY_MS);
    assert_string_equal(world.told, "register:192.0.2.7 pass ");
    assert_string_equal(world.log, "discovery.registered discovery.failing ");
    assert_int_equal(run_after(f, RETRY_MS), RETRY_MS);
    assert_string_equal(world.told, "register:192.0.2.7 pass ");
    world.tells = XA_OK;
    assert_int_equal(run_after(f, RETRY_MS), REFRESH_MS);
    assert_string_equal(world.told, "register:192.0.2.7 pass ");
}

static void
test_step__tries_again_where_the_agent_refuses(void **state)
{
    static const enum xa_rc causes[] = {XA_E_UNAVAILABLE, XA_E_TIMEOUT,
                                        XA_E_FORBIDDEN, XA_E_NOTFOUND};
    struct fixture *f = *state;
    int64_t rest_ms = 0;

    for (size_t i = 0; i < XA_COUNT(causes); i++) {
        world.registers = causes[i];
        rest_ms = run_after(f, rest_ms);
        assert_int_equal(rest_ms, RETRY_MS);
        assert_string_equal(world.told, "register:192.0.2.7 ");
        assert_string_equal(world.log, i == 0 ? "discovery.failing " : "");
    }
    world.registers = XA_OK;
    assert_int_equal(run_after(f, RETRY_MS), REFRESH_MS);
    world.tells = XA_E_TIMEOUT;
    assert_int_equal(run_after(f, REFRESH_MS), RETRY_MS);
    world.tells = XA_OK;
    assert_int_equal(run_after(f, RETRY_MS), REFRESH_MS);
    assert_string_equal(world.told, "pass "); /* it stands there still */
}

static void
test_step__tells_of_another_address(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(run(f), REFRESH_MS);
    world.address = "198.51.100.9";
    assert_int_equal(run_after(f, REFRESH_MS), REFRESH_MS);
    assert_string_equal(world.told, "register:198.51.100.9 pass ");
    set_text(&f->config->service_discovery.advertise_address, "auth.example");
    assert_int_equal(run_after(f, REFRESH_MS), REFRESH_MS);
    assert_string_equal(world.told, "register:auth.example pass ");
}

static void
test_leave__takes_away_what_may_stand(void **state)
{
    struct fixture *f = *state;

    xa_discovery_leave(f->discovery);
    assert_string_equal(world.told, "");
    world.registers = XA_E_TIMEOUT; /* it may have been done all the same */
    run(f);
    world.told[0] = world.log[0] = '\0';
    xa_discovery_leave(f->discovery);
    assert_string_equal(world.told, "leave ");
    assert_string_equal(world.log, "discovery.left ");
    world.leaves = XA_E_TIMEOUT;
    world.log[0] = '\0';
    xa_discovery_leave(f->discovery);
    assert_string_equal(world.log, "discovery.not_left ");
}

static void
test_new__is_nothing_where_it_is_not_wanted(void **state)
{
    struct fixture *f = *state;

    xa_discovery_free(&f->discovery);
    f->config->service_discovery.enabled = false;
    assert_int_equal(xa_discovery_new(f->config, &f->discovery, NULL), XA_OK);
    assert_null(f->discovery);
    f->config->service_discovery.enabled = true;
    set_text(&f->config->store.type, "lmdb");
    assert_int_equal(xa_discovery_new(f->config, &f->discovery, NULL), XA_OK);
    assert_null(f->discovery);
    assert_true(xa_discovery_step(NULL, 0) == INT64_MAX);
    xa_discovery_leave(NULL);
    assert_string_equal(world.told, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_step__registers_and_passes),
        TEST(test_step__never_waits),
        TEST(test_step__tells_of_a_pool_that_stays_away),
        TEST(test_step__takes_only_a_200_for_well),
        TEST(test_step__registers_again_where_it_is_forgotten),
        TEST(test_step__rests_when_it_is_forgotten_each_time),
        TEST(test_step__tries_again_where_the_agent_refuses),
        TEST(test_step__tells_of_another_address),
        TEST(test_leave__takes_away_what_may_stand),
        TEST(test_new__is_nothing_where_it_is_not_wanted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
