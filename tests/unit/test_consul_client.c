/* test_consul_client.c - hosts, deadlines, the breaker. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/token/consul/client.h"
#include "core/token/consul/trust.h"
#include "tests/fakes/http.h"
#include "tests/unit/unit.h"

#define TIMEOUT_MS 1000
#define WAIT_MS 40 /* for a probe */

struct fixture {
    struct xa_config *config;
    struct xa_consul *consul;
    struct xa_consul_answer answer;
    struct xa_err err;
    int64_t took_ms; /* of the last ask */
};

static void
set_text(char **place, const char *text)
{
    free(*place);
    *place = strdup(text);
    assert_non_null(*place);
}

static void
prepare(struct fixture *f, unsigned hosts)
{
    char name[] = "h0";

    *f = (struct fixture){.answer = XA_CONSUL_ANSWER};
    fake_http_reset();
    assert_int_equal(xa_config_defaults(&f->config, &f->err), XA_OK);
    xa_strlist_free(&f->config->consul.hosts);
    for (unsigned i = 0; i < hosts; i++) {
        name[1] = (char)('0' + i);
        assert_int_equal(
            xa_strlist_add(&f->config->consul.hosts, name, &f->err), XA_OK);
    }
}

static void
open_client(struct fixture *f, unsigned hosts)
{
    prepare(f, hosts);
    assert_int_equal(xa_consul_new(f->config, &f->consul, &f->err), XA_OK);
}

static void
close_client(struct fixture *f)
{
    xa_consul_answer_done(&f->answer);
    xa_consul_free(&f->consul);
    xa_config_free(&f->config);
    assert_int_equal(fake_http.under_way, 0);
}

static enum xa_rc
ask_until(struct fixture *f, enum xa_consul_mode mode, int64_t deadline_ms)
{
    struct xa_consul_request request = {
        .mode = mode,
        .method = "GET",
        .path = "kv/key",
        .query = "raw",
        .deadline_ms = deadline_ms,
    };
    int64_t begun_ms = fake_http.now_ms;
    enum xa_rc rc;

    rc = xa_consul_ask(f->consul, &request, &f->answer, &f->err);
    f->took_ms = fake_http.now_ms - begun_ms;
    return rc;
}

static enum xa_rc
ask(struct fixture *f, enum xa_consul_mode mode)
{
    return ask_until(f, mode, xa_consul_deadline_ms(f->consul));
}

/* Until a default read is trusted. */
static void
calm_down(struct fixture *f)
{
    assert_int_equal(ask(f, XA_CONSUL_READ), XA_OK);
    fake_http.now_ms += XA_TRUST_GUARD_MS;
    assert_int_equal(ask(f, XA_CONSUL_READ), XA_OK);
    fake_http.asked = 0;
}

static void
test_ask__sends_one_request(void **state XA_UNUSED)
{
    struct fixture f;

    open_client(&f, 1);
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(ask(&f, XA_CONSUL_READ), XA_OK);
        assert_int_equal(f.answer.status, 200);
        assert_string_equal(xa_buf_text(&f.answer.body), "fresh");
        assert_int_equal(fake_http.asked, i);
    }
    close_client(&f);
}

static void
test_ask__builds_the_url(void **state XA_UNUSED)
{
    static const struct {
        const char *scheme;
        const char *consistency;
        const char *datacenter;
        enum xa_consul_mode mode;
        const char *url;
    } table[] = {
        {"http", "default", NULL, XA_CONSUL_READ,
         "http://h0:8500/v1/kv/key?raw"},
        {"https", "stale", NULL, XA_CONSUL_READ,
         "https://h0:8500/v1/kv/key?raw"},
        {"http", "consistent", NULL, XA_CONSUL_READ,
         "http://h0:8500/v1/kv/key?raw&consistent"},
        {"http", "consistent", NULL, XA_CONSUL_CHECK,
         "http://h0:8500/v1/kv/key?raw&consistent"},
        {"http", "consistent", NULL, XA_CONSUL_STALE,
         "http://h0:8500/v1/kv/key?raw&stale"},
        {"http", "consistent", "dc 1&x", XA_CONSUL_WRITE,
         "http://h0:8500/v1/kv/key?raw&dc=dc%201%26x"},
        {"http", "default", "dc1", XA_CONSUL_STALE,
         "http://h0:8500/v1/kv/key?raw&stale&dc=dc1"},
    };

    for (size_t i = 0; i < XA_COUNT(table); i++) {
        struct fixture f;

        open_client(&f, 1);
        set_text(&f.config->consul.scheme, table[i].scheme);
        set_text(&f.config->consul.consistency, table[i].consistency);
        if (table[i].datacenter)
            set_text(&f.config->consul.datacenter, table[i].datacenter);
        calm_down(&f);
        assert_int_equal(ask(&f, table[i].mode), XA_OK);
        assert_string_equal(fake_http.url, table[i].url);
        close_client(&f);
    }
}

