/* test_store_consul.c - tokens in Consul. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/token/consul/names.h"
#include "core/token/consul/record.h"
#include "core/token/consul/store_consul.h"
#include "tests/fakes/consul.h"
#include "tests/unit/store_suite.h"

#define NOW_S INT64_C(1700000000)
#define NOW_US (NOW_S * XA_US_PER_S)
#define P "xivo/xivo-auth/"
#define LEADER P "expiryd/leader"
#define NOBODY "ffffffffffffffffffffffffffffffff"

static char prefix[] = P;
static struct xa_config config = {
    .consul = {.timeout_ms = 1000, .prefix = prefix, .stale_max_s = 10},
    .expiry = {.look_back_s = 300, .txn_operations = 64},
};

static void
make(void)
{
    fake_consul_reset();
    config.consul.stale_max_s = 10;
    config.expiry.txn_operations = 64;
}

static struct xa_store *
open_store(void)
{
    struct xa_store *store = NULL;
    struct xa_err err = XA_ERR_NONE;

    suite_must(xa_store_consul_open(&config, XA_STORE_USE, &store, &err), &err);
    return store;
}

static int
set_up(void **state)
{
    make();
    *state = open_store();
    return 0;
}

static int
tear_down(void **state)
{
    struct xa_store *store = *state;

    fake_consul.hook = NULL;
    xa_store_close(&store);
    fake_consul_reset();
    return 0;
}

/* --- names and values by hand --- */

static const char *
token_name(const struct xa_key *key)
{
    static char name[256];

    snprintf(name, sizeof name, P "tokens/%s", key->text);
    return name;
}

static const char *
schedule_name(int64_t when, const struct xa_key *key)
{
    static char name[256];

    snprintf(name, sizeof name, P "schedule/%010" PRId64 "/%s", when,
             key->text);
    return name;
}

static const char *
subject_name(const char *auth_id, const struct xa_key *key)
{
    static char name[256];
    char subject[XA_SUBJECT_TEXT];

    xa_consul_subject(auth_id, subject);
    snprintf(name, sizeof name, P "subjects/%s/%s", subject, key->text);
    return name;
}

static bool
is_there(const char *name)
{
    return fake_consul_get(name) != NULL;
}

/* Another record under the same key, as a program that prolongs it would
 * write. */
static void
set_record(const struct xa_key *key, const char *auth_id, int64_t expires_us)
{
    XA_AUTO(xa_token_free)
    struct xa_token *token = suite_token(auth_id, expires_us);
    XA_AUTO(xa_buf_free) struct xa_buf record = XA_BUF(XA_CONSUL_RECORD_MAX);

    xa_consul_encode(token, false, &record);
    fake_consul_set(token_name(key), xa_buf_text(&record));
}

/* --- answers of the test's own --- */

static struct script {
    const char *path; /* requests whose path begins so */
    const char *verb; /* and whose body has this; NULL: any */
    enum xa_consul_mode mode;
    bool any_mode;
    enum xa_rc rc;
    long status;
    const char *text;
    int64_t contact_ms;
    unsigned times;        /* so often; 0: never again */
    void (*instead)(void); /* call this, then let Consul answer */
} script;

static bool
play(void *ctx XA_UNUSED, const struct xa_consul_request *request,
     struct xa_consul_answer *answer, enum xa_rc *rc)
{
    if (script.times == 0 ||
        strncmp(request->path, script.path, strlen(script.path)) != 0 ||
        (!script.any_mode && request->mode != script.mode) ||
        (script.verb &&
         (!request->body || !strstr(xa_buf_text(request->body), script.verb))))
        return false;
    script.times--;
    if (script.instead) {
        script.instead();
        return false;
    }
    *rc = script.rc;
    answer->status = script.status;
    answer->last_contact_ms = script.contact_ms;
    xa_buf_puts(&answer->body, script.text ? script.text : "");
    return true;
}

static void
follow(struct script what)
{
    script = what;
    fake_consul.hook = play;
}

/* --- issue, check, revoke --- */

