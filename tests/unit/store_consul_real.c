/* store_consul_real.c - the Consul store over a Consul that runs. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * XA_CONSUL_PORT names its port on loopback.  Each test has a prefix of its
 * own, and leaves there what it wrote.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/support/crypto.h"
#include "core/token/consul/client.h"
#include "core/token/consul/names.h"
#include "core/token/consul/txn.h"
#include "core/token/consul/walk.h"
#include "core/token/store_ops.h"
#include "tests/unit/store_suite.h"

#define NOW_US (1700000000 * XA_US_PER_S)
#define PREFIX_MAX 64

static struct xa_config *config;

static void
make(void)
{
    static unsigned next;

    snprintf(config->consul.prefix, PREFIX_MAX, "real/%u/", next++);
}

static void
wipe(void)
{
}

/* The store as the daemon has it. */
static struct xa_store *
open_store(void)
{
    struct xa_store *store = NULL;
    struct xa_err err = XA_ERR_NONE;

    suite_must(xa_store_consul_open(config, XA_STORE_USE, &store, &err), &err);
    return store;
}

static int
set_up(void **state)
{
    struct xa_consul *consul = NULL;

    make();
    if (xa_consul_new(config, &consul, NULL) != XA_OK)
        return -1;
    *state = consul;
    return 0;
}

static int
tear_down(void **state)
{
    struct xa_consul *consul = *state;

    xa_consul_free(&consul);
    return 0;
}

/* --- transactions --- */

static const char *
name_of(const char *rest)
{
    static char names[4][256];
    static unsigned next;
    char *name = names[next++ % XA_COUNT(names)];

    snprintf(name, sizeof names[0], "%s%s", config->consul.prefix, rest);
    return name;
}

static enum xa_rc
run(struct xa_consul *consul, struct xa_txn *txn,
    struct xa_consul_answer *answer, struct xa_txn_refusal *refusal,
    struct xa_err *err)
{
    enum xa_rc rc =
        xa_txn_run(consul, txn, XA_CONSUL_WRITE, xa_consul_deadline_ms(consul),
                   answer, refusal, err);

    xa_txn_done(txn);
    return rc;
}

static void
must_run(struct xa_consul *consul, struct xa_txn *txn)
{
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    struct xa_err err = XA_ERR_NONE;

    suite_must(run(consul, txn, &answer, NULL, &err), &err);
}

struct item {
    unsigned count;
    uint64_t index;
    size_t len;
    unsigned char value[8];
};

static enum xa_rc
take(void *ctx, const struct xa_txn_item *item, struct xa_err *err XA_UNUSED)
{
    struct item *out = ctx;

    out->count++;
    out->index = item->index;
    out->len = item->len;
    memcpy(out->value, item->value,
           item->len < sizeof out->value ? item->len : sizeof out->value);
    return XA_OK;
}

static struct item
read_key(struct xa_consul *consul, const char *name)
{
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    struct xa_txn txn = XA_TXN_EMPTY;
    struct xa_err err = XA_ERR_NONE;
    struct item item = {0};

    xa_txn_get_tree(&txn, name);
    suite_must(run(consul, &txn, &answer, NULL, &err), &err);
    suite_must(xa_txn_each(&answer, take, &item, &err), &err);
    return item;
}

static void
test_txn__is_read_back_byte_by_byte(void **state)
{
    struct xa_consul *consul = *state;
    struct xa_txn txn = XA_TXN_EMPTY;
    struct item item;

    xa_txn_set(&txn, name_of("a b%\"\\<\xc3\xa9"), "\0\xff\n", 3);
    xa_txn_set(&txn, name_of("empty"), "", 0);
    must_run(consul, &txn);
    item = read_key(consul, name_of("a b%\"\\<\xc3\xa9"));
    assert_int_equal(item.count, 1);
    assert_int_equal(item.len, 3);
    assert_memory_equal(item.value, "\0\xff\n", 3);
    item = read_key(consul, name_of("empty"));
    assert_int_equal(item.count, 1);
    assert_int_equal(item.len, 0);
    assert_int_equal(read_key(consul, name_of("missing")).count, 0);
}