static void
test_ask__asks_nobody_when_no_time_is_left(void **state XA_UNUSED)
{
    struct fixture f;

    open_client(&f, 1);
    assert_int_equal(ask_until(&f, XA_CONSUL_READ, fake_http.now_ms),
                     XA_E_TIMEOUT);
    assert_int_equal(fake_http.asked, 0);
    assert_int_equal(ask(&f, XA_CONSUL_READ), XA_OK); /* nothing is open */
    assert_int_equal(fake_http.asked, 1);
    close_client(&f);
}

/* --- hosts --------------------------------------------------------------- */

static void
test_ask__goes_to_the_next_host(void **state XA_UNUSED)
{
    static const struct {
        int kind;
        int64_t took_ms;
    } table[] = {{FAKE_REFUSED, 0},
                 {FAKE_LEADERLESS, 0},
                 {FAKE_BUSY, 0},
                 {FAKE_FROZEN, TIMEOUT_MS / 3}};

    for (size_t i = 0; i < XA_COUNT(table); i++) {
        struct xa_news_item item;
        struct fixture f;

        open_client(&f, 3);
        fake_http.hosts[0].kind = table[i].kind;
        assert_int_equal(ask(&f, XA_CONSUL_READ), XA_OK);
        assert_int_equal(f.took_ms, table[i].took_ms);
        assert_int_equal(fake_http.hosts[1].asked, 1);
        assert_true(xa_news_take(xa_consul_news(f.consul), &item));
        assert_string_equal(item.event, "consul.moved");
        assert_string_equal(item.text, "from=h0 to=h1");
        assert_false(xa_news_take(xa_consul_news(f.consul), &item));
        /* and stays there */
        assert_int_equal(ask(&f, XA_CONSUL_READ), XA_OK);
        assert_int_equal(fake_http.hosts[0].asked, 1);
        assert_int_equal(fake_http.hosts[1].asked, 2);
        close_client(&f);
    }
}

static void
test_ask__gives_each_host_its_turn(void **state XA_UNUSED)
{
    struct fixture f;

    open_client(&f, 3);
    fake_http.hosts[0].kind = FAKE_FROZEN;
    fake_http.hosts[1].kind = FAKE_REFUSED;
    fake_http.hosts[2].kind = FAKE_FROZEN;
    assert_int_equal(ask(&f, XA_CONSUL_READ), XA_E_TIMEOUT);
    assert_in_range(f.took_ms, TIMEOUT_MS - 1, TIMEOUT_MS);
    for (int i = 0; i < 3; i++)
        assert_true(fake_http.hosts[i].asked > 0);
    close_client(&f);
}

/* --- the breaker --------------------------------------------------------- */

static void
test_breaker__stays_closed_when_refused(void **state XA_UNUSED)
{
    struct fixture f;

    open_client(&f, 1);
    fake_http.hosts[0].kind = FAKE_REFUSED;
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(ask(&f, XA_CONSUL_READ), XA_E_UNAVAILABLE);
        assert_int_equal(f.took_ms, 0);
        assert_int_equal(fake_http.asked, i);
    }
    fake_http.hosts[0].kind = FAKE_FINE;
    assert_int_equal(ask(&f, XA_CONSUL_READ), XA_OK);
    close_client(&f);
}

/* A host that does not answer now and again does not cost a second each. */
static void
open_breaker(struct fixture *f, int kind)
{
    fake_http.hosts[0].kind = kind;
    assert_int_equal(ask(f, XA_CONSUL_READ), XA_E_TIMEOUT);
    assert_int_equal(f->took_ms, TIMEOUT_MS);
    assert_int_equal(fake_http.under_way, 1); /* the probe */
}