static void
test_create__is_one_request(void **state)
{
    struct xa_store *store = *state;
    XA_AUTO(xa_token_free)
    struct xa_token *token = suite_token("alice", NOW_US + 1);
    struct xa_key key = suite_key(token);
    struct xa_err err = XA_ERR_NONE;
    char subject[XA_SUBJECT_TEXT];

    suite_must(xa_store_create(store, &key, token, &err), &err);
    assert_int_equal(fake_consul.requests, 1);
    assert_int_equal(fake_consul_count(P), 3);
    xa_consul_subject("alice", subject);
    assert_string_equal(fake_consul_get(schedule_name(NOW_S + 1, &key)),
                        subject);
    assert_string_equal(fake_consul_get(subject_name("alice", &key)), "");
    assert_null(strstr(fake_consul_get(token_name(&key)), xa_token_id(token)));
}

static void
test_get_and_remove__are_one_request_and_two(void **state)
{
    struct xa_store *store = *state;
    struct xa_key key = suite_create(store, "alice", NOW_US);
    struct xa_err err = XA_ERR_NONE;

    fake_consul.requests = 0;
    assert_true(suite_has(store, &key));
    assert_int_equal(fake_consul.requests, 1);
    suite_must(xa_store_remove(store, &key, NULL, &err), &err);
    assert_int_equal(fake_consul.requests, 3);
    assert_int_equal(fake_consul_count(P), 0);
    assert_false(suite_has(store, &key));
    assert_int_equal(fake_consul.requests, 5); /* asked twice, to be sure */
}

static void
test_remove__takes_an_unreadable_record_alone(void **state)
{
    struct xa_store *store = *state;
    struct xa_key key = suite_create(store, "alice", NOW_US);
    struct xa_token *token = NULL;
    struct xa_err err = XA_ERR_NONE;
    bool removed = false;

    fake_consul_set(token_name(&key), "junk");
    assert_int_equal(xa_store_get(store, &key, &token, &err), XA_E_STORE);
    suite_must(xa_store_remove(store, &key, &removed, &err), &err);
    assert_true(removed);
    assert_false(is_there(token_name(&key)));
    assert_int_equal(fake_consul_count(P), 2);
    assert_int_equal(suite_expire(store, NOW_US, 10).removed, 0);
    assert_int_equal(fake_consul_count(P), 1); /* the lock */
}

static void
test_failures__are_those_of_a_store(void **state)
{
    static const struct {
        enum xa_rc rc;
        long status;
        enum xa_rc expected;
    } cases[] = {
        {XA_E_UNAVAILABLE, 0, XA_E_UNAVAILABLE},
        {XA_E_TIMEOUT, 0, XA_E_TIMEOUT},
        {XA_E_INVALID, 0, XA_E_UNAVAILABLE}, /* an answer without an end */
        {XA_E_NOMEM, 0, XA_E_NOMEM},
        {XA_OK, 403, XA_E_UNAVAILABLE},
        {XA_OK, 500, XA_E_UNAVAILABLE},
    };
    struct xa_store *store = *state;
    struct xa_key key = suite_create(store, "alice", NOW_US);
    struct xa_token *token = NULL;

    config.consul.stale_max_s = 0;
    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct xa_err err = XA_ERR_NONE;

        follow((struct script){.path = "kv/",
                               .any_mode = true,
                               .rc = cases[i].rc,
                               .status = cases[i].status,
                               .times = 3});
        assert_int_equal(xa_store_get(store, &key, &token, &err),
                         cases[i].expected);
        assert_int_equal(err.code, cases[i].expected);
        assert_true(err.text[0] != '\0');
        assert_int_equal(xa_store_check(store, &err), cases[i].expected);
        assert_int_equal(xa_store_remove(store, &key, NULL, &err),
                         cases[i].expected);
    }
    assert_true(is_there(token_name(&key)));
}

static void
test_create__says_that_it_may_not(void **state)
{
    struct xa_store *store = *state;
    XA_AUTO(xa_token_free)
    struct xa_token *token = suite_token("alice", NOW_US);
    struct xa_key key = suite_key(token);
    struct xa_err err = XA_ERR_NONE;

    fake_consul.denies_writes = true;
    assert_int_equal(xa_store_create(store, &key, token, &err),
                     XA_E_UNAVAILABLE);
    assert_non_null(strstr(err.text, "no right"));
}

/* --- stale reads --- */

/* The event that is new; "" when there is none. */
static const char *
latest_news(struct xa_store *store)
{
    static struct xa_news_item item;
    const char *event = "";

    while (xa_store_news(store, &item))
        event = item.event;
    return event;
}

