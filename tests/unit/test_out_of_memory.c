/* test_out_of_memory.c - the use cases when memory runs out. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each use case over each store, again and again: the first allocation of ours
 * fails, the second, and so on until none does; once, and from then on.  The
 * caller is told, nothing leaks (sanitizers look), and what stands in the
 * store afterwards fits together.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/service/expiry.h"
#include "core/service/token_manager.h"
#include "core/support/crypto.h"
#include "core/token/consul/store_consul.h"
#include "core/token/store_lmdb.h"
#include "tests/fakes/alloc.h"
#include "tests/fakes/consul.h"
#include "tests/unit/store_suite.h"

#define NOW_S INT64_C(1700000000)
#define NOW_US (NOW_S * XA_US_PER_S)
#define TRIES_MAX 3000
#define LIFETIME_S 60

static char folder[64];
static char lmdb_type[] = "lmdb";
static char form[] = "sha256";
static char prefix[] = "xivo/xivo-auth/";
static struct xa_config config = {
    .default_token_lifetime_s = 7200,
    .max_token_lifetime_s = 86400,
    .store = {.token_keys = form,
              .type = lmdb_type,
              .lmdb = {.path = folder, .max_size = 16 << 20}},
    .consul = {.timeout_ms = 1000, .prefix = prefix, .stale_max_s = 10},
    .expiry = {.interval_ms = 1000,
               .look_back_s = 300,
               .txn_operations = 64,
               .clock_grace_s = 60},
};

enum xa_rc __real_xa_consul_ask(struct xa_consul *consul,
                                const struct xa_consul_request *request,
                                struct xa_consul_answer *answer,
                                struct xa_err *err);
enum xa_rc __wrap_xa_consul_ask(struct xa_consul *consul,
                                const struct xa_consul_request *request,
                                struct xa_consul_answer *answer,
                                struct xa_err *err);

/* What the fake allocates is none of ours. */
enum xa_rc
__wrap_xa_consul_ask(struct xa_consul *consul,
                     const struct xa_consul_request *request,
                     struct xa_consul_answer *answer, struct xa_err *err)
{
    bool was_held = fake_alloc_hold(true);
    enum xa_rc rc = __real_xa_consul_ask(consul, request, answer, err);

    fake_alloc_hold(was_held);
    return rc;
}

static void
drop_line(void *ctx XA_UNUSED, enum xa_level level XA_UNUSED,
          const char *line XA_UNUSED)
{
}

/* --- the stores --- */

static void
make_folder(void)
{
    strcpy(folder, "/tmp/xivo-auth-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static void
wipe_folder(void)
{
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    char path[128];

    for (size_t i = 0; i < XA_COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
}

static enum xa_rc
open_lmdb(struct xa_store **out, struct xa_err *err)
{
    return xa_store_open(&config, XA_STORE_USE, out, err);
}

static enum xa_rc
open_consul(struct xa_store **out, struct xa_err *err)
{
    return xa_store_consul_open(&config, XA_STORE_USE, out, err);
}

struct kind {
    void (*make)(void);
    void (*wipe)(void);
    enum xa_rc (*open)(struct xa_store **out, struct xa_err *err);
};

static const struct kind kinds[] = {
    {make_folder, wipe_folder, open_lmdb},
    {fake_consul_reset, fake_consul_reset, open_consul},
};

/* --- what is tried --- */

struct trial {
    const struct kind *kind;
    struct xa_store *store;
    struct xa_token_manager *manager;
    struct xa_identity who;
    char id[XA_UUID_TEXT]; /* of a token that is there from the start */
};

/* Once in a process at a time: LMDB wants it so. */
static enum xa_rc
try_open(struct trial *t, struct xa_err *err)
{
    xa_token_manager_free(&t->manager);
    xa_store_close(&t->store);
    return t->kind->open(&t->store, err);
}

static enum xa_rc
try_issue(struct trial *t, struct xa_err *err)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;

    return xa_token_manager_issue(t->manager, &t->who, LIFETIME_S, NOW_US,
                                  &token, err);
}

static enum xa_rc
try_find(struct trial *t, struct xa_err *err)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;

    return xa_token_manager_find(t->manager, t->id, "users.alice.read", NOW_US,
                                 &token, NULL, err);
}

static enum xa_rc
try_revoke(struct trial *t, struct xa_err *err)
{
    return xa_token_manager_revoke(t->manager, t->id, err);
}

static struct xa_moment
read_clocks(void *ctx XA_UNUSED)
{
    return (struct xa_moment){NOW_US + 2 * LIFETIME_S * XA_US_PER_S,
                              XA_US_PER_S};
}

static void
no_pause(void *ctx XA_UNUSED, int ms XA_UNUSED)
{
}

static enum xa_rc
try_sweep(struct trial *t, struct xa_err *err)
{
    const struct xa_expiry_env env = {NULL, read_clocks, no_pause};
    const volatile sig_atomic_t stop = 0;
    XA_AUTO(xa_expiry_free) struct xa_expiry *expiry = NULL;
    enum xa_rc rc = xa_expiry_new(t->store, &config, &env, &expiry, err);

    return rc == XA_OK ? xa_expiry_tick(expiry, &stop, err) : rc;
}

/* --- trying --- */

static void
set_up_trial(const struct kind *kind, struct trial *t)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    struct xa_err err = XA_ERR_NONE;

    memset(t, 0, sizeof *t);
    t->kind = kind;
    kind->make();
    suite_must(kind->open(&t->store, &err), &err);
    suite_must(xa_token_manager_new(t->store, &config, &t->manager, &err),
               &err);
    suite_must(xa_identity_set_auth_id(&t->who, "alice", &err), &err);
    suite_must(xa_identity_add_acl(&t->who, "users.me.*", &err), &err);
    suite_must(xa_token_manager_issue(t->manager, &t->who, LIFETIME_S, NOW_US,
                                      &token, &err),
               &err);
    strcpy(t->id, xa_token_id(token));
}

