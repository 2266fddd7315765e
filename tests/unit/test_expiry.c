/* test_expiry.c - removing what is due, in batches, paced. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/service/expiry.h"
#include "core/token/store_ops.h"
#include "tests/unit/unit.h"

#define NOW_US (1700000000 * XA_US_PER_S)
#define BOOT_US (1000 * XA_US_PER_S)

/* A store with so many tokens due, the clocks, and what was seen. */
struct fixture {
    struct xa_store store; /* first: expire() gets its address */
    struct xa_config config;
    struct xa_expiry *expiry;
    volatile sig_atomic_t stop;

    uint32_t due;
    uint32_t skipped;
    int64_t oldest_us; /* expiry of everything that is due */
    enum xa_rc failure;
    unsigned calls;
    uint32_t largest_batch;
    unsigned stop_after_calls; /* 0: never */
    unsigned jump_after_calls; /* the wall clock, by an hour; 0: never */

    bool others_lead;          /* of a shared store */
    unsigned lose_after_calls; /* the lead; 0: never */
    enum xa_rc lead_failure;
    unsigned lead_calls;

    struct xa_moment clocks;
    int64_t batch_takes_us;
    unsigned pauses;
    int longest_pause_ms;

    char log[8192];
};

static enum xa_rc
expire(struct xa_store *store, int64_t now_us, uint32_t max,
       struct xa_expired *out, struct xa_err *err)
{
    struct fixture *f = (struct fixture *)store;
    uint32_t count = f->due < max ? f->due : max;

    f->calls++;
    assert_int_equal(now_us, f->clocks.now_us);
    f->clocks.now_us += f->batch_takes_us;
    f->clocks.boot_us += f->batch_takes_us;
    if (f->stop_after_calls == f->calls)
        f->stop = 1;
    if (f->jump_after_calls == f->calls)
        f->clocks.now_us += 3600 * XA_US_PER_S;
    if (f->lose_after_calls == f->calls)
        f->others_lead = true;
    if (f->failure != XA_OK)
        return xa_fail(err, f->failure, "told to fail");
    f->due -= count;
    if (count > f->largest_batch)
        f->largest_batch = count;
    *out = (struct xa_expired){
        .removed = count,
        .skipped = f->skipped,
        .example = "0123456789abcdef",
        .oldest_us = count > 0 ? f->oldest_us : 0,
        .more = f->due > 0,
    };
    return XA_OK;
}

static enum xa_rc
lead(struct xa_store *store, bool *out_leads, struct xa_err *err)
{
    struct fixture *f = (struct fixture *)store;

    f->lead_calls++;
    if (f->lead_failure != XA_OK)
        return xa_fail(err, f->lead_failure, "told not to lead");
    *out_leads = !f->others_lead;
    return XA_OK;
}

static struct xa_moment
read_clocks(void *ctx)
{
    return ((struct fixture *)ctx)->clocks;
}

static void
pause_ms(void *ctx, int ms)
{
    struct fixture *f = ctx;

    f->pauses++;
    if (ms > f->longest_pause_ms)
        f->longest_pause_ms = ms;
}

static void
capture(void *ctx, enum xa_level level XA_UNUSED, const char *line)
{
    struct fixture *f = ctx;

    assert_true(strlen(f->log) + strlen(line) + 2 < sizeof f->log);
    strcat(f->log, line);
    strcat(f->log, "\n");
}

static int
set_up(void **state)
{
    static const struct xa_store_ops ops = {.type = "fake", .expire = expire};
    static struct fixture f;
    const struct xa_expiry_env env = {&f, read_clocks, pause_ms};

    memset(&f, 0, sizeof f);
    f.store.ops = &ops;
    f.config.expiry.clock_grace_s = 60;
    f.clocks = (struct xa_moment){NOW_US, BOOT_US};
    f.oldest_us = NOW_US - XA_US_PER_S;
    xa_log_capture(capture, &f, XA_INFO);
    *state = &f;
    return xa_expiry_new(&f.store, &f.config, &env, &f.expiry, NULL) == XA_OK
               ? 0
               : -1;
}

/* As set_up(), with a store that other machines use too. */
static int
set_up_shared(void **state)
{
    static const struct xa_store_ops ops = {
        .type = "fake", .lead = lead, .expire = expire};
    int rc = set_up(state);

    ((struct fixture *)*state)->store.ops = &ops;
    return rc;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    xa_expiry_free(&f->expiry);
    xa_log_capture(NULL, NULL, XA_INFO);
    return 0;
}

