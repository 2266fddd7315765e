/* test_consul_agent.c - what Consul's agent is told, and what it says. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/support/config.h"
#include "core/token/consul/agent.h"
#include "tests/fakes/http.h"
#include "tests/unit/unit.h"

#define ID "0f0e0d0c-0b0a-4908-8706-050403020100"
#define BASE "http://h0:8500/v1/agent/"

struct fixture {
    struct xa_config *config;
    struct xa_agent *agent;
    struct xa_err err;
};

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
    struct xa_strlist *hosts;

    f = (struct fixture){.config = NULL};
    fake_http_reset();
    assert_int_equal(xa_config_defaults(&f.config, NULL), XA_OK);
    xa_str_free(&f.config->uuid); /* the environment may have one */
    hosts = &f.config->consul.hosts;
    xa_strlist_free(hosts);
    assert_int_equal(xa_strlist_add(hosts, "h0", NULL), XA_OK);
    assert_int_equal(xa_strlist_add(hosts, "h1", NULL), XA_OK);
    assert_int_equal(xa_agent_new(f.config, ID, &f.agent, NULL), XA_OK);
    *state = &f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    xa_agent_free(&f->agent);
    xa_config_free(&f->config);
    assert_int_equal(fake_http.under_way, 0);
    return 0;
}

/* How the call that was begun ends; now. */
static enum xa_rc
look(struct fixture *f)
{
    bool is_done = false;
    enum xa_rc rc = xa_agent_look(f->agent, &is_done, &f->err);

    assert_true(is_done);
    return rc;
}

static void
test_register__tells_who_and_where(void **state)
{
    struct fixture *f = *state;
    struct xa_strlist *tags = &f->config->service_discovery.extra_tags;

    assert_int_equal(xa_agent_register(f->agent, "192.0.2.7", NULL), XA_OK);
    assert_int_equal(look(f), XA_OK);
    assert_string_equal(fake_http.method, "PUT");
    assert_string_equal(fake_http.url, BASE "service/register");
    assert_string_equal(
        fake_http.body,
        "{\"ID\": \"" ID "\", \"Name\": \"xivo-auth\", "
        "\"Address\": \"192.0.2.7\", \"Port\": 9497, "
        "\"Tags\": [\"xivo-auth\"], \"Check\": {\"TTL\": \"30s\", "
        "\"DeregisterCriticalServiceAfter\": \"600s\"}}");
    set_text(&f->config->uuid, "u\"1");
    assert_int_equal(xa_strlist_add(tags, "a \\ b", NULL), XA_OK);
    assert_int_equal(xa_agent_register(f->agent, "a\"b", NULL), XA_OK);
    assert_non_null(strstr(fake_http.body, "\"Address\": \"a\\\"b\", "));
    assert_non_null(strstr(fake_http.body, "\"Tags\": [\"u\\\"1\", "
                                           "\"xivo-auth\", \"a \\\\ b\"]"));
}

static void
test_register__refuses_more_than_it_can_tell(void **state)
{
    struct fixture *f = *state;
    struct xa_strlist *tags = &f->config->service_discovery.extra_tags;
    char tag[1025];

    memset(tag, 'x', sizeof tag - 1);
    tag[sizeof tag - 1] = '\0';
    for (int i = 0; i < 64; i++)
        assert_int_equal(xa_strlist_add(tags, tag, NULL), XA_OK);
    assert_int_not_equal(xa_agent_register(f->agent, "192.0.2.7", NULL), XA_OK);
    assert_int_equal(fake_http.asked, 0);
    xa_strlist_free(tags); /* and the next one is whole again */
    assert_int_equal(xa_agent_register(f->agent, "192.0.2.7", NULL), XA_OK);
    assert_int_equal(look(f), XA_OK);
}

static void
test_pass_and_fail__name_the_check(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(xa_agent_pass(f->agent, NULL), XA_OK);
    assert_int_equal(look(f), XA_OK);
    assert_string_equal(fake_http.method, "PUT");
    assert_string_equal(fake_http.url, BASE "check/pass/service:" ID);
    assert_string_equal(fake_http.body, "");
    assert_int_equal(xa_agent_fail(f->agent, "no & never#", NULL), XA_OK);
    assert_int_equal(look(f), XA_OK);
    assert_string_equal(fake_http.url, BASE "check/fail/service:" ID
                                            "?note=no%20%26%20never%23");
    assert_string_equal(fake_http.body, "");
}

