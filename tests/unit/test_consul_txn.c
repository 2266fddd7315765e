/* test_consul_txn.c - several reads or writes in one request. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/support/crypto.h"
#include "core/token/consul/txn.h"
#include "tests/fakes/consul.h"
#include "tests/unit/unit.h"

static struct xa_config config = {.consul.timeout_ms = 1000};
static struct xa_consul *consul;

static int
set_up(void **state XA_UNUSED)
{
    fake_consul_reset();
    return xa_consul_new(&config, &consul, NULL) == XA_OK ? 0 : -1;
}

static int
tear_down(void **state XA_UNUSED)
{
    xa_consul_free(&consul);
    fake_consul_reset();
    return 0;
}

/* Items as text: NAME=VALUE@INDEX and a blank. */
static enum xa_rc
note(void *ctx, const struct xa_txn_item *item, struct xa_err *err XA_UNUSED)
{
    xa_buf_putf(ctx, "%s=%.*s@%" PRIu64 " ", item->name, (int)item->len,
                (const char *)item->value, item->index);
    return XA_OK;
}

/* Run a transaction and take it away; what came of it. */
static enum xa_rc
run(struct xa_txn *txn, struct xa_buf *items, struct xa_txn_refusal *refusal,
    struct xa_err *err)
{
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    enum xa_rc rc =
        xa_txn_run(consul, txn, XA_CONSUL_WRITE, 0, &answer, refusal, err);

    if (rc == XA_OK && items)
        rc = xa_txn_each(&answer, note, items, err);
    xa_txn_done(txn);
    return rc;
}

static void
test_run__sends_what_consul_understands(void **state XA_UNUSED)
{
    XA_AUTO(xa_txn_done) struct xa_txn txn = XA_TXN_EMPTY;

    xa_txn_set(&txn, "a\"b", "hi", 2);
    xa_txn_delete(&txn, "c");
    xa_txn_delete_cas(&txn, "d", UINT64_MAX);
    xa_txn_check_session(&txn, "e", "s");
    xa_txn_check_index(&txn, "f", 7);
    xa_txn_check_absent(&txn, "g");
    xa_txn_get_tree(&txn, "h");
    assert_int_equal(txn.count, 7);
    assert_string_equal(
        xa_buf_text(&txn.body),
        "[{\"KV\":{\"Verb\":\"set\",\"Key\":\"a\\\"b\",\"Value\":\"aGk=\"}},"
        "{\"KV\":{\"Verb\":\"delete\",\"Key\":\"c\"}},"
        "{\"KV\":{\"Verb\":\"delete-cas\",\"Key\":\"d\","
        "\"Index\":18446744073709551615}},"
        "{\"KV\":{\"Verb\":\"check-session\",\"Key\":\"e\",\"Session\":\"s\"}},"
        "{\"KV\":{\"Verb\":\"check-index\",\"Key\":\"f\",\"Index\":7}},"
        "{\"KV\":{\"Verb\":\"check-not-exists\",\"Key\":\"g\"}},"
        "{\"KV\":{\"Verb\":\"get-tree\",\"Key\":\"h\"}}");
}

static void
test_run__does_all_of_it(void **state XA_UNUSED)
{
    struct xa_txn txn = XA_TXN_EMPTY;
    XA_AUTO(xa_buf_free) struct xa_buf items = XA_BUF(1000);

    xa_txn_set(&txn, "k/b", "\xff\0z", 3);
    xa_txn_set(&txn, "k/a", "", 0);
    assert_int_equal(run(&txn, NULL, NULL, NULL), XA_OK);
    xa_txn_get_tree(&txn, "k/missing");
    xa_txn_get_tree(&txn, "k/a");
    xa_txn_get_tree(&txn, "k/b");
    assert_int_equal(run(&txn, &items, NULL, NULL), XA_OK);
    assert_int_equal(memcmp(items.data, "k/a=@12 k/b=\xff", 13), 0);
    xa_txn_delete_cas(&txn, "k/a", 12);
    xa_txn_delete(&txn, "k/b");
    xa_txn_delete(&txn, "k/missing");
    assert_int_equal(run(&txn, NULL, NULL, NULL), XA_OK);
    assert_int_equal(fake_consul_count("k/"), 0);
    assert_int_equal(run(&txn, &items, NULL, NULL), XA_OK); /* of nothing */
}