static enum xa_rc
tick(struct fixture *f)
{
    f->log[0] = '\0';
    return xa_expiry_tick(f->expiry, &f->stop, NULL);
}

static void
pass(struct fixture *f, int64_t us)
{
    f->clocks.now_us += us;
    f->clocks.boot_us += us;
}

static void
test_tick__removes_all_in_batches_and_says_so(void **state)
{
    struct fixture *f = *state;

    f->due = 1000;
    f->batch_takes_us = 4000;
    assert_int_equal(tick(f), XA_OK);
    assert_int_equal(f->due, 0);
    assert_int_equal(f->calls, 4);
    assert_int_equal(f->largest_batch, 256);
    assert_string_equal(f->log, "INFO expiry.done removed=1000 took_ms=16 "
                                "latest_late_ms=1012\n");
}

static void
test_tick__is_silent_when_nothing_is_due(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(tick(f), XA_OK);
    assert_int_equal(f->calls, 1);
    assert_int_equal(f->pauses, 0);
    assert_string_equal(f->log, "");
}

static void
test_tick__pauses_as_long_as_a_batch_took(void **state)
{
    static const struct {
        int64_t takes_us;
        int pause_ms;
    } cases[] = {{0, 1}, {400, 1}, {7000, 7}, {5000000, 100}};
    struct fixture *f = *state;

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        f->due = 600;
        f->batch_takes_us = cases[i].takes_us;
        f->pauses = 0;
        f->longest_pause_ms = 0;
        assert_int_equal(tick(f), XA_OK);
        assert_int_equal(f->pauses, 2); /* none behind the last batch */
        assert_int_equal(f->longest_pause_ms, cases[i].pause_ms);
    }
}

static void
test_tick__ends_after_the_batch_in_hand(void **state)
{
    struct fixture *f = *state;

    f->due = 1000;
    f->stop_after_calls = 2;
    assert_int_equal(tick(f), XA_OK);
    assert_int_equal(f->due, 1000 - 512);
    assert_non_null(strstr(f->log, "removed=512 "));
    assert_int_equal(tick(f), XA_OK); /* and does not begin another */
    assert_int_equal(f->calls, 2);
}

static void
test_tick__says_once_that_the_store_fails_and_once_that_it_is_back(void **state)
{
    struct fixture *f = *state;

    f->failure = XA_E_STORE;
    assert_int_equal(tick(f), XA_E_STORE);
    assert_string_equal(f->log,
                        "ERROR expiry.failing reason=\"told to fail\"\n");
    pass(f, 30 * XA_US_PER_S);
    assert_int_equal(tick(f), XA_E_STORE);
    assert_string_equal(f->log, "");
    f->failure = XA_OK;
    assert_int_equal(tick(f), XA_OK);
    assert_string_equal(f->log,
                        "INFO expiry.recovered failures=2 after_s=30\n");
    assert_int_equal(tick(f), XA_OK);
    assert_string_equal(f->log, "");
}

static void
test_tick__counts_what_went_before_a_failure(void **state)
{
    struct fixture *f = *state;

    f->due = 300;
    assert_int_equal(tick(f), XA_OK);
    f->due = 300;
    f->failure = XA_E_TIMEOUT;
    assert_int_equal(tick(f), XA_E_TIMEOUT);
    assert_null(strstr(f->log, "expiry.done"));
    assert_int_equal(f->due, 300);
}

static void
test_tick__names_skipped_entries_once(void **state)
{
    struct fixture *f = *state;

    f->skipped = 2;
    assert_int_equal(tick(f), XA_OK);
    assert_string_equal(f->log,
                        "WARNING expiry.skipped count=2 key=0123456789ab\n");
    assert_int_equal(tick(f), XA_OK);
    assert_string_equal(f->log, "");
    f->skipped = 3;
    assert_int_equal(tick(f), XA_OK);
    assert_non_null(strstr(f->log, "count=3"));
    f->skipped = 0;
    assert_int_equal(tick(f), XA_OK);
    assert_string_equal(f->log, "");
    f->skipped = 1;
    assert_int_equal(tick(f), XA_OK);
    assert_non_null(strstr(f->log, "count=1"));
}