static void
test_breaker__fails_quickly_while_consul_is_silent(void **state XA_UNUSED)
{
    struct fixture f;

    open_client(&f, 1);
    open_breaker(&f, FAKE_FROZEN);
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(ask(&f, XA_CONSUL_READ), XA_E_TIMEOUT);
        assert_int_equal(f.took_ms, WAIT_MS);
        assert_string_equal(f.err.text, "silent");
    }
    assert_true(fake_http.most <= 2);
    /* in 80 s some at first, then one each 2 s and one each 10 s */
    assert_in_range(fake_http.asked, 40, 60);
    close_client(&f);
}

static void
test_breaker__closes_for_the_first_call_after_a_return(void **state XA_UNUSED)
{
    static const struct {
        int kind;
        int64_t away_ms;
    } table[] = {{FAKE_FROZEN, 0},     {FAKE_FROZEN, 600}, {FAKE_FROZEN, 60000},
                 {FAKE_DEAD, 600},     {FAKE_DEAD, 60000}, {FAKE_REFUSED, 600},
                 {FAKE_REFUSED, 60000}};

    for (size_t i = 0; i < XA_COUNT(table); i++) {
        struct fixture f;

        open_client(&f, 1);
        open_breaker(&f, table[i].kind == FAKE_REFUSED ? FAKE_FROZEN
                                                       : table[i].kind);
        fake_http.hosts[0].kind = table[i].kind;
        assert_int_not_equal(ask(&f, XA_CONSUL_READ), XA_OK);
        fake_http.now_ms += table[i].away_ms;
        fake_http.hosts[0].kind = FAKE_FINE;
        fake_http.hosts[0].takes_ms = 5;
        assert_int_equal(ask(&f, XA_CONSUL_READ), XA_OK);
        assert_in_range(f.took_ms, 5, WAIT_MS);
        assert_int_equal(fake_http.under_way, 0); /* no probe is left */
        close_client(&f);
    }
}

static void
test_breaker__tells_the_reason_of_the_latest_probe(void **state XA_UNUSED)
{
    struct fixture f;

    open_client(&f, 1);
    open_breaker(&f, FAKE_FROZEN);
    fake_http.hosts[0].kind = FAKE_REFUSED;
    assert_int_equal(ask(&f, XA_CONSUL_READ), XA_E_UNAVAILABLE);
    assert_string_equal(f.err.text, "refused");
    assert_int_equal(f.took_ms, 0); /* nothing to wait for */
    fake_http.hosts[0].kind = FAKE_LEADERLESS;
    assert_int_equal(ask(&f, XA_CONSUL_READ), XA_E_UNAVAILABLE);
    assert_non_null(strstr(f.err.text, "leader"));
    close_client(&f);
}

static void
test_breaker__opens_without_a_leader(void **state XA_UNUSED)
{
    struct fixture f;

    open_client(&f, 1);
    fake_http.hosts[0].kind = FAKE_LEADERLESS;
    assert_int_equal(ask(&f, XA_CONSUL_READ), XA_E_UNAVAILABLE);
    fake_http.hosts[0].takes_ms = 7500; /* as it is from now on */
    for (int i = 0; i < 400; i++) {
        assert_int_equal(ask(&f, XA_CONSUL_READ), XA_E_UNAVAILABLE);
        assert_true(f.took_ms <= WAIT_MS);
    }
    fake_http.hosts[0] = (struct fake_host){.kind = FAKE_FINE};
    assert_int_equal(ask(&f, XA_CONSUL_READ), XA_OK);
    close_client(&f);
}

/* The younger probe is replaced each half second, the older is not. */
static void
test_breaker__waits_for_a_server_that_is_slow(void **state XA_UNUSED)
{
    struct fixture f;
    int64_t begun_ms;

    open_client(&f, 1);
    open_breaker(&f, FAKE_FROZEN);
    begun_ms = fake_http.now_ms;
    fake_http.hosts[0] = (struct fake_host){.takes_ms = 900};
    while (ask(&f, XA_CONSUL_READ) != XA_OK)
        assert_true(fake_http.now_ms < begun_ms + 1000);
    assert_in_range(fake_http.now_ms - begun_ms, 1700, 1900);
    close_client(&f);
}