static void
test_look__tells_what_the_agent_said(void **state)
{
    static const struct {
        long status;
        const char *text;
        enum xa_rc expected;
    } cases[] = {
        {200, "", XA_OK},
        {403, "Permission denied", XA_E_FORBIDDEN},
        {404, "Unknown check ID", XA_E_NOTFOUND},
        /* of 1.8 */
        {500, "CheckID \"x\" does not have associated TTL", XA_E_NOTFOUND},
        {500, "Unknown check \"x\"", XA_E_NOTFOUND},
        {500, "Unknown service \"x\"", XA_E_NOTFOUND},
        {500, "", XA_E_UNAVAILABLE},
        {500, "rpc error", XA_E_UNAVAILABLE},
        {403, "Unknown check", XA_E_FORBIDDEN},
        {204, "", XA_E_UNAVAILABLE}, /* no agent's */
        {301, "", XA_E_UNAVAILABLE},
        {503, "", XA_E_UNAVAILABLE},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        fake_http.hosts[0].status = cases[i].status;
        fake_http.hosts[0].text = cases[i].text;
        assert_int_equal(xa_agent_pass(f->agent, NULL), XA_OK);
        if (look(f) != cases[i].expected)
            fail_msg("%ld %s", cases[i].status, cases[i].text);
    }
    assert_int_equal(look(f), XA_OK); /* nothing is under way */
}

static void
test_look__does_not_wait(void **state)
{
    struct fixture *f = *state;
    int64_t begun_ms = fake_http.now_ms;
    bool is_done = true;

    fake_http.hosts[0].kind = FAKE_FROZEN;
    assert_int_equal(xa_agent_pass(f->agent, NULL), XA_OK);
    assert_int_equal(xa_agent_look(f->agent, &is_done, NULL), XA_OK);
    assert_false(is_done);
    assert_int_equal(fake_http.now_ms, begun_ms);
    fake_http.now_ms += f->config->consul.timeout_ms;
    assert_int_equal(look(f), XA_E_TIMEOUT);
}

/* What stands at one agent is no affair of the next. */
static void
test_look__asks_no_other_host(void **state)
{
    struct fixture *f = *state;

    fake_http.hosts[0].kind = FAKE_REFUSED;
    assert_int_equal(xa_agent_pass(f->agent, NULL), XA_OK);
    assert_int_equal(look(f), XA_E_UNAVAILABLE);
    assert_int_equal(fake_http.hosts[1].asked, 0);
}

static void
test_begin__ends_what_is_under_way(void **state)
{
    struct fixture *f = *state;

    fake_http.hosts[0].takes_ms = 500;
    assert_int_equal(xa_agent_pass(f->agent, NULL), XA_OK);
    assert_int_equal(xa_agent_register(f->agent, "192.0.2.7", NULL), XA_OK);
    assert_int_equal(fake_http.most, 1);
    assert_int_equal(xa_agent_leave(f->agent, fake_http.now_ms + 1000, &f->err),
                     XA_OK);
    assert_int_equal(fake_http.most, 1);
    assert_string_equal(fake_http.url, BASE "service/deregister/" ID);
}

static void
test_leave__waits_until_the_deadline_at_most(void **state)
{
    struct fixture *f = *state;
    int64_t begun_ms = fake_http.now_ms;

    fake_http.hosts[0].kind = FAKE_FROZEN;
    assert_int_equal(xa_agent_leave(f->agent, begun_ms + 1000, &f->err),
                     XA_E_TIMEOUT);
    assert_int_equal(fake_http.now_ms, begun_ms + 1000);
    fake_http.hosts[0].kind = FAKE_FINE;
    fake_http.hosts[0].status = 404; /* what was not there is no failure */
    assert_int_equal(xa_agent_leave(f->agent, begun_ms + 2000, &f->err), XA_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_register__tells_who_and_where),
        TEST(test_register__refuses_more_than_it_can_tell),
        TEST(test_pass_and_fail__name_the_check),
        TEST(test_look__tells_what_the_agent_said),
        TEST(test_look__does_not_wait),
        TEST(test_look__asks_no_other_host),
        TEST(test_begin__ends_what_is_under_way),
        TEST(test_leave__waits_until_the_deadline_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