static void
test_tick__pauses_when_the_wall_clock_jumps(void **state)
{
    static const struct {
        int64_t by_s;
        bool pauses;
    } cases[] = {
        {3600, true}, {-3600, true}, {34560000, true}, {6, true},
        {-6, true},   {4, false},    {-4, false},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        assert_int_equal(tick(f), XA_OK);
        f->calls = 0;
        f->due = 1;
        pass(f, XA_US_PER_S);
        f->clocks.now_us += cases[i].by_s * XA_US_PER_S;
        assert_int_equal(tick(f), XA_OK);
        assert_int_equal(f->calls, cases[i].pauses ? 0 : 1);
        if (!cases[i].pauses)
            continue;
        assert_non_null(strstr(f->log, "WARNING clock.jumped by_s="));

        pass(f, 59 * XA_US_PER_S);
        assert_int_equal(tick(f), XA_OK);
        assert_int_equal(f->calls, 0);
        assert_string_equal(f->log, "");
        pass(f, XA_US_PER_S);
        assert_int_equal(tick(f), XA_OK);
        assert_int_equal(f->calls, 1);
        assert_non_null(strstr(f->log, "INFO clock.trusted"));
    }
}

static void
test_tick__waits_again_after_a_second_jump(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(tick(f), XA_OK);
    f->calls = 0;
    f->clocks.now_us += 100 * XA_US_PER_S;
    assert_int_equal(tick(f), XA_OK);
    pass(f, 50 * XA_US_PER_S);
    f->clocks.now_us -= 100 * XA_US_PER_S; /* set right again */
    assert_int_equal(tick(f), XA_OK);
    pass(f, 59 * XA_US_PER_S);
    assert_int_equal(tick(f), XA_OK);
    assert_int_equal(f->calls, 0);
    pass(f, XA_US_PER_S);
    assert_int_equal(tick(f), XA_OK);
    assert_int_equal(f->calls, 1);
}

static void
test_tick__looks_at_the_clock_before_each_batch(void **state)
{
    struct fixture *f = *state;

    f->due = 1000;
    f->jump_after_calls = 2;
    assert_int_equal(tick(f), XA_OK);
    assert_int_equal(f->due, 1000 - 512);
    assert_non_null(strstr(f->log, "by_s=3600 pause_s=60"));
}

static void
test_tick__takes_a_sleep_of_the_machine_for_no_jump(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(tick(f), XA_OK);
    pass(f, 86400 * XA_US_PER_S); /* the boot clock goes on in suspend */
    f->due = 10;
    assert_int_equal(tick(f), XA_OK);
    assert_int_equal(f->due, 0);
}

/* --- of several daemons one leads --- */

static void
test_lead__is_no_matter_in_a_store_of_one_machine(void **state)
{
    struct fixture *f = *state;

    f->due = 1;
    assert_int_equal(tick(f), XA_OK);
    assert_true(xa_expiry_leads(f->expiry));
    assert_null(strstr(f->log, "leader."));
}

static void
test_lead__is_asked_for_before_each_batch(void **state)
{
    struct fixture *f = *state;

    f->due = 1000;
    assert_int_equal(tick(f), XA_OK);
    assert_int_equal(f->calls, 4);
    assert_int_equal(f->lead_calls, 4);
    assert_non_null(strstr(f->log, "INFO leader.taken pid="));
    assert_true(xa_expiry_leads(f->expiry));
    assert_int_equal(tick(f), XA_OK);
    assert_string_equal(f->log, ""); /* said once */
}

static void
test_lead__is_waited_for_without_touching_the_store(void **state)
{
    struct fixture *f = *state;

    f->due = 10;
    f->others_lead = true;
    assert_int_equal(tick(f), XA_OK);
    assert_non_null(strstr(f->log, "INFO leader.waiting"));
    assert_false(xa_expiry_leads(f->expiry));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(tick(f), XA_OK);
        assert_string_equal(f->log, "");
    }
    assert_int_equal(f->calls, 0);
    f->others_lead = false;
    assert_int_equal(tick(f), XA_OK);
    assert_non_null(strstr(f->log, "leader.taken"));
    assert_int_equal(f->due, 0);
}