static void
test_breaker__tries_all_hosts(void **state XA_UNUSED)
{
    struct fixture f;

    open_client(&f, 3);
    for (int i = 0; i < 3; i++)
        fake_http.hosts[i].kind = FAKE_FROZEN;
    assert_int_equal(ask(&f, XA_CONSUL_READ), XA_E_TIMEOUT);
    fake_http.hosts[2].kind = FAKE_FINE;
    for (int i = 0; i < 3 && ask(&f, XA_CONSUL_READ) != XA_OK; i++)
        fake_http.now_ms += 500;
    assert_int_equal(ask(&f, XA_CONSUL_READ), XA_OK);
    assert_int_equal(f.took_ms, 0);
    close_client(&f);
}

/* Servers without a leader answer stale reads alone. */
static void
test_breaker__leaves_stale_reads_alone(void **state XA_UNUSED)
{
    struct fixture f;

    open_client(&f, 1);
    open_breaker(&f, FAKE_FROZEN);
    fake_http.hosts[0].kind = FAKE_FINE;
    fake_http.hosts[0].takes_ms = 1;
    assert_int_equal(ask(&f, XA_CONSUL_STALE), XA_OK);
    assert_string_equal(xa_buf_text(&f.answer.body), "stale");
    assert_int_equal(f.took_ms, 1);
    /* both silent: one use waits once, and a little */
    fake_http.hosts[0].kind = FAKE_FROZEN;
    assert_int_equal(ask(&f, XA_CONSUL_STALE), XA_E_TIMEOUT);
    assert_int_equal(f.took_ms, TIMEOUT_MS);
    assert_int_equal(ask(&f, XA_CONSUL_READ), XA_E_TIMEOUT);
    assert_int_equal(f.took_ms, WAIT_MS);
    assert_int_equal(ask(&f, XA_CONSUL_STALE), XA_E_TIMEOUT);
    assert_int_equal(f.took_ms, 10);
    fake_http.now_ms += 100;
    assert_int_equal(ask(&f, XA_CONSUL_STALE), XA_E_TIMEOUT);
    assert_int_equal(f.took_ms, WAIT_MS);
    fake_http.hosts[0].kind = FAKE_FINE;
    assert_int_equal(ask(&f, XA_CONSUL_STALE), XA_OK);
    close_client(&f);
}

/* --- too many requests --------------------------------------------------- */

static void
test_ask__comes_back_once_when_consul_is_busy(void **state XA_UNUSED)
{
    struct fixture f;

    open_client(&f, 1);
    fake_http.hosts[0].kind = FAKE_BUSY;
    fake_http.hosts[0].busy_left = 1;
    assert_int_equal(ask(&f, XA_CONSUL_READ), XA_OK);
    assert_in_range(f.took_ms, 20, 60);
    assert_int_equal(fake_http.asked, 2);
    fake_http.hosts[0].kind = FAKE_BUSY;
    assert_int_equal(ask(&f, XA_CONSUL_READ), XA_E_UNAVAILABLE);
    assert_int_equal(fake_http.asked, 4);
    assert_int_equal(ask_until(&f, XA_CONSUL_READ, fake_http.now_ms + 30),
                     XA_E_UNAVAILABLE);
    assert_int_equal(f.took_ms, 0); /* no time for a second try */
    assert_int_equal(fake_http.asked, 5);
    assert_int_equal(fake_http.under_way, 0); /* the breaker is closed */
    close_client(&f);
}

/* --- what is sent again -------------------------------------------------- */

static enum xa_rc
count_renewal(void *ctx, struct xa_err *err XA_UNUSED)
{
    ++*(unsigned *)ctx;
    return XA_OK;
}

static enum xa_rc
fail_renewal(void *ctx XA_UNUSED, struct xa_err *err)
{
    return xa_fail(err, XA_E_NOMEM, "no memory");
}

static enum xa_rc
write_renewed(struct fixture *f,
              enum xa_rc (*renew)(void *ctx, struct xa_err *err),
              unsigned *renewals)
{
    const struct xa_consul_request request = {
        .mode = XA_CONSUL_WRITE,
        .method = "PUT",
        .path = "txn",
        .deadline_ms = xa_consul_deadline_ms(f->consul),
        .renew = renew,
        .ctx = renewals,
    };

    for (size_t i = 0; i < FAKE_HOSTS; i++)
        fake_http.hosts[i].text = ""; /* what is written has no value */
    *renewals = 0;
    return xa_consul_ask(f->consul, &request, &f->answer, &f->err);
}

