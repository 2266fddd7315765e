/* test_consul_verdict.c - whether an answer is Consul's. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/token/consul/verdict.h"
#include "tests/unit/unit.h"

#define PREFIX "xivo/xivo-auth/"

enum {
    INDEXED = 1,
    LEADERLESS = 2,
    JSON = 4,
    HTML = 8,
    PLAIN = 16,
    STALE = 32
};

static void
set(struct xa_consul_reply *reply, const char *name, const char *value)
{
    for (size_t i = 0; i < reply->http.wanted_count; i++)
        if (strcmp(reply->wanted[i].name, name) == 0)
            snprintf(reply->wanted[i].value, sizeof reply->wanted[i].value,
                     "%s", value);
}

static void
fill(struct xa_consul_reply *reply, long status, unsigned flags,
     const char *body)
{
    xa_consul_reply_init(reply, 1024);
    reply->http.status = status;
    xa_buf_puts(&reply->http.body, body);
    if (flags & INDEXED)
        set(reply, "X-Consul-Index", "17");
    if (flags & INDEXED)
        set(reply, "X-Consul-KnownLeader",
            flags & LEADERLESS ? "false" : "true");
    if (flags & JSON)
        set(reply, "Content-Type", "application/json");
    if (flags & HTML)
        set(reply, "Content-Type", "text/html; charset=utf-8");
    if (flags & PLAIN)
        set(reply, "Content-Type", "text/plain; charset=utf-8");
}

#define SESSION "8e4ac6f1-4b3b-6a6b-5d3f-1b7f5f2d2a11"

static const struct {
    const char *method;
    const char *path;
    long status;
    unsigned flags;
    const char *body;
    enum xa_consul_verdict verdict;
} answers[] = {
    {"GET", "kv/a", 200, INDEXED | PLAIN, "{}", XA_CONSUL_ANSWERS},
    {"GET", "kv/a", 404, INDEXED, "", XA_CONSUL_ANSWERS},
    {"GET", "kv/a", 403, PLAIN, "Permission denied", XA_CONSUL_ANSWERS},
    {"GET", "kv/a", 200, 0, "{}", XA_CONSUL_FAULT},
    {"GET", "kv/a", 200, JSON, "{}", XA_CONSUL_FAULT},
    {"GET", "kv/a", 404, 0, "", XA_CONSUL_FAULT},
    {"GET", "kv/a", 404, HTML, "<html>", XA_CONSUL_FAULT},
    {"GET", "kv/a", 403, HTML, "<html>", XA_CONSUL_FAULT},
    {"PUT", "kv/a", 200, JSON, "true", XA_CONSUL_ANSWERS},
    {"PUT", "kv/a", 200, HTML, "<html>", XA_CONSUL_FAULT},
    {"PUT", "kv/a", 404, INDEXED, "", XA_CONSUL_ANSWERS},
    {"PUT", "txn", 200, JSON, "{}", XA_CONSUL_ANSWERS},
    {"PUT", "txn", 200, HTML, "<html>", XA_CONSUL_FAULT},
    {"PUT", "txn", 200, 0, "{}", XA_CONSUL_FAULT},
    {"PUT", "txn", 409, JSON, "{}", XA_CONSUL_ANSWERS},
    {"PUT", "txn", 413, PLAIN, "Transaction contains", XA_CONSUL_ANSWERS},
    {"PUT", "txn", 400, PLAIN, "Failed to parse", XA_CONSUL_ANSWERS},
    {"PUT", "agent/service/register", 200, 0, "", XA_CONSUL_ANSWERS},
    /* nobody's answer to what we ask */
    {"GET", "kv/a", 204, INDEXED, "", XA_CONSUL_FAULT},
    {"GET", "kv/a", 301, 0, "", XA_CONSUL_FAULT},
    {"GET", "kv/a", 302, INDEXED, "", XA_CONSUL_FAULT},
    {"GET", "kv/a", 401, 0, "", XA_CONSUL_FAULT},
    {"GET", "kv/a", 405, 0, "", XA_CONSUL_FAULT},
    {"GET", "kv/a", 502, HTML, "", XA_CONSUL_FAULT},
    {"GET", "kv/a", 503, 0, "", XA_CONSUL_FAULT},
    {"GET", "kv/a", 429, 0, "", XA_CONSUL_IS_BUSY},
    /* 500: who is to blame */
    {"GET", "kv/a", 500, PLAIN, "No cluster leader", XA_CONSUL_LEADERLESS},
    {"PUT", "txn", 500, PLAIN, "rpc error making call: No cluster leader",
     XA_CONSUL_LEADERLESS},
    {"GET", "kv/a", 500, PLAIN, "rpc error making call: EOF", XA_CONSUL_FAULT},
    {"GET", "kv/a", 500, PLAIN, "No path to datacenter", XA_CONSUL_FAULT},
    {"GET", "kv/a", 500, 0, "", XA_CONSUL_FAULT},
    {"PUT", "kv/a", 500, PLAIN, "invalid session \"" SESSION "\"",
     XA_CONSUL_ANSWERS},
    {"PUT", "kv/a", 500, PLAIN,
     "rpc error making call: rpc error making call: invalid session \"x\"",
     XA_CONSUL_ANSWERS},
    {"PUT", "txn", 500, PLAIN, "invalid session \"x\"", XA_CONSUL_FAULT},
    {"PUT", "kv/a", 500, PLAIN, "failed session lookup: index error",
     XA_CONSUL_ANSWERS},
    {"PUT", "kv/a", 500, PLAIN, "strconv.ParseUint: parsing \"zz\"",
     XA_CONSUL_ANSWERS},
    {"PUT", "session/create", 500, PLAIN, "Invalid Session TTL '1'",
     XA_CONSUL_ANSWERS},
    {"PUT", "session/renew/" SESSION, 404, PLAIN,
     "Session id '" SESSION "' not found", XA_CONSUL_ANSWERS},
    {"PUT", "session/renew/" SESSION, 404, PLAIN, "404 page not found",
     XA_CONSUL_FAULT},
    {"PUT", "session/renew/" SESSION, 404, 0, "", XA_CONSUL_FAULT},
    {"GET", "kv/a", 404, PLAIN, "Session id", XA_CONSUL_FAULT},
    {"PUT", "agent/check/pass/a", 500, PLAIN, "CheckID \"a\" does not",
     XA_CONSUL_ANSWERS},
    /* a server without a leader answers what may be stale, and that alone */
    {"GET", "kv/a", 200, INDEXED | LEADERLESS, "{}", XA_CONSUL_LEADERLESS},
    {"GET", "kv/a", 404, INDEXED | LEADERLESS, "", XA_CONSUL_LEADERLESS},
    {"GET", "kv/a", 200, INDEXED | LEADERLESS | STALE, "{}", XA_CONSUL_ANSWERS},
    {"GET", "kv/a", 500, PLAIN | STALE, "No cluster leader",
     XA_CONSUL_LEADERLESS},
};

