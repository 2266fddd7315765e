/* test_consul_audit.c - the Consul store: listing and audit. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/support/crypto.h"
#include "core/token/consul/names.h"
#include "core/token/consul/record.h"
#include "core/token/store_ops.h"
#include "tests/fakes/consul.h"
#include "tests/unit/store_suite.h"

#define P "test/xivo-auth/"
#define NOW_US (1700000000 * XA_US_PER_S)

static char prefix[] = P;
static struct xa_config config;

static void
make(void)
{
    fake_consul_reset();
    config.consul.prefix = prefix;
    config.consul.timeout_ms = 1000;
    config.consul.consistency = (char[]){"default"};
    config.expiry.txn_operations = 64;
    config.expiry.look_back_s = 300;
}

/* The store as the daemon has it. */
static struct xa_store *
open_store(void)
{
    struct xa_store *store = NULL;
    struct xa_err err = XA_ERR_NONE;
    bool leads = false;

    suite_must(xa_store_consul_open(&config, XA_STORE_USE, &store, &err), &err);
    suite_must(xa_store_lead(store, &leads, &err), &err);
    assert_true(leads);
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

    xa_store_close(&store);
    fake_consul_reset();
    return 0;
}

/* --- names that tests write and look for --- */

static const char *
name_of(const char *format, const char *key)
{
    static char names[4][256];
    static unsigned next;
    char *name = names[next++ % XA_COUNT(names)];

    /* our own formats alone come here */
    snprintf(name, sizeof names[0], "%s%s%s", P, format, key);
    return name;
}

static const char *
token_name(const struct xa_key *key)
{
    return name_of("tokens/", key->text);
}

static const char *
schedule_name(int64_t when, const struct xa_key *key)
{
    char folder[64];

    snprintf(folder, sizeof folder, "schedule/%010lld/", (long long)when);
    return name_of(folder, key->text);
}

static const char *
subject_name(const char *auth_id, const struct xa_key *key)
{
    char folder[64] = "subjects/";

    xa_consul_subject(auth_id, folder + strlen(folder));
    strcat(folder, "/");
    return name_of(folder, key->text);
}

/* --- listing --- */

static void
test_list__passes_over_what_makes_no_sense(void **state)
{
    struct xa_store *store = *state;
    struct xa_key junk = suite_plain_key(1);
    struct xa_key gone = suite_plain_key(2);

    for (int i = 0; i < 100; i++)
        suite_create(store, "alice", NOW_US + i);
    fake_consul_set(token_name(&junk), "junk");
    fake_consul_set(P "tokens/zz", "junk");
    fake_consul_set(P "tokens/00000001-0000-4000-8000-0000000000000", "junk");
    fake_consul_set(subject_name("alice", &junk), "");
    fake_consul_set(subject_name("alice", &gone), "");
    assert_int_equal(suite_count(store, &(struct xa_query){0}), 100);
    assert_int_equal(suite_count(store, &(struct xa_query){.auth_id = "alice"}),
                     100);
}

static void
test_list__reads_large_records_in_smaller_parts(void **state)
{
    struct xa_store *store = *state;

    for (int i = 0; i < 100; i++)
        suite_create(store, "alice", NOW_US + i);
    /* 9000 bytes: all names, but not 64 records */
    fake_consul.answer_max = 9000;
    assert_int_equal(suite_count(store, &(struct xa_query){0}), 100);
    /* not even two */
    fake_consul.answer_max = 1200;
    assert_int_equal(suite_count(store, &(struct xa_query){0}), 100);
}

static bool
stop(void *ctx XA_UNUSED, const struct xa_key *key XA_UNUSED,
     const struct xa_token *token XA_UNUSED)
{
    return false;
}

static void
test_list__fails_as_consul_does(void **state)
{
    struct xa_store *store = *state;
    const struct xa_query query = {0};
    struct xa_page page = XA_PAGE_FIRST;

    suite_create(store, "alice", NOW_US);
    fake_consul.denies_reads = true; /* which Consul does not say */
    assert_int_equal(xa_store_list(store, &query, &page, 10, stop, NULL, NULL),
                     XA_E_UNAVAILABLE);
    assert_false(page.done);
}

/* --- audit --- */

static struct xa_audit
audit(struct xa_store *store, enum xa_audit_mode mode, int64_t now_us)
{
    struct xa_audit found;
    struct xa_err err = XA_ERR_NONE;

    suite_must(xa_store_audit(store, mode, now_us, NULL, NULL, &found, &err),
               &err);
    return found;
}

static void
assert_sound(struct xa_store *store, uint64_t tokens)
{
    const struct xa_audit right = {.tokens = tokens};
    struct xa_audit found = audit(store, XA_AUDIT_LOOK, 0);

    assert_memory_equal(&found, &right, sizeof found);
}