static void
test_get__accepts_from_a_stale_read_while_consul_is_away(void **state)
{
    static const enum xa_rc reasons[] = {XA_E_TIMEOUT, XA_E_UNAVAILABLE};
    struct xa_store *store = *state;
    struct xa_key key = suite_create(store, "alice", NOW_US);

    for (size_t i = 0; i < XA_COUNT(reasons); i++) {
        follow((struct script){.path = "kv/",
                               .mode = XA_CONSUL_CHECK,
                               .rc = reasons[i],
                               .times = 2});
        assert_true(suite_has(store, &key));
        assert_string_equal(latest_news(store), "stale.accepted");
        assert_true(suite_has(store, &key));
        assert_string_equal(latest_news(store), ""); /* said once */
        assert_true(suite_has(store, &key));
        assert_string_equal(latest_news(store), "stale.ended");
    }
}

static void
test_get__refuses_nothing_by_a_stale_read(void **state)
{
    struct xa_store *store = *state;
    struct xa_key unknown = suite_plain_key(7);
    struct xa_token *token = NULL;

    follow((struct script){.path = "kv/",
                           .mode = XA_CONSUL_CHECK,
                           .rc = XA_E_TIMEOUT,
                           .times = 9});
    assert_int_equal(xa_store_get(store, &unknown, &token, NULL), XA_E_TIMEOUT);
    fake_consul_set(token_name(&unknown), "junk");
    assert_int_equal(xa_store_get(store, &unknown, &token, NULL), XA_E_TIMEOUT);
    assert_string_equal(latest_news(store), "");
}

/* Both reads go astray: the second is answered with an age. */
static int64_t stale_age_ms;

static bool
play_old(void *ctx XA_UNUSED, const struct xa_consul_request *request,
         struct xa_consul_answer *answer, enum xa_rc *rc)
{
    if (request->mode == XA_CONSUL_CHECK) {
        *rc = XA_E_TIMEOUT;
        return true;
    }
    assert_int_equal(request->mode, XA_CONSUL_STALE);
    answer->status = 200;
    answer->last_contact_ms = stale_age_ms;
    xa_buf_puts(&answer->body,
                fake_consul_get(P "tokens/" /* the only one */ "x"));
    return true;
}

static void
test_get__bounds_the_age_of_a_stale_read(void **state)
{
    static const struct {
        uint32_t max_s;
        int64_t age_ms;
        enum xa_rc expected;
    } cases[] = {
        {10, 0, XA_E_TIMEOUT}, /* it says that it leads, and did not */
        {10, 1, XA_OK},
        {10, 10000, XA_OK},
        {10, 10001, XA_E_TIMEOUT},
        {10, INT64_MAX, XA_E_TIMEOUT}, /* not told */
        {0, 1, XA_E_TIMEOUT},          /* turned off */
    };
    struct xa_store *store = *state;
    struct xa_key key = suite_create(store, "alice", NOW_US);

    fake_consul_set(P "tokens/x", fake_consul_get(token_name(&key)));
    fake_consul.hook = play_old;
    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_token_free) struct xa_token *token = NULL;

        config.consul.stale_max_s = cases[i].max_s;
        stale_age_ms = cases[i].age_ms;
        assert_int_equal(xa_store_get(store, &key, &token, NULL),
                         cases[i].expected);
    }
}

static void
test_get__does_not_go_past_a_refusal(void **state)
{
    struct xa_store *store = *state;
    struct xa_key key = suite_create(store, "alice", NOW_US);
    struct xa_token *token = NULL;

    follow((struct script){
        .path = "kv/", .mode = XA_CONSUL_CHECK, .status = 403, .times = 1});
    assert_int_equal(xa_store_get(store, &key, &token, NULL), XA_E_UNAVAILABLE);
}

/* --- what is due --- */

static struct xa_expired
expire_all(struct xa_store *store, int64_t now_us)
{
    struct xa_expired total = {0};
    struct xa_expired done;

    do {
        done = suite_expire(store, now_us, 10000);
        total.removed += done.removed;
        total.skipped = done.skipped;
        memcpy(total.example, done.example, sizeof total.example);
    } while (done.more);
    return total;
}

