/* test_consul_removal.c - what is done about a schedule that is due. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "core/base/auto.h"
#include "core/base/clock.h"
#include "core/token/consul/removal.h"
#include "tests/unit/unit.h"

#define KEY "1823c1ee-6c6a-4cdc-9869-964a7f08a744"
#define ALICE "2bd806c97f0e00af1a1fc3328fa763a9"
#define BOB "81b637d8fcd2c6da6359e6963113a117"

#define FENCE                                                                  \
    "[{\"KV\":{\"Verb\":\"check-session\",\"Key\":\"p/expiryd/leader\","       \
    "\"Session\":\"s\"}}"
#define OPERATION(verb, name)                                                  \
    ",{\"KV\":{\"Verb\":\"" verb "\",\"Key\":\"p/" name "\""
#define DUE "schedule/1700000000/" KEY

static const struct {
    enum xa_removal_kind kind;
    const char *body;
} cases[] = {
    {XA_REMOVE_TOKEN,
     FENCE OPERATION("delete-cas", "tokens/" KEY) ",\"Index\":77}}" OPERATION(
         "delete", DUE) "}}" OPERATION("delete",
                                       "subjects/" ALICE "/" KEY) "}}"},
    {XA_REMOVE_ORPHAN,
     FENCE OPERATION("check-not-exists", "tokens/" KEY) "}}" OPERATION(
         "delete", DUE) "}}" OPERATION("delete",
                                       "subjects/" ALICE "/" KEY) "}}"},
    {XA_MOVE_SCHEDULE,
     FENCE OPERATION("check-index", "tokens/" KEY) ",\"Index\":77}}" OPERATION(
         "delete",
         DUE) "}}" OPERATION("set",
                             "schedule/1700000009/" KEY) ",\"Value\":"
                                                         "\"MmJkODA2Yzk3ZjBlMDB"
                                                         "hZjFhMWZjMzMyOGZhNzYz"
                                                         "YTk=\"}}"},
    {XA_MOVE_SUBJECT,
     FENCE OPERATION("check-index", "tokens/" KEY) ",\"Index\":77}}" OPERATION(
         "set", "subjects/" ALICE
                "/" KEY) ",\"Value\":\"\"}}" OPERATION("delete", "subjects/" BOB
                                                                 "/" KEY) "}}"},
};

static struct xa_removal
step_of(enum xa_removal_kind kind)
{
    return (struct xa_removal){
        .kind = kind,
        .key = {KEY},
        .when = 1700000000,
        .index = 77,
        .expires_us = 1700000008 * XA_US_PER_S + 1,
        .subject = ALICE,
        .stray = BOB,
    };
}

static void
test_write__fences_and_checks_each_step(void **state XA_UNUSED)
{
    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_txn_done) struct xa_txn txn = XA_TXN_EMPTY;
        struct xa_removal step = step_of(cases[i].kind);

        assert_int_equal(xa_removal_write(&txn, "p/", "p/expiryd/leader", "s",
                                          &step, 1, NULL),
                         XA_OK);
        assert_string_equal(xa_buf_text(&txn.body), cases[i].body);
        assert_int_equal(txn.count, 1 + XA_REMOVAL_OPERATIONS);
    }
}

static void
test_write__takes_as_many_as_fit(void **state XA_UNUSED)
{
    static const struct {
        size_t operations;
        size_t steps;
    } limits[] = {{4, 1}, {6, 1}, {7, 2}, {64, 21}, {128, 42}};
    struct xa_removal steps[42];

    for (size_t i = 0; i < XA_COUNT(steps); i++)
        steps[i] = step_of((enum xa_removal_kind)(i % XA_COUNT(cases)));
    for (size_t i = 0; i < XA_COUNT(limits); i++) {
        XA_AUTO(xa_txn_done) struct xa_txn txn = XA_TXN_EMPTY;

        assert_int_equal(xa_removal_fit(limits[i].operations), limits[i].steps);
        assert_int_equal(xa_removal_write(&txn, "p/", "p/expiryd/leader", "s",
                                          steps, limits[i].steps, NULL),
                         XA_OK);
        assert_true(txn.count <= limits[i].operations);
        assert_true(txn.count + XA_REMOVAL_OPERATIONS > limits[i].operations);
    }
}

static void
test_write__refuses_a_prefix_without_end(void **state XA_UNUSED)
{
    XA_AUTO(xa_txn_done) struct xa_txn txn = XA_TXN_EMPTY;
    struct xa_removal step = step_of(XA_REMOVE_TOKEN);
    char prefix[10000];

    memset(prefix, 'p', sizeof prefix);
    prefix[sizeof prefix - 1] = '\0';
    assert_int_equal(
        xa_removal_write(&txn, prefix, "leader", "s", &step, 1, NULL),
        XA_E_INVALID);
}

static void
test_of_operation__knows_the_fence_from_the_steps(void **state XA_UNUSED)
{
    static const ptrdiff_t steps[] = {-1, 0, 0, 0, 1, 1, 1, 2};

    for (size_t i = 0; i < XA_COUNT(steps); i++)
        assert_int_equal(xa_removal_of_operation(i), steps[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write__fences_and_checks_each_step),
        cmocka_unit_test(test_write__takes_as_many_as_fit),
        cmocka_unit_test(test_write__refuses_a_prefix_without_end),
        cmocka_unit_test(test_of_operation__knows_the_fence_from_the_steps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
