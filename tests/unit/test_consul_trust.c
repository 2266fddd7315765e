/* test_consul_trust.c - when a default read is taken without proof. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/base/auto.h"
#include "core/token/consul/trust.h"
#include "tests/unit/unit.h"

#define GUARD XA_TRUST_GUARD_MS
#define QUIET XA_TRUST_QUIET_MS
#define PROVEN_MS 1000

/* Proven by one consistent read. */
static struct xa_trust
proven(void)
{
    struct xa_trust trust = {.is_proven = false};

    xa_trust_look(&trust, 1);
    assert_true(xa_trust_believes(&trust, true, PROVEN_MS - 10, PROVEN_MS));
    return trust;
}

/* ... and another, after the time of caution. */
static struct xa_trust
settled(void)
{
    struct xa_trust trust = proven();

    assert_true(
        xa_trust_believes(&trust, true, PROVEN_MS + GUARD, PROVEN_MS + GUARD));
    assert_true(xa_trust_holds(&trust, PROVEN_MS + GUARD));
    return trust;
}

static void
test_holds__not_from_the_start(void **state XA_UNUSED)
{
    struct xa_trust trust = {.is_proven = false};

    assert_false(xa_trust_holds(&trust, 0));
    assert_false(xa_trust_is_calm(&trust, GUARD * 10));
    assert_false(xa_trust_believes(&trust, false, 0, 0));
    assert_false(trust.is_proven);
}

static void
test_holds__after_a_time_of_consistent_reads(void **state XA_UNUSED)
{
    struct xa_trust trust = proven();
    int64_t now_ms = PROVEN_MS;

    for (; now_ms < PROVEN_MS + GUARD; now_ms += 100) {
        assert_false(xa_trust_holds(&trust, now_ms));
        assert_true(xa_trust_believes(&trust, true, now_ms, now_ms));
    }
    assert_true(xa_trust_holds(&trust, now_ms));
}

static void
test_holds__while_answers_follow_each_other(void **state XA_UNUSED)
{
    struct xa_trust trust = settled();
    int64_t now_ms = PROVEN_MS + GUARD;

    for (int i = 0; i < 100; i++) {
        now_ms += QUIET - 1;
        assert_true(xa_trust_holds(&trust, now_ms));
        assert_true(xa_trust_believes(&trust, false, now_ms, now_ms));
    }
    now_ms += QUIET;
    assert_false(xa_trust_holds(&trust, now_ms));
    assert_true(xa_trust_is_calm(&trust, now_ms));
    assert_true(xa_trust_believes(&trust, true, now_ms, now_ms));
    assert_true(xa_trust_holds(&trust, now_ms)); /* one was enough */
}

/* The time that counts is that of the question. */
static void
test_believes__nothing_that_came_late(void **state XA_UNUSED)
{
    struct xa_trust trust = settled();
    int64_t known_ms = PROVEN_MS + GUARD;

    assert_false(
        xa_trust_believes(&trust, false, known_ms + 1, known_ms + QUIET));
    assert_true(
        xa_trust_believes(&trust, false, known_ms + 1, known_ms + QUIET - 1));
    assert_false(xa_trust_holds(&trust, known_ms + 1 + QUIET));
}

static void
test_trust__is_lost_at_once_and_won_in_time(void **state XA_UNUSED)
{
    for (int i = 0; i < 2; i++) {
        struct xa_trust trust = settled();
        int64_t now_ms = PROVEN_MS + GUARD + 1;

        xa_trust_look(&trust, 1); /* as many as before */
        assert_true(xa_trust_holds(&trust, now_ms));
        if (i == 0)
            xa_trust_look(&trust, 2);
        else
            xa_trust_lose(&trust);
        assert_false(xa_trust_is_calm(&trust, now_ms + GUARD));
        assert_false(xa_trust_believes(&trust, false, now_ms, now_ms));
        assert_true(xa_trust_believes(&trust, true, now_ms, now_ms));
        assert_false(xa_trust_is_calm(&trust, now_ms + GUARD - 1));
        assert_true(xa_trust_is_calm(&trust, now_ms + GUARD));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holds__not_from_the_start),
        cmocka_unit_test(test_holds__after_a_time_of_consistent_reads),
        cmocka_unit_test(test_holds__while_answers_follow_each_other),
        cmocka_unit_test(test_believes__nothing_that_came_late),
        cmocka_unit_test(test_trust__is_lost_at_once_and_won_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