static void
test_expire__leaves_nothing_of_what_is_due(void **state)
{
    static const uint32_t limits[] = {4, 7, 64, 128};
    struct xa_store *store = *state;

    for (size_t l = 0; l < XA_COUNT(limits); l++) {
        config.expiry.txn_operations = limits[l];
        fake_consul.operations_max = limits[l];
        for (unsigned i = 0; i < 300; i++)
            suite_create(store, i % 2 ? "alice" : "bob",
                         NOW_US - i * XA_US_PER_S / 7);
        assert_int_equal(expire_all(store, NOW_US).removed, 300);
        assert_int_equal(fake_consul_count(P), 1); /* the lock */
    }
}

/* Requests of the second pass of a leader. */
static unsigned
cost_of_a_pass(struct xa_store *store)
{
    unsigned before;

    xa_store_resign(store);
    expire_all(store, NOW_US);
    before = fake_consul.requests;
    assert_int_equal(expire_all(store, NOW_US + XA_US_PER_S).removed, 0);
    return fake_consul.requests - before;
}

static void
test_expire__costs_little_when_nothing_is_due(void **state)
{
    struct xa_store *store = *state;
    unsigned cost = cost_of_a_pass(store);

    assert_true(cost < 30);
    for (unsigned i = 0; i < 2000; i++)
        suite_create(store, "alice", NOW_US + 3600 * XA_US_PER_S);
    assert_int_equal(cost_of_a_pass(store), cost);
}

static void
test_expire__wants_a_leader(void **state)
{
    struct xa_store *store = *state;
    struct xa_store *other = open_store();
    struct xa_expired done;
    bool leads = false;

    assert_int_equal(xa_store_expire(store, NOW_US, 1, &done, NULL),
                     XA_E_UNAVAILABLE);
    assert_int_equal(xa_store_lead(other, &leads, NULL), XA_OK);
    assert_true(leads);
    assert_int_equal(xa_store_lead(store, &leads, NULL), XA_OK);
    assert_false(leads);
    assert_int_equal(xa_store_expire(store, NOW_US, 1, &done, NULL),
                     XA_E_UNAVAILABLE);
    xa_store_resign(other);
    assert_int_equal(xa_store_lead(store, &leads, NULL), XA_OK);
    assert_true(leads);
    xa_store_close(&other);
}

static void
test_expire__moves_the_schedule_of_what_lives_longer(void **state)
{
    struct xa_store *store = *state;
    struct xa_key key = suite_create(store, "alice", NOW_US);
    char subject[XA_SUBJECT_TEXT];

    set_record(&key, "alice", NOW_US + 60 * XA_US_PER_S);
    assert_int_equal(expire_all(store, NOW_US).removed, 0);
    assert_true(is_there(token_name(&key)));
    assert_false(is_there(schedule_name(NOW_S, &key)));
    xa_consul_subject("alice", subject);
    assert_string_equal(fake_consul_get(schedule_name(NOW_S + 60, &key)),
                        subject);
    assert_true(is_there(subject_name("alice", &key)));
    assert_int_equal(expire_all(store, NOW_US + 59 * XA_US_PER_S).removed, 0);
    assert_int_equal(expire_all(store, NOW_US + 60 * XA_US_PER_S).removed, 1);
    assert_int_equal(fake_consul_count(P), 1);
}

static void
test_expire__moves_the_subject_entry_too(void **state)
{
    struct xa_store *store = *state;
    struct xa_key key = suite_create(store, "alice", NOW_US);

    set_record(&key, "bob", NOW_US + 60 * XA_US_PER_S);
    assert_int_equal(expire_all(store, NOW_US).removed, 0);
    assert_false(is_there(subject_name("alice", &key)));
    assert_true(is_there(subject_name("bob", &key)));
    assert_true(is_there(schedule_name(NOW_S + 60, &key)));
}

static void
test_expire__removes_an_orphan_with_its_subject_entry(void **state)
{
    struct xa_store *store = *state;
    struct xa_key key = suite_create(store, "alice", NOW_US);

    fake_consul_delete(token_name(&key));
    assert_int_equal(expire_all(store, NOW_US).removed, 0);
    assert_int_equal(fake_consul_count(P), 1);
}