static void
test_run__does_nothing_when_a_check_does_not_hold(void **state XA_UNUSED)
{
    static void (*const checks[])(struct xa_txn *, const char *, uint64_t) = {
        xa_txn_delete_cas, xa_txn_check_index};
    struct xa_txn txn = XA_TXN_EMPTY;
    struct xa_txn_refusal refusal;

    fake_consul_set("a", "x"); /* index 11 */
    for (size_t i = 0; i < XA_COUNT(checks); i++) {
        xa_txn_set(&txn, "b", "y", 1);
        checks[i](&txn, "a", 10);
        assert_int_equal(run(&txn, NULL, &refusal, NULL), XA_E_INVALID);
        assert_int_equal(refusal.operation, 1);
        assert_false(refusal.is_denied);
    }
    xa_txn_check_absent(&txn, "a");
    xa_txn_set(&txn, "b", "y", 1);
    assert_int_equal(run(&txn, NULL, &refusal, NULL), XA_E_INVALID);
    assert_int_equal(refusal.operation, 0);
    assert_null(fake_consul_get("b"));
    xa_txn_check_index(&txn, "a", 11);
    xa_txn_check_absent(&txn, "b");
    xa_txn_set(&txn, "b", "y", 1);
    assert_int_equal(run(&txn, NULL, NULL, NULL), XA_OK);
    assert_string_equal(fake_consul_get("b"), "y");
}

/* An answer that is given to each request. */
struct canned {
    enum xa_rc rc;
    long status;
    const char *body;
};

static bool
answer_so(void *ctx, const struct xa_consul_request *request XA_UNUSED,
          struct xa_consul_answer *answer, enum xa_rc *rc)
{
    const struct canned *canned = ctx;

    *rc = canned->rc;
    answer->status = canned->status;
    xa_buf_puts(&answer->body, canned->body);
    return true;
}

static void
test_run__tells_refusals_apart(void **state XA_UNUSED)
{
    static const struct {
        struct canned says;
        enum xa_rc rc;
        size_t operation;
        bool is_denied;
        const char *words;
    } cases[] = {
        {{XA_OK, 409,
          "{\"Results\":null,\"Errors\":[{\"OpIndex\":2,\"What\":\"failed to "
          "delete key \\\"x/a\\\", index is stale\"}]}"},
         XA_E_INVALID,
         2,
         false,
         "operation 2"},
        {{XA_OK, 409,
          "{\"Errors\":[{\"OpIndex\":1,\"What\":\"Permission denied\"},"
          "{\"OpIndex\":0,\"What\":\"Permission denied\"}]}"},
         XA_E_FORBIDDEN,
         0,
         true,
         "no right"},
        {{XA_OK, 409,
          "{\"Errors\":[{\"OpIndex\":0,\"What\":\"failed session check\"},"
          "{\"OpIndex\":3,\"What\":\"rpc error: Permission denied: token "
          "lacks permission 'key:write'\"}]}"},
         XA_E_FORBIDDEN,
         3,
         true,
         "no right"},
        {{XA_OK, 409,
          "{\"Errors\":[{\"OpIndex\":\"0\"},{},1,{\"OpIndex\":4,"
          "\"What\":\"key exists\"},{\"OpIndex\":-1,\"What\":\"x\"}]}"},
         XA_E_INVALID,
         4,
         false,
         "operation 4"},
        {{XA_OK, 409, "{\"Errors\":null}"}, XA_E_UNAVAILABLE, 99, 0, "reason"},
        {{XA_OK, 409, "{\"Errors\":[]}"}, XA_E_UNAVAILABLE, 99, 0, "reason"},
        {{XA_OK, 409, "conflict"}, XA_E_UNAVAILABLE, 99, 0, "no sense"},
        {{XA_OK, 409, ""}, XA_E_UNAVAILABLE, 99, 0, "no sense"},
        {{XA_OK, 403, "ACL not found"},
         XA_E_FORBIDDEN,
         0,
         true,
         "consul.token"},
        {{XA_OK, 413, "Transaction contains too many operations (65 > 64)"},
         XA_E_STORE,
         99,
         false,
         "expiry.txn_operations"},
        {{XA_OK, 413, "Request body(524337 bytes) too large"},
         XA_E_STORE,
         99,
         false,
         "bytes"},
        {{XA_OK, 400, "Failed to parse"}, XA_E_STORE, 99, false, "400"},
        {{XA_OK, 500, "whatever"}, XA_E_STORE, 99, false, "500"},
        {{XA_OK, 404, ""}, XA_E_STORE, 99, false, "404"},
        {{XA_E_UNAVAILABLE, 0, ""}, XA_E_UNAVAILABLE, 99, false, ""},
        {{XA_E_TIMEOUT, 0, ""}, XA_E_TIMEOUT, 99, false, ""},
        {{XA_E_INVALID, 0, ""}, XA_E_INVALID, 99, false, ""},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct canned says = cases[i].says;
        struct xa_txn_refusal refusal = {.operation = 99};
        struct xa_txn txn = XA_TXN_EMPTY;
        struct xa_err err = XA_ERR_NONE;

        fake_consul.hook = answer_so;
        fake_consul.ctx = &says;
        xa_txn_delete(&txn, "a");
        assert_int_equal(run(&txn, NULL, &refusal, &err), cases[i].rc);
        assert_int_equal(refusal.operation, cases[i].operation);
        assert_int_equal(refusal.is_denied, cases[i].is_denied);
        assert_non_null(strstr(err.text, cases[i].words));
        xa_txn_delete(&txn, "a"); /* also where nobody wants to know */
        assert_int_equal(run(&txn, NULL, NULL, NULL), cases[i].rc);
    }
}

