/* test_consul_lock.c - which of several daemons works. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/token/consul/lock.h"
#include "tests/fakes/consul.h"
#include "tests/unit/unit.h"

#define NAME "xivo/xivo auth/expiryd/leader"
#define TTL_MS (XA_SESSION_TTL_S * 1000)

static struct xa_config config = {.consul.timeout_ms = 1000};

/* What was asked, and what is to be answered instead. */
struct fixture {
    struct xa_consul *consul;
    struct xa_consul_lock *lock;
    struct xa_consul_lock *other; /* of another daemon */
    unsigned creates;
    unsigned renews;
    unsigned acquires;
    unsigned destroys;
    char body[512];      /* of the latest session */
    const char *failing; /* part of a path */
    enum xa_rc rc;       /* what comes of it; XA_OK: the status does */
    long status;
    const char *text; /* the answer's */
};

static bool
hook(void *ctx, const struct xa_consul_request *request,
     struct xa_consul_answer *answer, enum xa_rc *rc)
{
    struct fixture *f = ctx;

    assert_int_equal(request->mode, XA_CONSUL_WRITE);
    assert_string_equal(request->method, "PUT");
    if (strcmp(request->path, "session/create") == 0) {
        f->creates++;
        snprintf(f->body, sizeof f->body, "%s", xa_buf_text(request->body));
    }
    f->renews += strncmp(request->path, "session/renew/", 14) == 0;
    f->destroys += strncmp(request->path, "session/destroy/", 16) == 0;
    if (request->query && strncmp(request->query, "acquire=", 8) == 0) {
        f->acquires++;
        assert_string_equal(request->path,
                            "kv/xivo/xivo%20auth/expiryd/leader");
    }
    if (!f->failing || !strstr(request->path, f->failing))
        return false;
    *rc = f->rc;
    answer->status = f->status;
    if (f->text)
        xa_buf_puts(&answer->body, f->text);
    return true;
}

static int
set_up(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof f);
    fake_consul_reset();
    fake_consul.hook = hook;
    fake_consul.ctx = &f;
    *state = &f;
    return xa_consul_new(&config, &f.consul, NULL) == XA_OK &&
                   xa_consul_lock_new(f.consul, NAME, &f.lock, NULL) == XA_OK &&
                   xa_consul_lock_new(f.consul, NAME, &f.other, NULL) == XA_OK
               ? 0
               : -1;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    f->failing = NULL;
    xa_consul_lock_free(&f->lock);
    xa_consul_lock_free(&f->other);
    xa_consul_free(&f->consul);
    fake_consul_reset();
    return 0;
}

static bool
hold(struct xa_consul_lock *lock, int64_t now_ms)
{
    struct xa_err err = XA_ERR_NONE;
    bool held = false;
    enum xa_rc rc = xa_consul_lock_hold(lock, now_ms, &held, &err);

    if (rc != XA_OK)
        fail_msg("%s: %s", xa_rc_name(rc), err.text);
    assert_int_equal(held, xa_consul_lock_session(lock) != NULL);
    return held;
}

/* Every answer to paths with these words is this, from now on. */
static void
fail_with(struct fixture *f, const char *path, enum xa_rc rc, long status,
          const char *text)
{
    f->failing = path;
    f->rc = rc;
    f->status = status;
    f->text = text;
}

static void
test_hold__takes_the_lock_and_says_who(void **state)
{
    struct fixture *f = *state;

    assert_null(xa_consul_lock_session(f->lock));
    assert_true(hold(f->lock, 0));
    assert_int_equal(strlen(xa_consul_lock_session(f->lock)), 36);
    assert_non_null(strstr(f->body, "\"TTL\": \"10s\""));
    assert_non_null(strstr(f->body, "\"Behavior\": \"release\""));
    assert_non_null(strstr(f->body, "\"LockDelay\": \"5s\""));
}

static void
test_hold__is_cheap_until_a_renewal_is_due(void **state)
{
    struct fixture *f = *state;

    assert_true(hold(f->lock, 1000));
    fake_consul.requests = 0;
    for (int64_t ms = 1000; ms < 1000 + XA_SESSION_RENEW_MS; ms += 100)
        assert_true(hold(f->lock, ms));
    assert_int_equal(fake_consul.requests, 0);
    assert_true(hold(f->lock, 1000 + XA_SESSION_RENEW_MS));
    assert_true(hold(f->lock, 1001 + XA_SESSION_RENEW_MS));
    assert_int_equal(f->renews, 1);
    assert_int_equal(fake_consul.requests, 1);
}

static void
test_hold__waits_with_one_session_for_as_long_as_it_takes(void **state)
{
    struct fixture *f = *state;

    assert_true(hold(f->other, 0));
    for (int64_t ms = 0; ms < 3600 * 1000; ms += 1000) {
        assert_true(hold(f->other, ms));
        assert_false(hold(f->lock, ms));
    }
    assert_int_equal(f->creates, 2);
    assert_int_equal(f->acquires, 1 + 3600);
    xa_consul_lock_release(f->other);
    assert_true(hold(f->lock, 3600 * 1000));
    assert_int_equal(f->creates, 2);
    assert_false(hold(f->other, 3600 * 1000));
}

static void
test_hold__makes_anew_a_session_that_consul_forgot(void **state)
{
    struct fixture *f = *state;
    char before[64];

    assert_true(hold(f->lock, 0));
    snprintf(before, sizeof before, "%s", xa_consul_lock_session(f->lock));
    fake_consul_reset(); /* a restart without its data */
    fake_consul.hook = hook;
    fake_consul.ctx = f;
    assert_true(hold(f->lock, XA_SESSION_RENEW_MS));
    assert_string_not_equal(xa_consul_lock_session(f->lock), before);
    assert_int_equal(f->creates, 2);
}