static void
test_expire__copes_with_two_schedules_of_one_token(void **state)
{
    struct xa_store *store = *state;
    struct xa_key key = suite_create(store, "alice", NOW_US);
    char subject[XA_SUBJECT_TEXT];

    xa_consul_subject("alice", subject);
    fake_consul_set(schedule_name(NOW_S - 5000, &key), subject);
    assert_int_equal(expire_all(store, NOW_US).removed, 1);
    assert_int_equal(expire_all(store, NOW_US).removed, 0);
    assert_int_equal(fake_consul_count(P), 1);
}

static void
test_expire__leaves_what_makes_no_sense_where_it_is(void **state)
{
    static const char *const names[] = {
        P "schedule/1600000000",
        P "schedule/1600000000/",
        P "schedule/1600000000/short",
        P "schedule/16000000001/" NOBODY NOBODY,
        P "schedule/1600000000/" NOBODY NOBODY "/more",
        P "schedule/1600000000//" NOBODY NOBODY,
        P "schedule/1600000000/" NOBODY "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
        P "schedule/0/" NOBODY NOBODY,
    };
    struct xa_store *store = *state;
    struct xa_key bad = suite_create(store, "alice", NOW_US - XA_US_PER_S);
    struct xa_key odd = suite_plain_key(9);
    struct xa_expired done;
    char shown[XA_SHA256_TEXT];

    for (size_t i = 0; i < XA_COUNT(names); i++)
        fake_consul_set(names[i], NOBODY);
    fake_consul_set(token_name(&bad), "junk");
    fake_consul_set(schedule_name(NOW_S - 7, &odd), "no subject");
    suite_create(store, "alice", NOW_US);
    done = expire_all(store, NOW_US);
    assert_int_equal(done.removed, 1);
    assert_int_equal(done.skipped, XA_COUNT(names) + 2);
    xa_key_shown(&bad, shown);
    assert_string_equal(done.example, shown); /* the one that was due last */
    for (size_t i = 0; i < XA_COUNT(names); i++)
        assert_true(is_there(names[i]));
    assert_true(is_there(token_name(&bad)));
    assert_true(is_there(schedule_name(NOW_S - 1, &bad)));
    assert_true(is_there(subject_name("alice", &bad)));
    assert_true(is_there(schedule_name(NOW_S - 7, &odd)));

    /* Later only what is recent is met again, until the next take-over. */
    assert_int_equal(expire_all(store, NOW_US + XA_US_PER_S).skipped, 2);
    xa_store_resign(store);
    assert_int_equal(expire_all(store, NOW_US + XA_US_PER_S).skipped,
                     XA_COUNT(names) + 2);
}

static void
test_expire__leaves_a_newer_format_to_who_knows_it(void **state)
{
    struct xa_store *store = *state;
    struct xa_key key = suite_create(store, "alice", NOW_US);
    XA_AUTO(xa_token_free)
    struct xa_token *token = suite_token("alice", NOW_US);
    XA_AUTO(xa_buf_free) struct xa_buf record = XA_BUF(XA_CONSUL_RECORD_MAX);
    struct xa_token *found = NULL;
    struct xa_err err = XA_ERR_NONE;
    struct xa_expired done;

    xa_consul_encode(token, false, &record);
    record.len--; /* the brace */
    xa_buf_puts(&record, ", \"format\": 2}");
    fake_consul_set(token_name(&key), xa_buf_text(&record));
    assert_int_equal(xa_store_get(store, &key, &found, &err), XA_E_STORE);
    done = expire_all(store, NOW_US);
    assert_int_equal(done.removed, 0);
    assert_int_equal(done.skipped, 1);
    assert_int_equal(strlen(done.example), 64);
    assert_true(is_there(token_name(&key)));
    assert_true(is_there(schedule_name(NOW_S, &key)));
    assert_true(is_there(subject_name("alice", &key)));

    set_record(&key, "alice", NOW_US);
    done = expire_all(store, NOW_US); /* by the schedule that was left */
    assert_int_equal(done.removed, 1);
    assert_int_equal(done.skipped, 0);
}

static struct xa_key changed;

static void
prolong(void)
{
    set_record(&changed, "alice", NOW_US + 60 * XA_US_PER_S);
}