static void
test_run__believes_only_a_confirmation(void **state XA_UNUSED)
{
    static const struct {
        const char *body;
        enum xa_rc rc;
    } cases[] = {
        {"{\"Results\":[{\"KV\":{\"Key\":\"a\"}}],\"Errors\":null}", XA_OK},
        {"{\"Results\":[],\"Errors\":null}\n", XA_OK},
        {"{\"Errors\":null,\"Results\":[]}", XA_OK},
        {"{\"Results\": [], \"Errors\": null, \"Index\": 7}", XA_OK},
        {"{\"Results\":null,\"Errors\":null}", XA_OK},
        {"{\"Results\":[]}", XA_OK},
        {"{\"Results\":[],\"Errors\":[]}", XA_E_UNAVAILABLE},
        {"{\"Results\":[],\"Errors\":[{\"OpIndex\":0}]}", XA_E_UNAVAILABLE},
        {"{\"Result\":[],\"Errors\":null}", XA_E_UNAVAILABLE},
        {"{\"Results\":[],\"Errors\":null", XA_E_UNAVAILABLE},
        {"{\"Results\":[,\"Errors\":null}", XA_E_UNAVAILABLE},
        {"{\"Results\":[", XA_E_UNAVAILABLE},
        {"],\"Errors\":null}", XA_E_UNAVAILABLE},
        {"\n\n", XA_E_UNAVAILABLE},
        {"[]", XA_E_UNAVAILABLE},
        {"true", XA_E_UNAVAILABLE},
        {"", XA_E_UNAVAILABLE},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct canned says = {XA_OK, 200, cases[i].body};
        struct xa_txn txn = XA_TXN_EMPTY;
        enum xa_rc rc;

        fake_consul.hook = answer_so;
        fake_consul.ctx = &says;
        xa_txn_set(&txn, "a", "x", 1);
        rc = run(&txn, NULL, NULL, NULL);
        if (rc != cases[i].rc)
            fail_msg("%s: %s", cases[i].body, xa_rc_name(rc));
    }
}

static void
test_run__keeps_to_the_ceiling(void **state XA_UNUSED)
{
    static char value[XA_TXN_BODY_MAX];
    /* what remains for base64 beside the operation's 44 bytes */
    static const struct {
        size_t len;
        enum xa_rc rc;
    } cases[] = {
        {(XA_TXN_BODY_MAX - 44) / 4 * 3, XA_OK},
        {(XA_TXN_BODY_MAX - 44) / 4 * 3 + 1, XA_E_STORE},
        {sizeof value, XA_E_STORE},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct xa_txn txn = XA_TXN_EMPTY;

        xa_txn_set(&txn, "a", value, cases[i].len);
        assert_int_equal(run(&txn, NULL, NULL, NULL), cases[i].rc);
        assert_int_equal(fake_consul.requests, 1);
    }
}