static void
test_judge__knows_consuls_answers(void **state XA_UNUSED)
{
    for (size_t i = 0; i < XA_COUNT(answers); i++) {
        XA_AUTO(xa_consul_reply_done) struct xa_consul_reply reply;
        struct xa_err err = XA_ERR_NONE;
        struct xa_consul_request request = {.method = answers[i].method,
                                            .path = answers[i].path};
        enum xa_consul_verdict verdict;

        fill(&reply, answers[i].status, answers[i].flags, answers[i].body);
        verdict = xa_consul_judge(&request, answers[i].flags & STALE, &reply,
                                  PREFIX, &err);
        if (verdict != answers[i].verdict)
            fail_msg("%s %s %ld \"%s\": %d", answers[i].method, answers[i].path,
                     answers[i].status, answers[i].body, (int)verdict);
        assert_int_equal(
            err.code, verdict == XA_CONSUL_ANSWERS ? XA_OK : XA_E_UNAVAILABLE);
    }
}

static void
test_judge__shows_what_consul_says_but_no_key(void **state XA_UNUSED)
{
    static const struct {
        long status;
        unsigned flags;
        const char *body;
        const char *sentence;
    } table[] = {
        {500, PLAIN, "rpc error making call: EOF",
         "it answers with status 500: rpc error making call: EOF"},
        {500, PLAIN, "cannot read xivo/xivo-auth/tokens/1823c1ee",
         "it answers with status 500"},
        {502, HTML, "<html>", "it answers with status 502"},
        {301, 0, "<a href=...>", "it answers with status 301"},
        {200, 0, "a body that may hold a token", "it answers with status 200"},
        {404, 0, "", "it answers with status 404"},
    };
    struct xa_consul_request request = {.method = "GET", .path = "kv/a"};

    for (size_t i = 0; i < XA_COUNT(table); i++) {
        XA_AUTO(xa_consul_reply_done) struct xa_consul_reply reply;
        struct xa_err err = XA_ERR_NONE;

        fill(&reply, table[i].status, table[i].flags, table[i].body);
        assert_int_equal(xa_consul_judge(&request, false, &reply, PREFIX, &err),
                         XA_CONSUL_FAULT);
        assert_string_equal(err.text, table[i].sentence);
    }
}

static void
test_take__hands_over_body_and_header(void **state XA_UNUSED)
{
    static const struct {
        const char *index;
        const char *leader;
        const char *contact;
        bool has_index;
        bool has_leader;
        int64_t contact_ms;
    } table[] = {
        {"7", "true", "0", true, true, 0},
        {"7", "false", "12345", true, false, 12345},
        {"", "", "", false, true, INT64_MAX},
        {"x", "FALSE", "-1", false, false, INT64_MAX},
        {"7", "true", "9223372036854775808", true, true, INT64_MAX},
    };

    for (size_t i = 0; i < XA_COUNT(table); i++) {
        XA_AUTO(xa_consul_reply_done) struct xa_consul_reply reply;
        XA_AUTO(xa_consul_answer_done)
        struct xa_consul_answer answer = XA_CONSUL_ANSWER;

        fill(&reply, 404, 0, "body");
        set(&reply, "X-Consul-Index", table[i].index);
        set(&reply, "X-Consul-KnownLeader", table[i].leader);
        set(&reply, "X-Consul-LastContact", table[i].contact);
        xa_consul_reply_take(&reply, &answer);
        assert_int_equal(answer.status, 404);
        assert_string_equal(xa_buf_text(&answer.body), "body");
        assert_int_equal(answer.has_index, table[i].has_index);
        assert_int_equal(answer.has_leader, table[i].has_leader);
        assert_true(answer.last_contact_ms == table[i].contact_ms);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judge__knows_consuls_answers),
        cmocka_unit_test(test_judge__shows_what_consul_says_but_no_key),
        cmocka_unit_test(test_take__hands_over_body_and_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