/* Whatever the hosts before it said. */
static void
test_ask__renews_before_each_host_but_the_first(void **state XA_UNUSED)
{
    static const struct {
        int first, second; /* h2 is fine */
        unsigned asked;
    } table[] = {
        {FAKE_FINE, FAKE_FINE, 1},       {FAKE_REFUSED, FAKE_FINE, 2},
        {FAKE_FROZEN, FAKE_FINE, 2},     {FAKE_BUSY, FAKE_FINE, 2},
        {FAKE_LEADERLESS, FAKE_FINE, 2}, {FAKE_REFUSED, FAKE_FROZEN, 3},
        {FAKE_FROZEN, FAKE_REFUSED, 3},
    };

    for (size_t i = 0; i < XA_COUNT(table); i++) {
        struct fixture f;
        unsigned renewals;

        open_client(&f, 3);
        fake_http.hosts[0].kind = table[i].first;
        fake_http.hosts[1].kind = table[i].second;
        assert_int_equal(write_renewed(&f, count_renewal, &renewals), XA_OK);
        assert_int_equal(fake_http.asked, table[i].asked);
        assert_int_equal(renewals, table[i].asked - 1);
        close_client(&f);
    }
}

static void
test_ask__renews_when_it_comes_back(void **state XA_UNUSED)
{
    struct fixture f;
    unsigned renewals;

    open_client(&f, 2);
    fake_http.hosts[0].kind = FAKE_FROZEN;
    fake_http.hosts[1].kind = FAKE_BUSY;
    fake_http.hosts[1].busy_left = 1;
    assert_int_equal(write_renewed(&f, count_renewal, &renewals), XA_OK);
    assert_int_equal(fake_http.asked, 4);
    assert_int_equal(renewals, 3);
    close_client(&f);
}

static void
test_ask__ends_where_it_cannot_renew(void **state XA_UNUSED)
{
    struct fixture f;
    unsigned renewals;

    open_client(&f, 2);
    fake_http.hosts[0].kind = FAKE_REFUSED;
    assert_int_equal(write_renewed(&f, fail_renewal, &renewals), XA_E_NOMEM);
    assert_int_equal(fake_http.asked, 1);
    close_client(&f);
}

/* --- stale by configuration ---------------------------------------------- */

static void
test_ask__believes_no_stale_answer_that_denies(void **state XA_UNUSED)
{
    static const struct {
        long stale_status;
        const char *contact;
        uint32_t stale_max_s;
        unsigned asked;
        const char *body;
    } table[] = {
        {200, "0", 10, 1, "stale"},     {200, "10000", 10, 1, "stale"},
        {200, "10001", 10, 2, "fresh"}, {200, "x", 10, 2, "fresh"},
        {404, "0", 10, 2, "fresh"},     {403, "0", 10, 2, "fresh"},
        {200, "1", 0, 1, "fresh"},
    };

    for (size_t i = 0; i < XA_COUNT(table); i++) {
        struct fixture f;

        open_client(&f, 1);
        set_text(&f.config->consul.consistency, "stale");
        f.config->consul.stale_max_s = table[i].stale_max_s;
        calm_down(&f);
        fake_http.hosts[0].stale_status = table[i].stale_status;
        fake_http.hosts[0].contact = table[i].contact;
        assert_int_equal(ask(&f, XA_CONSUL_CHECK), XA_OK);
        assert_int_equal(f.answer.status, 200);
        assert_string_equal(xa_buf_text(&f.answer.body), table[i].body);
        assert_int_equal(fake_http.asked, table[i].asked);
        close_client(&f);
    }
}

/* --- leaders that have not read their log -------------------------------- */

static void
assert_asked(const struct fixture *f, unsigned requests, const char *query)
{
    assert_int_equal(fake_http.asked, requests);
    assert_string_equal(strchr(fake_http.url, '?'), query);
    assert_string_equal(xa_buf_text(&f->answer.body), "fresh");
    fake_http.asked = 0;
}