static void
test_expire__spares_a_token_that_changed_since_it_was_read(void **state)
{
    struct xa_store *store = *state;

    for (unsigned i = 0; i < 20; i++) {
        struct xa_key key = suite_create(store, "alice", NOW_US - i);

        if (i == 10)
            changed = key;
    }
    follow((struct script){.path = "txn",
                           .verb = "delete-cas",
                           .mode = XA_CONSUL_WRITE,
                           .times = 1,
                           .instead = prolong});
    assert_int_equal(expire_all(store, NOW_US).removed, 19);
    assert_true(is_there(token_name(&changed)));
    assert_true(is_there(schedule_name(NOW_S, &changed)));
    assert_int_equal(expire_all(store, NOW_US).removed, 0); /* but moved */
    assert_true(is_there(schedule_name(NOW_S + 60, &changed)));
    assert_int_equal(fake_consul_count(P), 4);
}

/* Longer ago than the daemon usually looks back. */
static void
test_expire__comes_back_for_it_however_old_it_is(void **state)
{
    struct xa_store *store = *state;

    changed = suite_create(store, "alice", NOW_US - 5000 * XA_US_PER_S);
    follow((struct script){.path = "txn",
                           .verb = "delete-cas",
                           .mode = XA_CONSUL_WRITE,
                           .times = 1,
                           .instead = prolong});
    assert_int_equal(expire_all(store, NOW_US).removed, 0);
    expire_all(store, NOW_US + XA_US_PER_S);
    assert_true(is_there(schedule_name(NOW_S + 60, &changed)));
    assert_int_equal(fake_consul_count(P), 4);
}

static void
lose_the_lock(void)
{
    fake_consul_delete(LEADER);
}

static void
test_expire__stops_at_once_when_it_leads_no_longer(void **state)
{
    struct xa_store *store = *state;
    struct xa_expired done;

    for (unsigned i = 0; i < 100; i++)
        suite_create(store, "alice", NOW_US);
    follow((struct script){.path = "txn",
                           .verb = "delete-cas",
                           .mode = XA_CONSUL_WRITE,
                           .times = 1,
                           .instead = lose_the_lock});
    done = suite_expire(store, NOW_US, 1000);
    assert_int_equal(done.removed, 0);
    assert_true(done.more);
    assert_int_equal(fake_consul_count(P "tokens/"), 100);
    assert_int_equal(xa_store_expire(store, NOW_US, 1, &done, NULL),
                     XA_E_UNAVAILABLE);
    assert_int_equal(expire_all(store, NOW_US).removed, 100); /* leads anew */
}

static void
test_expire__says_that_it_may_not(void **state)
{
    struct xa_store *store = *state;
    struct xa_err err = XA_ERR_NONE;
    struct xa_expired done;
    bool leads;

    suite_create(store, "alice", NOW_US);
    suite_must(xa_store_lead(store, &leads, &err), &err);
    fake_consul.denies_writes = true;
    assert_int_equal(xa_store_expire(store, NOW_US, 1, &done, &err),
                     XA_E_UNAVAILABLE);
    assert_non_null(strstr(err.text, "no right"));
    fake_consul.denies_writes = false;

    /* Consul shows an empty list to those who may not list. */
    follow((struct script){.path = "kv/xivo/xivo-auth/schedule/0000000000",
                           .any_mode = true,
                           .status = 403,
                           .times = 100});
    assert_int_equal(
        xa_store_expire(store, NOW_US + XA_US_PER_S, 1, &done, &err),
        XA_E_UNAVAILABLE);
    assert_non_null(strstr(err.text, "no right"));
    fake_consul.hook = NULL;
    assert_int_equal(expire_all(store, NOW_US).removed, 1);
}

static void
test_expire__goes_on_after_a_failure_wherever_it_was(void **state)
{
    struct xa_store *store = *state;
    struct xa_err err = XA_ERR_NONE;
    unsigned removed = 0;
    bool leads;
    struct xa_expired done = {.more = true};

    for (unsigned i = 0; i < 500; i++)
        suite_create(store, "alice", NOW_US - i * XA_US_PER_S);
    for (unsigned n = 0; done.more; n++) {
        unsigned failing = n % 7;
        enum xa_rc rc;

        follow((struct script){.path = failing % 2 ? "kv/" : "txn",
                               .any_mode = true,
                               .rc = XA_E_TIMEOUT,
                               .times = failing == 6 ? 0 : 1});
        suite_must(xa_store_lead(store, &leads, &err), &err);
        rc = xa_store_expire(store, NOW_US, 30, &done, &err);
        if (rc == XA_OK)
            removed += done.removed;
        else
            assert_int_equal(rc, XA_E_TIMEOUT);
        assert_true(n < 1000);
    }
    assert_int_equal(removed, 500);
    assert_int_equal(fake_consul_count(P), 1);
}