/* What a transaction with one check and a write comes to. */
static void
expect_refused(struct xa_consul *consul, struct xa_txn *txn, size_t operation)
{
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    struct xa_txn_refusal refusal = {.operation = 99, .is_denied = true};

    assert_int_equal(run(consul, txn, &answer, &refusal, NULL), XA_E_INVALID);
    assert_int_equal(refusal.operation, operation);
    assert_false(refusal.is_denied);
    assert_int_equal(read_key(consul, name_of("written")).count, 0);
}

static void
test_txn__is_refused_as_a_whole(void **state)
{
    static const char session[] = "8a0a0f9e-aaaa-bbbb-cccc-000000000000";
    struct xa_consul *consul = *state;
    struct xa_txn txn = XA_TXN_EMPTY;
    uint64_t index;

    xa_txn_set(&txn, name_of("a"), "1", 1);
    must_run(consul, &txn);
    index = read_key(consul, name_of("a")).index;

    xa_txn_set(&txn, name_of("written"), "1", 1);
    xa_txn_delete_cas(&txn, name_of("a"), index - 1);
    expect_refused(consul, &txn, 1);
    xa_txn_check_index(&txn, name_of("a"), index + 1);
    xa_txn_set(&txn, name_of("written"), "1", 1);
    expect_refused(consul, &txn, 0);
    xa_txn_check_index(&txn, name_of("missing"), index);
    xa_txn_set(&txn, name_of("written"), "1", 1);
    expect_refused(consul, &txn, 0);
    xa_txn_check_absent(&txn, name_of("a"));
    xa_txn_set(&txn, name_of("written"), "1", 1);
    expect_refused(consul, &txn, 0);
    xa_txn_check_session(&txn, name_of("a"), session);
    xa_txn_set(&txn, name_of("written"), "1", 1);
    expect_refused(consul, &txn, 0);

    xa_txn_check_index(&txn, name_of("a"), index);
    xa_txn_check_absent(&txn, name_of("missing"));
    xa_txn_delete_cas(&txn, name_of("a"), index);
    xa_txn_delete_cas(&txn, name_of("missing"), index);
    xa_txn_delete(&txn, name_of("missing"));
    must_run(consul, &txn);
    assert_int_equal(read_key(consul, name_of("a")).count, 0);
}

static void
test_txn__names_the_option_when_there_are_too_many(void **state)
{
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    struct xa_txn txn = XA_TXN_EMPTY;
    struct xa_err err = XA_ERR_NONE;

    for (int i = 0; i < 200; i++)
        xa_txn_delete(&txn, name_of("missing"));
    assert_int_equal(run(*state, &txn, &answer, NULL, &err), XA_E_STORE);
    assert_non_null(strstr(err.text, "expiry.txn_operations"));
}

/* --- listings --- */

static bool
count_name(void *ctx, const char *name XA_UNUSED)
{
    ++*(unsigned *)ctx;
    return true;
}

#define MANY 15000 /* names, of 100 bytes with their quotes: 1.4 MiB */