static void
test_trust__begins_with_consistent_reads(void **state XA_UNUSED)
{
    struct fixture f;

    open_client(&f, 1);
    fake_http.hosts[0].past = "revoked since";
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(&f, XA_CONSUL_CHECK), XA_OK);
        assert_asked(&f, 1, "?raw&consistent");
        fake_http.now_ms += XA_TRUST_GUARD_MS / 3;
    }
    fake_http.hosts[0].past = NULL;
    fake_http.now_ms += XA_TRUST_GUARD_MS / 3;
    assert_int_equal(ask(&f, XA_CONSUL_CHECK), XA_OK); /* after a pause */
    assert_asked(&f, 1, "?raw&consistent");
    for (int i = 0; i < 10; i++) {
        assert_int_equal(ask(&f, i % 2 ? XA_CONSUL_CHECK : XA_CONSUL_READ),
                         XA_OK);
        assert_asked(&f, 1, "?raw");
        fake_http.now_ms += XA_TRUST_QUIET_MS - 1;
    }
    close_client(&f);
}

/* What libcurl replaces by itself is not seen as a failure. */
static void
test_trust__ends_with_the_connection(void **state XA_UNUSED)
{
    static const char *const consistencies[] = {"default", "stale"};

    for (size_t i = 0; i < XA_COUNT(consistencies); i++) {
        struct fixture f;

        open_client(&f, 1);
        set_text(&f.config->consul.consistency, consistencies[i]);
        calm_down(&f);
        fake_http.hosts[0].has_connection = false;
        fake_http.hosts[0].past = "revoked since";
        assert_int_equal(ask(&f, XA_CONSUL_CHECK), XA_OK);
        assert_asked(&f, 2, "?raw&consistent"); /* not as it came first */
        assert_int_equal(ask(&f, XA_CONSUL_CHECK), XA_OK);
        assert_asked(&f, 1, "?raw&consistent");
        close_client(&f);
    }
}

static void
test_trust__ends_with_a_connection_of_a_write(void **state XA_UNUSED)
{
    struct fixture f;

    open_client(&f, 1);
    calm_down(&f);
    fake_http.hosts[0].has_connection = false;
    assert_int_equal(ask(&f, XA_CONSUL_WRITE), XA_OK);
    assert_asked(&f, 1, "?raw"); /* is not repeated */
    assert_int_equal(ask(&f, XA_CONSUL_READ), XA_OK);
    assert_asked(&f, 1, "?raw&consistent");
    close_client(&f);
}

static void
test_trust__ends_when_a_host_fails(void **state XA_UNUSED)
{
    static const int kinds[] = {FAKE_REFUSED, FAKE_LEADERLESS, FAKE_FROZEN};

    for (size_t i = 0; i < XA_COUNT(kinds); i++) {
        struct fixture f;

        open_client(&f, 1);
        calm_down(&f);
        fake_http.hosts[0].kind = kinds[i];
        assert_int_not_equal(ask(&f, XA_CONSUL_READ), XA_OK);
        fake_http.hosts[0].kind = FAKE_FINE;
        fake_http.hosts[0].has_connection = true; /* of a proxy, say */
        fake_http.hosts[0].past = "revoked since";
        fake_http.now_ms += 60000;
        for (int j = 0; j < 2; j++) {
            assert_int_equal(ask(&f, XA_CONSUL_READ), XA_OK);
            assert_string_equal(xa_buf_text(&f.answer.body), "fresh");
            fake_http.now_ms += XA_TRUST_GUARD_MS - 1;
        }
        close_client(&f);
    }
}

/* Too many requests: whoever says so has no new leader to tell of, and should
 * not be asked for more. */
static void
test_trust__outlasts_a_busy_host(void **state XA_UNUSED)
{
    struct fixture f;

    open_client(&f, 1);
    calm_down(&f);
    fake_http.hosts[0].kind = FAKE_BUSY;
    assert_int_equal(ask(&f, XA_CONSUL_READ), XA_E_UNAVAILABLE);
    fake_http.hosts[0].kind = FAKE_FINE;
    fake_http.asked = 0;
    assert_int_equal(ask(&f, XA_CONSUL_READ), XA_OK);
    assert_asked(&f, 1, "?raw");
    close_client(&f);
}

/* Who answers after another has failed. */
static void
test_trust__ends_when_another_host_answers(void **state XA_UNUSED)
{
    struct fixture f;

    open_client(&f, 2);
    fake_http.hosts[1].has_connection = true;
    calm_down(&f);
    fake_http.hosts[0].kind = FAKE_REFUSED;
    fake_http.hosts[1].past = "revoked since";
    assert_int_equal(ask(&f, XA_CONSUL_READ), XA_OK);
    assert_asked(&f, 3, "?raw&consistent");
    close_client(&f);
}