static void
test_audit__finds_and_mends(void **state)
{
    struct xa_store *store = *state;
    struct xa_key keys[200]; /* several batches */
    struct xa_key nobody = suite_plain_key(9);
    struct xa_audit found;

    for (size_t i = 0; i < XA_COUNT(keys); i++)
        keys[i] =
            suite_create(store, "alice", NOW_US + (int64_t)i * XA_US_PER_S);
    assert_sound(store, XA_COUNT(keys));

    fake_consul_delete(schedule_name(1700000003, &keys[3]));
    fake_consul_set(schedule_name(1700000004, &keys[4]), "another subject");
    fake_consul_delete(subject_name("alice", &keys[5]));
    fake_consul_set(schedule_name(1700000099, &keys[6]), "x");
    fake_consul_set(schedule_name(1700000099, &nobody), "x");
    fake_consul_set(P "schedule/nonsense", "x");
    fake_consul_set(subject_name("bob", &keys[7]), "");
    fake_consul_set(subject_name("alice", &nobody), "");
    fake_consul_set(P "subjects/nonsense", "x");
    fake_consul_set(token_name(&nobody), "junk");
    fake_consul_set(P "tokens/nonsense", "x");
    for (int round = 0; round < 3; round++) {
        found = audit(store, round > 0 ? XA_AUDIT_REPAIR : XA_AUDIT_LOOK, 0);
        assert_int_equal(found.tokens, XA_COUNT(keys));
        assert_int_equal(found.unreadable, 2);
        assert_int_equal(found.unscheduled, round < 2 ? 2 : 0);
        assert_int_equal(found.unlisted, round < 2 ? 1 : 0);
        /* one each may belong to the token that cannot be read */
        assert_int_equal(found.stray_schedules, round < 2 ? 2 : 0);
        assert_int_equal(found.stray_subjects, round < 2 ? 2 : 0);
    }
    fake_consul_delete(token_name(&nobody));
    found = audit(store, XA_AUDIT_REPAIR, 0);
    assert_int_equal(found.stray_schedules, 1);
    assert_int_equal(found.stray_subjects, 1);
    fake_consul_delete(P "tokens/nonsense");
    assert_sound(store, XA_COUNT(keys));
    assert_int_equal(fake_consul_count(P "schedule/"), XA_COUNT(keys));
    assert_int_equal(fake_consul_count(P "subjects/"), XA_COUNT(keys));
}

/* A record as the Python service wrote it, keyed by the token. */
static struct xa_key
put_python_record(unsigned n, int64_t expires_us)
{
    struct xa_key key = suite_plain_key(n);
    char expires_at[XA_CLOCK_TEXT];
    char record[512];

    xa_clock_format_local(expires_us, expires_at);
    snprintf(record, sizeof record,
             "{\"token\": \"%s\", \"auth_id\": \"carol\", \"acls\": [\"a\"], "
             "\"issued_at\": \"2016-12-05T11:16:58.557553\", "
             "\"expires_at\": \"%s\", \"xivo_user_uuid\": null}",
             key.text, expires_at);
    fake_consul_set(token_name(&key), record);
    return key;
}

static void
test_audit__adopts_what_the_python_service_wrote(void **state)
{
    struct xa_store *store = *state;
    struct xa_key live = put_python_record(1, NOW_US + 60 * XA_US_PER_S);
    struct xa_key overdue = put_python_record(2, NOW_US - 86400 * XA_US_PER_S);
    struct xa_audit found;

    suite_create(store, "alice", NOW_US + 60 * XA_US_PER_S);
    fake_consul_set(P "schedule/nonsense", "x");
    found = audit(store, XA_AUDIT_ADOPT, NOW_US);
    assert_int_equal(found.tokens, 3);
    assert_int_equal(found.unscheduled, 2);
    assert_int_equal(found.unlisted, 2);
    assert_int_equal(found.stray_schedules, 0);
    assert_non_null(fake_consul_get(P "schedule/nonsense"));
    assert_non_null(fake_consul_get(schedule_name(1700000060, &live)));
    /* where the daemon looks next, not a day ago */
    assert_non_null(fake_consul_get(schedule_name(1700000000, &overdue)));
    assert_int_equal(suite_count(store, &(struct xa_query){.auth_id = "carol"}),
                     2);
    fake_consul_delete(P "schedule/nonsense");
    assert_int_equal(audit(store, XA_AUDIT_LOOK, NOW_US).stray_schedules, 0);

    assert_int_equal(suite_expire(store, NOW_US, 10).removed, 1);
    assert_false(suite_has(store, &overdue));
    assert_true(suite_has(store, &live));
    assert_sound(store, 2);
}

/* What changes while an audit looks: before the n-th request. */
struct meanwhile {
    struct xa_store *store;
    unsigned at;
    void (*happens)(struct xa_store *store);
    bool is_busy; /* it makes requests itself */
};

static bool
interfere(void *ctx, const struct xa_consul_request *request XA_UNUSED,
          struct xa_consul_answer *answer XA_UNUSED, enum xa_rc *rc XA_UNUSED)
{
    struct meanwhile *now = ctx;

    if (now->is_busy || now->at-- != 0)
        return false;
    now->is_busy = true;
    now->happens(now->store);
    now->is_busy = false;
    return false;
}

static struct xa_key racing; /* which token it is about */

static void
revoke_it(struct xa_store *store)
{
    struct xa_err err = XA_ERR_NONE;

    suite_must(xa_store_remove(store, &racing, NULL, &err), &err);
}

