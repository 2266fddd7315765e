/* test_consul_breaker.c - when a server is not asked. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "core/token/consul/breaker.h"
#include "tests/unit/unit.h"

static const struct xa_err silent = {XA_E_TIMEOUT, "silent"};
static const struct xa_err refused = {XA_E_UNAVAILABLE, "refused"};

static struct xa_breaker
opened(void)
{
    struct xa_breaker breaker = XA_BREAKER_CLOSED;

    xa_breaker_open(&breaker, &silent);
    return breaker;
}

static void
test_due__is_nothing_while_closed(void **state XA_UNUSED)
{
    struct xa_breaker breaker = XA_BREAKER_CLOSED;

    assert_int_equal(xa_breaker_due(&breaker, 0), -1);
    assert_int_equal(xa_breaker_due(&breaker, INT64_MAX), -1);
    assert_false(xa_breaker_is_probing(&breaker));
}

/* Ages in ms, -1: no probe there. */
static void
test_due__goes_by_the_age_of_the_probes(void **state XA_UNUSED)
{
    static const struct {
        int64_t ages[2];
        int due;
    } table[] = {
        {{-1, -1}, 0},
        /* the only one: another beside it once it is no longer young */
        {{0, -1}, -1},
        {{499, -1}, -1},
        {{500, -1}, 1},
        {{9999, -1}, 1},
        {{10000, -1}, 1},
        {{-1, 0}, -1},
        {{-1, 499}, -1},
        {{-1, 500}, 0},
        {{-1, 60000}, 0},
        /* two: the younger makes room, the older may yet be answered */
        {{500, 0}, -1},
        {{9000, 499}, -1},
        {{9000, 500}, 1},
        {{500, 9000}, 0},
        {{9999, 9998}, 1},
        /* until the older has had its time */
        {{10000, 499}, -1},
        {{10000, 500}, 0},
        {{500, 10000}, 1},
        {{60000, 50000}, 0},
    };
    const int64_t now_ms = 100000;

    for (size_t i = 0; i < XA_COUNT(table); i++) {
        struct xa_breaker breaker = opened();

        for (int slot = 0; slot < 2; slot++)
            if (table[i].ages[slot] >= 0)
                xa_breaker_began(&breaker, slot, now_ms - table[i].ages[slot]);
        assert_int_equal(xa_breaker_due(&breaker, now_ms), table[i].due);
    }
}

static void
test_due__is_patient_with_a_probe_that_was_received(void **state XA_UNUSED)
{
    static const int64_t intervals_ms[] = {500, 1000, 2000, 2000};
    struct xa_breaker breaker = opened();
    int64_t now_ms = 0;

    xa_breaker_began(&breaker, 0, now_ms);
    xa_breaker_received(&breaker, 0);
    now_ms += 500;
    assert_int_equal(xa_breaker_due(&breaker, now_ms), 1);
    for (size_t i = 0; i < XA_COUNT(intervals_ms); i++) {
        xa_breaker_began(&breaker, 1, now_ms);
        breaker.probes[0].since_ms = now_ms - 1; /* not given up yet */
        assert_int_equal(xa_breaker_due(&breaker, now_ms + 500), 1);
        xa_breaker_received(&breaker, 1);
        now_ms += intervals_ms[i];
        assert_int_equal(xa_breaker_due(&breaker, now_ms - 1), -1);
        assert_int_equal(xa_breaker_due(&breaker, now_ms), 1);
    }
    xa_breaker_answered(&breaker);
    xa_breaker_open(&breaker, &silent); /* begins anew */
    xa_breaker_began(&breaker, 0, now_ms);
    xa_breaker_received(&breaker, 0);
    assert_int_equal(xa_breaker_due(&breaker, now_ms + 500), 1);
}

static void
test_failed__makes_the_next_probe_due_at_once(void **state XA_UNUSED)
{
    struct xa_breaker breaker = opened();

    xa_breaker_began(&breaker, 0, 1000);
    assert_true(xa_breaker_is_probing(&breaker));
    xa_breaker_failed(&breaker, 0, &refused);
    assert_false(xa_breaker_is_probing(&breaker));
    assert_int_equal(xa_breaker_due(&breaker, 1000), 0);
    assert_true(breaker.is_open);
}

static void
test_reason__is_that_of_the_probe_that_ended_last(void **state XA_UNUSED)
{
    struct xa_breaker breaker = opened();

    assert_string_equal(breaker.reason.text, "silent");
    xa_breaker_open(&breaker, &refused); /* it is open already */
    assert_string_equal(breaker.reason.text, "silent");
    xa_breaker_began(&breaker, 0, 0);
    xa_breaker_began(&breaker, 1, 500);
    xa_breaker_failed(&breaker, 1, NULL); /* made room for a younger one */
    assert_string_equal(breaker.reason.text, "silent");
    xa_breaker_failed(&breaker, 0, &refused);
    assert_int_equal(breaker.reason.code, XA_E_UNAVAILABLE);
    assert_string_equal(breaker.reason.text, "refused");
}

static void
test_answered__closes_and_forgets(void **state XA_UNUSED)
{
    struct xa_breaker breaker = opened();

    xa_breaker_began(&breaker, 0, 0);
    xa_breaker_began(&breaker, 1, 500);
    xa_breaker_answered(&breaker);
    assert_false(breaker.is_open);
    assert_int_equal(xa_breaker_due(&breaker, 99999), -1);
    xa_breaker_open(&breaker, &refused);
    assert_string_equal(breaker.reason.text, "refused");
    assert_int_equal(xa_breaker_due(&breaker, 99999), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_due__is_nothing_while_closed),
        cmocka_unit_test(test_due__goes_by_the_age_of_the_probes),
        cmocka_unit_test(test_due__is_patient_with_a_probe_that_was_received),
        cmocka_unit_test(test_failed__makes_the_next_probe_due_at_once),
        cmocka_unit_test(test_reason__is_that_of_the_probe_that_ended_last),
        cmocka_unit_test(test_answered__closes_and_forgets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