/* A server holds a read while there is no leader, and the new one answers. */
static void
test_trust__ends_while_an_answer_is_late(void **state XA_UNUSED)
{
    static const struct {
        int64_t takes_ms;
        unsigned asked;
        const char *query;
    } table[] = {
        {XA_TRUST_QUIET_MS - 1, 1, "?raw"},
        {XA_TRUST_QUIET_MS, 2, "?raw&consistent"},
    };

    for (size_t i = 0; i < XA_COUNT(table); i++) {
        struct fixture f;

        open_client(&f, 1);
        f.config->consul.timeout_ms = 2 * TIMEOUT_MS;
        calm_down(&f);
        fake_http.hosts[0].takes_ms = table[i].takes_ms;
        assert_int_equal(ask(&f, XA_CONSUL_READ), XA_OK);
        assert_asked(&f, table[i].asked, table[i].query);
        close_client(&f);
    }
}

/* --- news ---------------------------------------------------------------- */

static void
test_news__are_told_once(void **state XA_UNUSED)
{
    struct xa_news_item item;
    struct fixture f;

    open_client(&f, 1);
    assert_int_equal(ask(&f, XA_CONSUL_READ), XA_OK);
    assert_false(xa_news_take(xa_consul_news(f.consul), &item));
    fake_http.hosts[0].kind = FAKE_FROZEN;
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask(&f, XA_CONSUL_READ), XA_E_TIMEOUT);
    assert_true(xa_news_take(xa_consul_news(f.consul), &item));
    assert_int_equal(item.level, XA_ERROR);
    assert_string_equal(item.event, "consul.lost");
    assert_string_equal(item.text, "reason=\"silent\"");
    assert_false(xa_news_take(xa_consul_news(f.consul), &item));
    fake_http.now_ms += 60000 - 4 * WAIT_MS;
    fake_http.hosts[0].kind = FAKE_FINE;
    assert_int_equal(ask(&f, XA_CONSUL_STALE), XA_OK); /* proves nothing */
    assert_false(xa_news_take(xa_consul_news(f.consul), &item));
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask(&f, XA_CONSUL_READ), XA_OK);
    assert_true(xa_news_take(xa_consul_news(f.consul), &item));
    assert_int_equal(item.level, XA_INFO);
    assert_string_equal(item.event, "consul.back");
    assert_string_equal(item.text, "after_ms=60000");
    assert_false(xa_news_take(xa_consul_news(f.consul), &item));
    close_client(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ask__sends_one_request),
        cmocka_unit_test(test_ask__builds_the_url),
        cmocka_unit_test(test_ask__asks_nobody_when_no_time_is_left),
        cmocka_unit_test(test_ask__goes_to_the_next_host),
        cmocka_unit_test(test_ask__gives_each_host_its_turn),
        cmocka_unit_test(test_breaker__stays_closed_when_refused),
        cmocka_unit_test(test_breaker__fails_quickly_while_consul_is_silent),
        cmocka_unit_test(
            test_breaker__closes_for_the_first_call_after_a_return),
        cmocka_unit_test(test_breaker__tells_the_reason_of_the_latest_probe),
        cmocka_unit_test(test_breaker__opens_without_a_leader),
        cmocka_unit_test(test_breaker__waits_for_a_server_that_is_slow),
        cmocka_unit_test(test_breaker__tries_all_hosts),
        cmocka_unit_test(test_breaker__leaves_stale_reads_alone),
        cmocka_unit_test(test_ask__comes_back_once_when_consul_is_busy),
        cmocka_unit_test(test_ask__renews_before_each_host_but_the_first),
        cmocka_unit_test(test_ask__renews_when_it_comes_back),
        cmocka_unit_test(test_ask__ends_where_it_cannot_renew),
        cmocka_unit_test(test_ask__believes_no_stale_answer_that_denies),
        cmocka_unit_test(test_trust__begins_with_consistent_reads),
        cmocka_unit_test(test_trust__outlasts_a_busy_host),
        cmocka_unit_test(test_trust__ends_with_the_connection),
        cmocka_unit_test(test_trust__ends_with_a_connection_of_a_write),
        cmocka_unit_test(test_trust__ends_when_a_host_fails),
        cmocka_unit_test(test_trust__ends_when_another_host_answers),
        cmocka_unit_test(test_trust__ends_while_an_answer_is_late),
        cmocka_unit_test(test_news__are_told_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