static void
issue_it(struct xa_store *store)
{
    XA_AUTO(xa_token_free) struct xa_token *token = suite_token("dan", NOW_US);
    struct xa_err err = XA_ERR_NONE;

    xa_token_set_id(token, racing.text);
    suite_must(xa_store_create(store, &racing, token, &err), &err);
}

/*
 * Whatever is done between two requests of an audit, it finds nothing that
 * is not so, and takes nothing away that belongs to somebody.
 */
static void
test_audit__is_not_misled_by_what_happens_meanwhile(void **state)
{
    struct xa_store *store = *state;
    struct meanwhile now = {.store = store};

    for (unsigned i = 0; i < 30; i++)
        suite_create(store, "alice", NOW_US);
    for (unsigned at = 0; at < 40; at++) {
        for (int round = 0; round < 4; round++) {
            bool revokes = round % 2;
            struct xa_audit found;

            racing = suite_plain_key(5);
            if (revokes)
                issue_it(store);
            now.at = at;
            now.happens = revokes ? revoke_it : issue_it;
            fake_consul.hook = interfere;
            fake_consul.ctx = &now;
            found = audit(store, round < 2 ? XA_AUDIT_LOOK : XA_AUDIT_REPAIR,
                          NOW_US);
            fake_consul.hook = NULL;
            assert_int_equal(found.unscheduled + found.unlisted, 0);
            assert_int_equal(found.stray_schedules + found.stray_subjects, 0);
            if (now.at != UINT32_MAX) /* it did not come so far */
                now.happens(store);
            assert_sound(store, revokes ? 30 : 31);
            revoke_it(store);
        }
    }
}

static void
test_audit__mends_what_is_left_when_some_of_it_changed(void **state)
{
    struct xa_store *store = *state;
    struct meanwhile now = {.store = store, .happens = revoke_it};
    struct xa_audit found;

    for (unsigned at = 0; at < 8; at++) {
        for (unsigned i = 0; i < 50; i++)
            put_python_record(i, NOW_US);
        racing = suite_plain_key(30);
        now.at = at;
        fake_consul.hook = interfere;
        fake_consul.ctx = &now;
        found = audit(store, XA_AUDIT_REPAIR, 0);
        fake_consul.hook = NULL;
        /* 50 if it happened behind it, when the token had its entries */
        assert_in_range(found.unscheduled, 49, 50);
        revoke_it(store);
        assert_sound(store, 49);
        assert_int_equal(suite_expire(store, NOW_US, 100).removed, 49);
    }
}

static void
test_audit__fails_as_consul_does(void **state)
{
    struct xa_store *store = *state;
    struct xa_audit found = {.tokens = 77};

    put_python_record(1, NOW_US);
    fake_consul.denies_writes = true;
    assert_int_equal(audit(store, XA_AUDIT_LOOK, 0).unscheduled, 1);
    assert_int_equal(
        xa_store_audit(store, XA_AUDIT_ADOPT, 0, NULL, NULL, &found, NULL),
        XA_E_UNAVAILABLE);
    fake_consul.denies_reads = true;
    assert_int_equal(
        xa_store_audit(store, XA_AUDIT_LOOK, 0, NULL, NULL, &found, NULL),
        XA_E_UNAVAILABLE);
    assert_int_equal(found.tokens, 77);
    fake_consul.denies_reads = fake_consul.denies_writes = false;
    fake_consul.operations_max = 3; /* fewer than it is told */
    assert_int_equal(audit(store, XA_AUDIT_ADOPT, 0).unscheduled, 1);
}

static bool
stop_at_once(void *ctx, uint64_t done)
{
    *(uint64_t *)ctx = done;
    return false;
}

static void
test_audit__ends_when_told(void **state)
{
    struct xa_store *store = *state;
    struct xa_audit found;
    struct xa_err err = XA_ERR_NONE;
    uint64_t done = 0;

    for (int i = 0; i < 100; i++)
        suite_create(store, "alice", NOW_US);
    suite_must(xa_store_audit(store, XA_AUDIT_LOOK, 0, stop_at_once, &done,
                              &found, &err),
               &err);
    assert_in_range(done, 1, 99);
    assert_int_equal(found.tokens, done);
}

#define CONSUL_TEST(test)                                                      \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CONSUL_TEST(test_list__passes_over_what_makes_no_sense),
        CONSUL_TEST(test_list__reads_large_records_in_smaller_parts),
        CONSUL_TEST(test_list__fails_as_consul_does),
        CONSUL_TEST(test_audit__finds_and_mends),
        CONSUL_TEST(test_audit__adopts_what_the_python_service_wrote),
        CONSUL_TEST(test_audit__is_not_misled_by_what_happens_meanwhile),
        CONSUL_TEST(test_audit__mends_what_is_left_when_some_of_it_changed),
        CONSUL_TEST(test_audit__fails_as_consul_does),
        CONSUL_TEST(test_audit__ends_when_told),
    };

    setenv("TZ", "Europe/Paris", 1);
    tzset();
    if (xa_crypto_init(NULL) != XA_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