static void
test_walk__cuts_what_is_too_large(void **state)
{
    struct xa_consul *consul = *state;
    XA_AUTO(xa_buf_free) struct xa_buf name = XA_BUF(256);
    struct xa_txn txn = XA_TXN_EMPTY;
    struct xa_err err = XA_ERR_NONE;
    struct xa_walk walk = {.consul = consul, .begin = "", .after = ""};
    struct xa_key key;
    unsigned depth = 0;
    unsigned count = 0;
    bool ended = false;

    for (unsigned i = 0; i < MANY; i++) {
        xa_sha256_hex(&i, sizeof i, key.text);
        xa_buf_clear(&name);
        xa_consul_put_schedule(&name, config->consul.prefix, 1795443200 + i % 3,
                               &key);
        xa_txn_set(&txn, name.data, "", 0);
        if (txn.count == 64 || i + 1 == MANY)
            must_run(consul, &txn);
    }
    walk.root = name_of("schedule/");
    walk.depth = &depth;
    suite_must(xa_walk_names(&walk, count_name, &count, &ended, &err), &err);
    assert_true(ended);
    assert_int_equal(count, MANY);
    walk.begin = "1795443201";
    count = 0;
    suite_must(xa_walk_names(&walk, count_name, &count, &ended, &err), &err);
    assert_int_equal(count, MANY / 3);
    walk.after = "17954432018"; /* "/" sorts before */
    count = 0;
    suite_must(xa_walk_names(&walk, count_name, &count, &ended, &err), &err);
    assert_int_equal(count, 0);
}

/* --- audit --- */

static void
test_audit__finds_and_mends(void **state)
{
    struct xa_consul *consul = *state;
    struct xa_store *store = open_store();
    struct xa_key key = suite_create(store, "alice", NOW_US);
    XA_AUTO(xa_buf_free) struct xa_buf name = XA_BUF(256);
    struct xa_txn txn = XA_TXN_EMPTY;
    struct xa_err err = XA_ERR_NONE;
    struct xa_audit found;

    for (int i = 0; i < 70; i++)
        suite_create(store, "bob", NOW_US);
    xa_consul_put_schedule(&name, config->consul.prefix, 1700000000, &key);
    xa_txn_delete(&txn, name.data);
    xa_buf_clear(&name);
    xa_consul_put_schedule(&name, config->consul.prefix, 1700000001, &key);
    xa_txn_set(&txn, name.data, "", 0);
    xa_txn_set(&txn, name_of("schedule/nonsense"), "", 0);
    must_run(consul, &txn);
    for (int round = 0; round < 3; round++) {
        suite_must(xa_store_audit(store,
                                  round > 0 ? XA_AUDIT_REPAIR : XA_AUDIT_LOOK,
                                  0, NULL, NULL, &found, &err),
                   &err);
        assert_int_equal(found.tokens, 71);
        assert_int_equal(found.unscheduled, round < 2 ? 1 : 0);
        assert_int_equal(found.stray_schedules, round < 2 ? 2 : 0);
        assert_int_equal(found.unreadable, 0);
        assert_int_equal(found.unlisted + found.stray_subjects, 0);
    }
    xa_store_close(&store);
}

#define REAL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    static const struct store_kind kind = {
        .name = "consul",
        .make = make,
        .wipe = wipe,
        .open = open_store,
        .grain_us = XA_US_PER_S,
    };
    const struct CMUnitTest tests[] = {
        REAL_TEST(test_txn__is_read_back_byte_by_byte),
        REAL_TEST(test_txn__is_refused_as_a_whole),
        REAL_TEST(test_txn__names_the_option_when_there_are_too_many),
        REAL_TEST(test_walk__cuts_what_is_too_large),
        REAL_TEST(test_audit__finds_and_mends),
    };
    const char *port = getenv("XA_CONSUL_PORT");
    char *prefix = calloc(1, PREFIX_MAX);
    int failed;

    if (!port || !prefix || xa_crypto_init(NULL) != XA_OK ||
        xa_config_defaults(&config, NULL) != XA_OK) {
        fputs("XA_CONSUL_PORT is not set, or memory ran out\n", stderr);
        free(prefix);
        return 1;
    }
    free(config->consul.prefix);
    config->consul.prefix = prefix;
    config->consul.port = (uint32_t)strtoul(port, NULL, 10);
    config->consul.timeout_ms = 2500;
    failed = store_suite_run(&kind, tests, XA_COUNT(tests));
    xa_config_free(&config);
    return failed;
}