static void
test_hold__forgets_a_session_that_cannot_lock(void **state)
{
    struct fixture *f = *state;

    fail_with(f, "kv/", XA_OK, 500, "invalid session \"x\"");
    assert_false(hold(f->lock, 0));
    f->failing = NULL;
    assert_true(hold(f->lock, 1));
    assert_int_equal(f->creates, 2);
}

static void
test_hold__holds_over_a_short_outage_only(void **state)
{
    struct fixture *f = *state;
    bool held;

    assert_true(hold(f->lock, 0));
    fail_with(f, "session/renew", XA_E_TIMEOUT, 0, NULL);
    for (int64_t ms = XA_SESSION_RENEW_MS; ms < TTL_MS; ms += 1000) {
        assert_int_equal(xa_consul_lock_hold(f->lock, ms, &held, NULL),
                         XA_E_TIMEOUT);
        assert_non_null(xa_consul_lock_session(f->lock));
    }
    assert_int_equal(xa_consul_lock_hold(f->lock, TTL_MS, &held, NULL),
                     XA_E_TIMEOUT);
    assert_null(xa_consul_lock_session(f->lock));
    f->failing = NULL;
    assert_true(hold(f->lock, TTL_MS + 1000)); /* the session lived on */
    assert_int_equal(f->creates, 1);
}

static void
test_hold__says_what_it_may_not(void **state)
{
    static const struct {
        const char *path;
        const char *words;
    } cases[] = {{"session/create", "make a session"},
                 {"kv/", "take the lock"}};
    struct fixture *f = *state;

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct xa_err err = XA_ERR_NONE;
        bool held = true;

        fail_with(f, cases[i].path, XA_OK, 403, "Permission denied");
        assert_int_equal(xa_consul_lock_hold(f->lock, 0, &held, &err),
                         XA_E_FORBIDDEN);
        assert_non_null(strstr(err.text, cases[i].words));
    }
    for (int64_t ms = 0; ms < 60000; ms += 1000) { /* and leaks no session */
        bool held;

        assert_int_equal(xa_consul_lock_hold(f->lock, ms, &held, NULL),
                         XA_E_FORBIDDEN);
    }
    assert_int_equal(f->creates, 2);
}

static void
test_hold__believes_no_odd_answer(void **state)
{
    static const char *const answers[] = {"",
                                          "{}",
                                          "[]",
                                          "null",
                                          "{\"ID\": 5}",
                                          "{\"ID\"",
                                          "{\"ID\":\"\"}",
                                          "{\"ID\":\"../x\"}"};
    struct fixture *f = *state;
    bool held;

    for (size_t i = 0; i < XA_COUNT(answers); i++) {
        fail_with(f, "session/create", XA_OK, 200, answers[i]);
        assert_int_equal(xa_consul_lock_hold(f->lock, 0, &held, NULL),
                         XA_E_UNAVAILABLE);
    }
    f->failing = NULL;
    assert_true(hold(f->lock, 0));
    xa_consul_lock_release(f->lock);
    fail_with(f, "kv/", XA_OK, 200, "maybe");
    assert_false(hold(f->lock, 0));
}

static void
test_release__lets_another_take_it_at_once(void **state)
{
    struct fixture *f = *state;

    assert_true(hold(f->lock, 0));
    xa_consul_lock_release(f->lock);
    assert_null(xa_consul_lock_session(f->lock));
    assert_int_equal(f->destroys, 1);
    assert_true(hold(f->other, 0));
    xa_consul_lock_release(f->lock); /* nothing to release */
    assert_int_equal(f->destroys, 1);
}

static void
test_release__ends_the_session_of_one_that_waits(void **state)
{
    struct fixture *f = *state;

    assert_true(hold(f->other, 0));
    assert_false(hold(f->lock, 0));
    xa_consul_lock_release(f->lock);
    assert_int_equal(f->destroys, 1);
    assert_true(hold(f->other, XA_SESSION_RENEW_MS)); /* undisturbed */
}

static void
test_lost__asks_again_before_it_counts_as_held(void **state)
{
    struct fixture *f = *state;

    assert_true(hold(f->lock, 0));
    fake_consul_delete("xivo/xivo auth/expiryd/leader");
    assert_true(hold(f->other, 0)); /* an operator took the key away */
    xa_consul_lock_lost(f->lock);
    assert_null(xa_consul_lock_session(f->lock));
    assert_false(hold(f->lock, 1));
    assert_int_equal(f->renews, 1);
    assert_int_equal(f->creates, 2);
}

#define WITH_FIXTURE(test)                                                     \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_hold__takes_the_lock_and_says_who),
        WITH_FIXTURE(test_hold__is_cheap_until_a_renewal_is_due),
        WITH_FIXTURE(test_hold__waits_with_one_session_for_as_long_as_it_takes),
        WITH_FIXTURE(test_hold__makes_anew_a_session_that_consul_forgot),
        WITH_FIXTURE(test_hold__forgets_a_session_that_cannot_lock),
        WITH_FIXTURE(test_hold__holds_over_a_short_outage_only),
        WITH_FIXTURE(test_hold__says_what_it_may_not),
        WITH_FIXTURE(test_hold__believes_no_odd_answer),
        WITH_FIXTURE(test_release__lets_another_take_it_at_once),
        WITH_FIXTURE(test_release__ends_the_session_of_one_that_waits),
        WITH_FIXTURE(test_lost__asks_again_before_it_counts_as_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