static void
test_expire__reads_large_records_fewer_at_a_time(void **state)
{
    struct xa_store *store = *state;
    struct xa_expired done;

    for (unsigned i = 0; i < 60; i++)
        suite_create(store, "alice", NOW_US);
    fake_consul.answer_max = 8000; /* of which a dozen fit */
    assert_int_equal(expire_all(store, NOW_US).removed, 60);

    suite_create(store, "alice", NOW_US);
    fake_consul.answer_max = 500; /* and now not even one */
    done = expire_all(store, NOW_US);
    assert_int_equal(done.removed, 0);
    assert_int_equal(done.skipped, 1);
}

static void
test_expire__is_not_stopped_by_a_schedule_that_is_too_large(void **state)
{
    static char large[3001];
    struct xa_store *store = *state;
    struct xa_key keys[40];
    struct xa_expired done;

    memset(large, 'a', sizeof large - 1);
    for (size_t i = 0; i < XA_COUNT(keys); i++) {
        keys[i] = suite_create(store, "alice", NOW_US);
        fake_consul_delete(token_name(&keys[i])); /* so it is read */
    }
    fake_consul_set(schedule_name(NOW_S, &keys[7]), large);
    fake_consul.answer_max = sizeof large;
    done = expire_all(store, NOW_US);
    assert_int_equal(done.skipped, 1);
    assert_int_equal(fake_consul_count(P "schedule/"), 1);
    assert_string_equal(fake_consul_get(schedule_name(NOW_S, &keys[7])), large);
}

#define CONSUL_TEST(test)                                                      \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    static const struct store_kind kind = {
        .name = "consul",
        .grain_us = XA_US_PER_S,
        .make = make,
        .wipe = fake_consul_reset,
        .open = open_store,
    };
    const struct CMUnitTest tests[] = {
        CONSUL_TEST(test_create__is_one_request),
        CONSUL_TEST(test_create__says_that_it_may_not),
        CONSUL_TEST(test_get_and_remove__are_one_request_and_two),
        CONSUL_TEST(test_remove__takes_an_unreadable_record_alone),
        CONSUL_TEST(test_failures__are_those_of_a_store),
        CONSUL_TEST(test_get__accepts_from_a_stale_read_while_consul_is_away),
        CONSUL_TEST(test_get__refuses_nothing_by_a_stale_read),
        CONSUL_TEST(test_get__bounds_the_age_of_a_stale_read),
        CONSUL_TEST(test_get__does_not_go_past_a_refusal),
        CONSUL_TEST(test_expire__leaves_nothing_of_what_is_due),
        CONSUL_TEST(test_expire__costs_little_when_nothing_is_due),
        CONSUL_TEST(test_expire__wants_a_leader),
        CONSUL_TEST(test_expire__moves_the_schedule_of_what_lives_longer),
        CONSUL_TEST(test_expire__moves_the_subject_entry_too),
        CONSUL_TEST(test_expire__removes_an_orphan_with_its_subject_entry),
        CONSUL_TEST(test_expire__copes_with_two_schedules_of_one_token),
        CONSUL_TEST(test_expire__leaves_what_makes_no_sense_where_it_is),
        CONSUL_TEST(test_expire__leaves_a_newer_format_to_who_knows_it),
        CONSUL_TEST(test_expire__spares_a_token_that_changed_since_it_was_read),
        CONSUL_TEST(test_expire__comes_back_for_it_however_old_it_is),
        CONSUL_TEST(test_expire__stops_at_once_when_it_leads_no_longer),
        CONSUL_TEST(test_expire__says_that_it_may_not),
        CONSUL_TEST(test_expire__goes_on_after_a_failure_wherever_it_was),
        CONSUL_TEST(test_expire__reads_large_records_fewer_at_a_time),
        CONSUL_TEST(
            test_expire__is_not_stopped_by_a_schedule_that_is_too_large),
    };

    return store_suite_run(&kind, tests, XA_COUNT(tests));
}
