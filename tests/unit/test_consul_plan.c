/* test_consul_plan.c - which seconds of the schedule to look at. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/auto.h"
#include "core/token/consul/plan.h"
#include "tests/unit/unit.h"

#define NOW INT64_C(1795443207)

/* Run a pass to its end; from which second to which it went, without a gap.
 * Returns how many prefixes it took. */
static unsigned
run_pass(struct xa_plan *plan, int64_t *out_from, int64_t *out_to)
{
    char prefix[XA_WHEN_TEXT];
    unsigned count = 0;

    *out_from = -1;
    *out_to = -1;
    while (xa_plan_next(plan, prefix)) {
        char low[XA_WHEN_TEXT];
        char high[XA_WHEN_TEXT];

        snprintf(low, sizeof low, "%s%.*s", prefix, 10 - (int)strlen(prefix),
                 "0000000000");
        snprintf(high, sizeof high, "%s%.*s", prefix, 10 - (int)strlen(prefix),
                 "9999999999");
        if (count++ == 0)
            *out_from = strtoll(low, NULL, 10);
        else
            assert_int_equal(strtoll(low, NULL, 10), *out_to + 1);
        *out_to = strtoll(high, NULL, 10);
    }
    assert_false(plan->is_open);
    return count;
}

static void
assert_pass(struct xa_plan *plan, int64_t now_s, int64_t look_back_s,
            int64_t from, int64_t to)
{
    int64_t got_from;
    int64_t got_to;

    xa_plan_begin(plan, now_s, look_back_s);
    assert_true(plan->is_open);
    run_pass(plan, &got_from, &got_to);
    assert_int_equal(got_from, from);
    assert_int_equal(got_to, to);
}

static struct xa_plan
new_plan(void)
{
    struct xa_plan plan;

    memset(&plan, 0xa5, sizeof plan);
    xa_plan_reset(&plan);
    return plan;
}

static void
test_plan__begins_with_everything_overdue(void **state XA_UNUSED)
{
    struct xa_plan plan = new_plan();
    int64_t from;
    int64_t to;

    xa_plan_begin(&plan, NOW, 300);
    assert_true(run_pass(&plan, &from, &to) < 60);
    assert_int_equal(from, 0);
    assert_int_equal(to, NOW);
}

static void
test_plan__goes_on_with_what_fell_due_since(void **state XA_UNUSED)
{
    static const struct {
        int64_t later_s;
        int64_t look_back_s;
        int64_t from_s; /* against the first pass */
    } cases[] = {
        {1, 300, -299},
        {1, 0, 1},
        {0, 300, -299},
        {0, 0, 0}, /* the second that is under way */
        {3600, 300, -299},
        {3600, 0, 1},
        {1, 1, 0},
        {-10, 300, -309}, /* a clock that was set back */
        {-100000, 0, -100000},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct xa_plan plan = new_plan();

        assert_pass(&plan, NOW, cases[i].look_back_s, 0, NOW);
        assert_pass(&plan, NOW + cases[i].later_s, cases[i].look_back_s,
                    NOW + cases[i].from_s, NOW + cases[i].later_s);
    }
}

static void
test_plan__costs_little_when_little_time_went_by(void **state XA_UNUSED)
{
    struct xa_plan plan = new_plan();
    int64_t from;
    int64_t to;

    assert_pass(&plan, NOW, 300, 0, NOW);
    for (int64_t s = 1; s < 2000; s++) {
        xa_plan_begin(&plan, NOW + s, 300);
        assert_true(run_pass(&plan, &from, &to) <= 40);
        assert_int_equal(from, NOW + s - 300);
    }
}

static void
test_plan__goes_on_where_a_pass_was_interrupted(void **state XA_UNUSED)
{
    struct xa_plan plan = new_plan();
    char prefix[XA_WHEN_TEXT];
    int64_t from;
    int64_t to;

    xa_plan_begin(&plan, 42, 0);
    assert_true(xa_plan_next(&plan, prefix));
    assert_string_equal(prefix, "000000000");
    assert_true(plan.is_open);
    run_pass(&plan, &from, &to);
    assert_int_equal(from, 10);
    assert_int_equal(to, 42);
}

static void
test_plan__comes_back_for_what_was_left(void **state XA_UNUSED)
{
    struct xa_plan plan = new_plan();
    char prefix[XA_WHEN_TEXT];

    xa_plan_begin(&plan, NOW, 300);
    assert_true(xa_plan_next(&plan, prefix));
    xa_plan_again(&plan, 5000);
    xa_plan_again(&plan, 4000);
    xa_plan_again(&plan, 6000);
    while (xa_plan_next(&plan, prefix))
        ;
    assert_pass(&plan, NOW + 1, 300, 4000, NOW + 1);
    assert_pass(&plan, NOW + 2, 300, NOW - 298, NOW + 2); /* once */
}

static void
test_plan__begins_anew_as_a_new_leader(void **state XA_UNUSED)
{
    struct xa_plan plan = new_plan();
    char prefix[XA_WHEN_TEXT];

    assert_pass(&plan, NOW, 300, 0, NOW);
    xa_plan_begin(&plan, NOW + 1, 300);
    assert_true(xa_plan_next(&plan, prefix));
    xa_plan_reset(&plan);
    assert_false(plan.is_open);
    assert_pass(&plan, NOW + 1, 300, 0, NOW + 1);
}

static void
test_plan__survives_odd_times(void **state XA_UNUSED)
{
    struct xa_plan plan = new_plan();

    assert_pass(&plan, -1, 300, -1, -1); /* nothing is due before 1970 */
    assert_pass(&plan, INT64_MIN / 1000000, 300, -1, -1);
    assert_pass(&plan, 0, 300, 0, 0);
    assert_pass(&plan, 10, 300, 0, 10);
    assert_pass(&plan, XA_WHEN_MAX + 5, 0, 11, XA_WHEN_MAX);
    assert_pass(&plan, INT64_MAX / 1000000, 86400, XA_WHEN_MAX - 86399,
                XA_WHEN_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan__begins_with_everything_overdue),
        cmocka_unit_test(test_plan__goes_on_with_what_fell_due_since),
        cmocka_unit_test(test_plan__costs_little_when_little_time_went_by),
        cmocka_unit_test(test_plan__goes_on_where_a_pass_was_interrupted),
        cmocka_unit_test(test_plan__comes_back_for_what_was_left),
        cmocka_unit_test(test_plan__begins_anew_as_a_new_leader),
        cmocka_unit_test(test_plan__survives_odd_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