static void
test_lead__is_lost_between_two_batches(void **state)
{
    struct fixture *f = *state;

    f->due = 1000;
    f->lose_after_calls = 2;
    assert_int_equal(tick(f), XA_OK);
    assert_int_equal(f->due, 1000 - 512);
    assert_non_null(strstr(f->log, "WARNING leader.lost"));
    assert_non_null(strstr(f->log, "removed=512 "));
    assert_false(xa_expiry_leads(f->expiry));
    assert_int_equal(tick(f), XA_OK);
    assert_string_equal(f->log, "");
    f->others_lead = false;
    f->lose_after_calls = 0;
    assert_int_equal(tick(f), XA_OK);
    assert_non_null(strstr(f->log, "leader.taken"));
}

static void
test_lead__that_cannot_be_had_is_a_failure(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(tick(f), XA_OK);
    f->calls = 0;
    f->lead_failure = XA_E_TIMEOUT;
    assert_int_equal(tick(f), XA_E_TIMEOUT);
    assert_string_equal(f->log,
                        "ERROR expiry.failing reason=\"told not to lead\"\n");
    assert_int_equal(f->calls, 0);
    f->lead_failure = XA_OK;
    assert_int_equal(tick(f), XA_OK); /* nobody else took it meanwhile */
    assert_string_equal(f->log, "INFO expiry.recovered failures=1 after_s=0\n");
}

static void
test_lead__is_kept_while_the_clock_is_not_trusted(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(tick(f), XA_OK);
    f->clocks.now_us += 3600 * XA_US_PER_S;
    f->lead_calls = 0;
    f->calls = 0;
    for (int i = 0; i < 10; i++) {
        pass(f, XA_US_PER_S);
        assert_int_equal(tick(f), XA_OK);
    }
    assert_int_equal(f->lead_calls, 10);
    assert_int_equal(f->calls, 0);
}

static void
test_keep_lead__asks_only_when_it_leads_and_nothing_fails(void **state)
{
    struct fixture *f = *state;

    xa_expiry_keep_lead(f->expiry);
    assert_int_equal(f->lead_calls, 0);
    assert_int_equal(tick(f), XA_OK);
    xa_expiry_keep_lead(f->expiry);
    assert_int_equal(f->lead_calls, 2);
    f->log[0] = '\0';
    f->lead_failure = XA_E_TIMEOUT;
    xa_expiry_keep_lead(f->expiry);
    assert_int_equal(f->lead_calls, 3);
    assert_string_equal(f->log, ""); /* the next tick will say it */
    assert_int_equal(tick(f), XA_E_TIMEOUT);
    xa_expiry_keep_lead(f->expiry);
    assert_int_equal(f->lead_calls, 4);
    f->lead_failure = XA_OK;
    f->others_lead = true;
    assert_int_equal(tick(f), XA_OK);
    assert_non_null(strstr(f->log, "leader.lost"));
    xa_expiry_keep_lead(f->expiry);
    assert_int_equal(f->lead_calls, 5);
}

#define SHARED(test)                                                           \
    cmocka_unit_test_setup_teardown(test, set_up_shared, tear_down)
#define WITH_FIXTURE(test)                                                     \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_tick__removes_all_in_batches_and_says_so),
        WITH_FIXTURE(test_tick__is_silent_when_nothing_is_due),
        WITH_FIXTURE(test_tick__pauses_as_long_as_a_batch_took),
        WITH_FIXTURE(test_tick__ends_after_the_batch_in_hand),
        WITH_FIXTURE(
            test_tick__says_once_that_the_store_fails_and_once_that_it_is_back),
        WITH_FIXTURE(test_tick__counts_what_went_before_a_failure),
        WITH_FIXTURE(test_tick__names_skipped_entries_once),
        WITH_FIXTURE(test_tick__pauses_when_the_wall_clock_jumps),
        WITH_FIXTURE(test_tick__waits_again_after_a_second_jump),
        WITH_FIXTURE(test_tick__looks_at_the_clock_before_each_batch),
        WITH_FIXTURE(test_tick__takes_a_sleep_of_the_machine_for_no_jump),
        WITH_FIXTURE(test_lead__is_no_matter_in_a_store_of_one_machine),
        SHARED(test_lead__is_asked_for_before_each_batch),
        SHARED(test_lead__is_waited_for_without_touching_the_store),
        SHARED(test_lead__is_lost_between_two_batches),
        SHARED(test_lead__that_cannot_be_had_is_a_failure),
        SHARED(test_lead__is_kept_while_the_clock_is_not_trusted),
        SHARED(test_keep_lead__asks_only_when_it_leads_and_nothing_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