#define KV(key, value)                                                         \
    "{\"KV\":{\"Key\":" key ",\"Value\":" value ",\"ModifyIndex\":7}}"

static void
test_each__reads_what_consul_writes(void **state XA_UNUSED)
{
    static const struct {
        const char *body;
        const char *items; /* NULL: refused */
    } cases[] = {
        {"{\"Results\":[],\"Errors\":null}", ""},
        {"{\"Results\":null}", ""},
        {"{}", ""},
        {"{\"Results\":[" KV("\"a\"", "\"aGk=\"") "]}", "a=hi@7 "},
        {"{\"Results\":[" KV("\"a\"", "null") "," KV("\"b\"", "\"\"") "]}",
         "a=@7 b=@7 "},
        {"{\"Results\":[" KV("\"a\\u003c\"", "\"aGk=\"") "]}", "a<=hi@7 "},
        {"{\"Results\":[{\"KV\":{\"Key\":\"a\",\"ModifyIndex\":9,\"x\":1}}]}",
         "a=@9 "},
        {"", NULL},
        {"[]", NULL},
        {"null", NULL},
        {"{\"Results\":[", NULL},
        {"{\"Results\":{}}", NULL},
        {"{\"Results\":[1]}", NULL},
        {"{\"Results\":[{}]}", NULL},
        {"{\"Results\":[{\"KV\":null}]}", NULL},
        {"{\"Results\":[" KV("1", "\"aGk=\"") "]}", NULL},
        {"{\"Results\":[" KV("\"a\\u0000\"", "\"aGk=\"") "]}", NULL},
        {"{\"Results\":[" KV("\"a\"", "1") "]}", NULL},
        {"{\"Results\":[" KV("\"a\"", "\"aGk\"") "]}", NULL},
        {"{\"Results\":[" KV("\"a\"", "\"a Gk=\"") "]}", NULL},
        {"{\"Results\":[{\"KV\":{\"Key\":\"a\",\"Value\":null}}]}", NULL},
        {"{\"Results\":[{\"KV\":{\"Key\":\"a\",\"ModifyIndex\":-1}}]}", NULL},
        {"{\"Results\":[[[[[[[[[1]]]]]]]]]}", NULL},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_consul_answer_done)
        struct xa_consul_answer answer = XA_CONSUL_ANSWER;
        XA_AUTO(xa_buf_free) struct xa_buf items = XA_BUF(1000);

        xa_buf_puts(&answer.body, cases[i].body);
        assert_int_equal(xa_txn_each(&answer, note, &items, NULL),
                         cases[i].items ? XA_OK : XA_E_UNAVAILABLE);
        if (cases[i].items)
            assert_string_equal(xa_buf_text(&items), cases[i].items);
    }
}

static enum xa_rc
refuse(void *ctx, const struct xa_txn_item *item XA_UNUSED, struct xa_err *err)
{
    ++*(int *)ctx;
    return xa_fail(err, XA_E_DENIED, "enough");
}

static void
test_each__ends_with_what_the_visitor_says(void **state XA_UNUSED)
{
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    int calls = 0;

    xa_buf_puts(&answer.body, "{\"Results\":[" KV("\"a\"", "null") "," KV(
                                  "\"b\"", "null") "]}");
    assert_int_equal(xa_txn_each(&answer, refuse, &calls, NULL), XA_E_DENIED);
    assert_int_equal(calls, 1);
}

#define TXN_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TXN_TEST(test_run__sends_what_consul_understands),
        TXN_TEST(test_run__does_all_of_it),
        TXN_TEST(test_run__does_nothing_when_a_check_does_not_hold),
        TXN_TEST(test_run__tells_refusals_apart),
        TXN_TEST(test_run__believes_only_a_confirmation),
        TXN_TEST(test_run__keeps_to_the_ceiling),
        TXN_TEST(test_each__reads_what_consul_writes),
        TXN_TEST(test_each__ends_with_what_the_visitor_says),
    };

    if (xa_crypto_init(NULL) != XA_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