static void
tear_down_trial(struct trial *t)
{
    xa_identity_done(&t->who);
    xa_token_manager_free(&t->manager);
    xa_store_close(&t->store);
    t->kind->wipe();
}

/* How many tokens there are, each with all that belongs to it. */
static uint64_t
count_sound(struct trial *t)
{
    struct xa_err err = XA_ERR_NONE;
    struct xa_audit found;

    if (!t->store)
        suite_must(t->kind->open(&t->store, &err), &err);
    suite_must(xa_store_audit(t->store, XA_AUDIT_LOOK, NOW_US, NULL, NULL,
                              &found, &err),
               &err);
    assert_int_equal(found.unreadable + found.unscheduled + found.unlisted +
                         found.stray_schedules + found.stray_subjects,
                     0);
    return found.tokens;
}

struct use_case {
    enum xa_rc (*run)(struct trial *t, struct xa_err *err);
    uint64_t done;   /* how many tokens there are when it succeeded ... */
    uint64_t undone; /* ... and when it did not */
    bool is_lenient; /* it may have been done before memory ran out */
};

/* Let the nth allocation fail in a store of its own; false: there are fewer. */
static bool
try_nth(const struct kind *kind, const struct use_case *use, unsigned n,
        bool goes_on)
{
    struct xa_err err = XA_ERR_NONE;
    struct trial t;
    uint64_t tokens;
    bool has_failed;
    enum xa_rc rc;

    set_up_trial(kind, &t);
    if (goes_on)
        fake_alloc_fail_from(n);
    else
        fake_alloc_fail(n);
    rc = use->run(&t, &err);
    has_failed = fake_alloc_has_failed();
    fake_alloc_fail(0);
    if (rc != (has_failed ? XA_E_NOMEM : XA_OK) &&
        !(use->is_lenient && rc == XA_OK))
        fail_msg("allocation %u: %s, \"%s\"", n, xa_rc_name(rc), err.text);
    tokens = count_sound(&t);
    if (!(use->is_lenient && tokens == use->done))
        assert_int_equal(tokens, rc == XA_OK ? use->done : use->undone);
    /* and nothing is in the way of the next */
    suite_must(use->run(&t, &err), &err);
    count_sound(&t);
    tear_down_trial(&t);
    return has_failed;
}

static void
try_all(const struct use_case *use)
{
    for (size_t i = 0; i < XA_COUNT(kinds); i++) {
        for (int goes_on = 0; goes_on < 2; goes_on++) {
            unsigned n = 1;

            while (try_nth(&kinds[i], use, n, goes_on))
                assert_true(++n < TRIES_MAX);
            assert_true(n > 1);
        }
    }
}

static void
test_open__survives_each_allocation(void **state XA_UNUSED)
{
    try_all(&(struct use_case){.run = try_open, .done = 1, .undone = 1});
}

static void
test_issue__survives_each_allocation(void **state XA_UNUSED)
{
    try_all(&(struct use_case){.run = try_issue, .done = 2, .undone = 1});
}

static void
test_find__survives_each_allocation(void **state XA_UNUSED)
{
    try_all(&(struct use_case){.run = try_find, .done = 1, .undone = 1});
}

static void
test_revoke__survives_each_allocation(void **state XA_UNUSED)
{
    try_all(&(struct use_case){.run = try_revoke, .done = 0, .undone = 1});
}

/* What was removed counts, whatever fails behind it. */
static void
test_sweep__survives_each_allocation(void **state XA_UNUSED)
{
    try_all(&(struct use_case){
        .run = try_sweep, .done = 0, .undone = 1, .is_lenient = true});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open__survives_each_allocation),
        cmocka_unit_test(test_issue__survives_each_allocation),
        cmocka_unit_test(test_find__survives_each_allocation),
        cmocka_unit_test(test_revoke__survives_each_allocation),
        cmocka_unit_test(test_sweep__survives_each_allocation),
    };

    if (xa_crypto_init(NULL) != XA_OK)
        return 1;
    xa_log_capture(drop_line, NULL, XA_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
