/* test_store_lmdb.c - the embedded store. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "tests/unit/lmdb_fixture.h"

/* --- probe --- */

static void
test_probe__makes_nothing(void **state XA_UNUSED)
{
    struct xa_store *store = open_as(XA_STORE_PROBE);
    struct xa_key key = suite_plain_key(1);
    struct xa_err err = XA_ERR_NONE;
    struct xa_token *token = NULL;
    struct xa_expired done;

    suite_must(xa_store_check(store, &err), &err);
    assert_int_equal(suite_count(store, &(struct xa_query){0}), 0);
    assert_int_equal(audit(store, true).tokens, 0);
    assert_int_equal(xa_store_get(store, &key, &token, &err), XA_E_STORE);
    assert_int_equal(try_create(store, "alice", &err), XA_E_STORE);
    assert_int_equal(xa_store_remove(store, &key, NULL, &err), XA_E_STORE);
    assert_int_equal(xa_store_expire(store, NOW_US, 1, &done, &err),
                     XA_E_STORE);
    xa_store_close(&store);
    assert_int_equal(rmdir(folder), 0); /* it is empty */
    assert_int_equal(mkdir(folder, 0700), 0);
}

static void
test_probe__opens_what_is_there(void **state XA_UNUSED)
{
    struct xa_store *store = open_store();
    struct xa_key key = suite_create(store, "alice", NOW_US);

    xa_store_close(&store);
    store = open_as(XA_STORE_PROBE);
    assert_true(suite_has(store, &key));
    assert_sound(store, 1);
    xa_store_close(&store);
}

/* --- entries that make no sense --- */

static void
test_expire__goes_past_what_makes_no_sense(void **state XA_UNUSED)
{
    const char *zeros = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    struct xa_store *store = open_store();
    struct xa_key good = suite_create(store, "alice", NOW_US);
    struct xa_expired done;
    struct xa_entry_name name;
    char shown[XA_SHA256_TEXT];
    struct xa_key bad;

    xa_store_close(&store);
    put_raw(XA_LMDB_SCHEDULE, zeros, 1, "", 0);  /* no time */
    put_raw(XA_LMDB_SCHEDULE, zeros, 8, "", 0);  /* no key */
    put_raw(XA_LMDB_SCHEDULE, zeros, 20, "", 0); /* nonsense for one */
    for (unsigned i = 0; i < 5; i++) { /* of a token nobody can read */
        bad = suite_plain_key(i);
        xa_schedule_name(i, &bad, &name);
        put_raw(XA_LMDB_SCHEDULE, name.bytes, name.len, "", 0);
        put_raw(XA_LMDB_TOKENS, bad.text, strlen(bad.text), "junk", 4);
    }
    store = open_store();
    for (int round = 0; round < 2; round++) {
        done = suite_expire(store, NOW_US, 2); /* fewer than the bad ones */
        assert_int_equal(done.removed, round == 0);
        assert_int_equal(done.skipped, 8);
        assert_false(done.more);
        xa_key_shown(&bad, shown); /* no plain key here */
        assert_string_equal(done.example, shown); /* the one due last */
    }
    assert_false(suite_has(store, &good));
    assert_int_equal(suite_count(store, &(struct xa_query){0}), 0);
    xa_store_close(&store);
}

/* As two versions that share a store write them. */
static void
put_of_format(const struct xa_key *key, char format)
{
    XA_AUTO(xa_token_free) struct xa_token *token = suite_token("bob", NOW_US);
    XA_AUTO(xa_buf_free) struct xa_buf record = XA_BUF(XA_RECORD_MAX);

    xa_token_encode(token, false, &record);
    record.data[0] = format;
    put_raw(XA_LMDB_TOKENS, key->text, strlen(key->text), record.data,
            record.len);
}

static void
test_expire__leaves_a_newer_format_to_who_knows_it(void **state XA_UNUSED)
{
    struct xa_key key = suite_plain_key(3);
    struct xa_err err = XA_ERR_NONE;
    struct xa_token *token = NULL;
    struct xa_entry_name name;
    struct xa_store *store;
    struct xa_expired done;

    put_of_format(&key, 2);
    xa_schedule_name(NOW_US, &key, &name);
    put_raw(XA_LMDB_SCHEDULE, name.bytes, name.len, "", 0);
    store = open_store();
    assert_int_equal(xa_store_get(store, &key, &token, &err), XA_E_STORE);
    assert_string_equal(err.text, "record of format 2, not 1");
    for (int round = 0; round < 2; round++) {
        done = suite_expire(store, NOW_US, 10);
        assert_int_equal(done.removed, 0);
        assert_int_equal(done.skipped, 1);
        assert_int_equal(strlen(done.example), 64);
    }
    assert_int_equal(audit(store, false).unreadable, 1); /* still there */
    xa_store_close(&store);

    put_of_format(&key, 1);
    store = open_store();
    done = suite_expire(store, NOW_US, 10); /* by the schedule that was left */
    assert_int_equal(done.removed, 1);
    assert_int_equal(done.skipped, 0);
    assert_sound(store, 0);
    xa_store_close(&store);
}

static void
test_expire__takes_the_record_for_the_truth(void **state XA_UNUSED)
{
    struct xa_store *store = open_store();
    struct xa_key key = suite_create(store, "alice", NOW_US + 1000);
    struct xa_key gone = suite_plain_key(1);
    struct xa_entry_name name;
    struct xa_expired done;

    xa_store_close(&store);
    xa_schedule_name(NOW_US + 1000, &key, &name);
    delete_raw(XA_LMDB_SCHEDULE, &name);
    xa_schedule_name(NOW_US, &key, &name); /* too early */
    put_raw(XA_LMDB_SCHEDULE, name.bytes, name.len, "", 0);
    xa_schedule_name(NOW_US, &gone, &name); /* of no token */
    put_raw(XA_LMDB_SCHEDULE, name.bytes, name.len, "", 0);

    store = open_store();
    done = suite_expire(store, NOW_US, 10);
    assert_int_equal(done.removed, 0);
    assert_int_equal(done.skipped, 0);
    assert_int_equal(done.oldest_us, 0);
    assert_sound(store, 1); /* moved, and the other one is gone */
    assert_int_equal(suite_expire(store, NOW_US + 999, 10).removed, 0);
    done = suite_expire(store, NOW_US + 1000, 10);
    assert_int_equal(done.removed, 1);
    assert_int_equal(done.oldest_us, NOW_US + 1000);
    assert_sound(store, 0);
    xa_store_close(&store);
}

static void
test_remove__takes_a_record_that_cannot_be_read(void **state XA_UNUSED)
{
    struct xa_key key = suite_plain_key(1);
    struct xa_err err = XA_ERR_NONE;
    struct xa_token *token = NULL;
    struct xa_store *store;
    bool removed = false;

    put_raw(XA_LMDB_TOKENS, key.text, strlen(key.text), "junk", 4);
    store = open_store();
    assert_int_equal(xa_store_get(store, &key, &token, &err), XA_E_STORE);
    suite_must(xa_store_remove(store, &key, &removed, &err), &err);
    assert_true(removed);
    assert_sound(store, 0);
    xa_store_close(&store);
}

static void
test_audit__finds_and_mends(void **state XA_UNUSED)
{
    struct xa_store *store = open_store();
    struct xa_key keys[600]; /* more than a page */
    struct xa_entry_name name;
    struct xa_audit found;

    for (size_t i = 0; i < XA_COUNT(keys); i++)
        keys[i] = suite_create(store, "alice", NOW_US + (int64_t)i);
    assert_sound(store, XA_COUNT(keys));
    xa_store_close(&store);

    xa_schedule_name(NOW_US + 3, &keys[3], &name);
    delete_raw(XA_LMDB_SCHEDULE, &name);
    xa_subject_name("alice", &keys[4], &name);
    delete_raw(XA_LMDB_SUBJECTS, &name);
    xa_schedule_name(NOW_US + 99, &keys[5], &name);
    put_raw(XA_LMDB_SCHEDULE, name.bytes, name.len, "", 0);
    put_raw(XA_LMDB_SCHEDULE, "nonsense", 8, "", 0);
    xa_subject_name("bob", &keys[6], &name);
    put_raw(XA_LMDB_SUBJECTS, name.bytes, name.len, "", 0);
    put_raw(XA_LMDB_TOKENS, "zz", 2, "junk", 4);

    store = open_store();
    for (int round = 0; round < 3; round++) {
        found = audit(store, round > 0); /* look, mend, look again */
        assert_int_equal(found.tokens, 600);
        assert_int_equal(found.unreadable, 1);
        assert_int_equal(found.unscheduled, round < 2 ? 1 : 0);
        assert_int_equal(found.unlisted, round < 2 ? 1 : 0);
        assert_int_equal(found.stray_schedules, round < 2 ? 2 : 0);
        assert_int_equal(found.stray_subjects, round < 2 ? 1 : 0);
    }
    xa_store_close(&store);
}

static void
test_audit__adopts_without_removing(void **state XA_UNUSED)
{
    struct xa_store *store = open_store();
    struct xa_key key = suite_create(store, "alice", NOW_US);
    struct xa_err err = XA_ERR_NONE;
    struct xa_entry_name name;
    struct xa_audit found;

    xa_store_close(&store);
    xa_schedule_name(NOW_US, &key, &name);
    delete_raw(XA_LMDB_SCHEDULE, &name);
    xa_schedule_name(NOW_US + 1, &key, &name);
    put_raw(XA_LMDB_SCHEDULE, name.bytes, name.len, "", 0);

    store = open_store();
    for (unsigned left = 2; left > 0; left--) {
        suite_must(
            xa_store_audit(store, XA_AUDIT_ADOPT, 0, NULL, NULL, &found, &err),
            &err);
        assert_int_equal(found.tokens, 1);
        assert_int_equal(found.unscheduled, left - 1);
        assert_int_equal(found.stray_schedules, 0); /* nobody looked */
    }
    assert_int_equal(audit(store, false).stray_schedules, 1);
    xa_store_close(&store);
}

static bool
stop_after_a_page(void *ctx, uint64_t done)
{
    *(uint64_t *)ctx = done;
    return false;
}

static void
test_audit__ends_when_told(void **state XA_UNUSED)
{
    struct xa_store *store = open_store();
    struct xa_audit found;
    struct xa_err err = XA_ERR_NONE;
    uint64_t done = 0;

    for (unsigned i = 0; i < 300; i++)
        suite_create(store, "alice", NOW_US);
    suite_must(xa_store_audit(store, XA_AUDIT_LOOK, 0, stop_after_a_page, &done,
                              &found, &err),
               &err);
    assert_in_range(done, 1, 299);
    assert_int_equal(found.tokens, done);
    xa_store_close(&store);
}

/* --- files that go and come --- */

static void
take_files_away(void)
{
    unlink(in_folder("data.mdb"));
    unlink(in_folder("lock.mdb"));
}

static int
open_and_close(int from XA_UNUSED, int to XA_UNUSED)
{
    struct xa_store *store = child_open();

    CHILD_MUST(store);
    xa_store_close(&store);
    return 0;
}

static void
test_store__follows_when_its_files_are_replaced(void **state XA_UNUSED)
{
    struct xa_store *store = open_store();
    struct xa_key key = suite_create(store, "alice", NOW_US);
    struct xa_err err = XA_ERR_NONE;
    struct child child;

    take_files_away();
    child = run_child(open_and_close); /* a start makes new ones */
    assert_int_equal(end_child(&child, 0), 0);
    suite_must(xa_store_check(store, &err), &err);
    assert_false(suite_has(store, &key)); /* not in what stands there now */
    key = suite_create(store, "alice", NOW_US);
    xa_store_close(&store);
    store = open_store();
    assert_true(suite_has(store, &key));
    xa_store_close(&store);
}

/* In a process that does nothing but read. */
static void
test_get__follows_within_seconds(void **state XA_UNUSED)
{
    const struct timespec moment = {.tv_nsec = 20000000};
    struct xa_store *store = open_store();
    struct xa_key key = suite_create(store, "alice", NOW_US);
    int64_t end_ms = xa_clock_mono_ms() + 10000;
    struct child child;

    assert_true(suite_has(store, &key));
    take_files_away();
    child = run_child(open_and_close);
    assert_int_equal(end_child(&child, 0), 0);
    while (suite_has(store, &key) && xa_clock_mono_ms() < end_ms)
        nanosleep(&moment, NULL);
    assert_false(suite_has(store, &key));
    xa_store_close(&store);
}

/* As when a volume is unmounted: what is below it is no store of ours. */
static void
test_store__makes_none_where_its_own_was(void **state XA_UNUSED)
{
    struct xa_store *store = open_store();
    struct xa_key key = suite_create(store, "alice", NOW_US);
    struct xa_err err = XA_ERR_NONE;

    take_files_away();
    assert_int_equal(xa_store_check(store, &err), XA_E_STORE);
    assert_non_null(strstr(err.text, "the store was taken away"));
    assert_int_equal(try_create(store, "alice", &err), XA_E_STORE);
    assert_int_equal(xa_store_remove(store, &key, NULL, &err), XA_E_STORE);
    assert_int_equal(access(in_folder("data.mdb"), F_OK), -1);
    xa_store_close(&store);
}

static int
create_many(int from, int to)
{
    struct xa_store *store = child_open();
    struct xa_err err;
    char byte;

    CHILD_MUST(store);
    CHILD_MUST(write(to, "x", 1) == 1);
    CHILD_MUST(read(from, &byte, 1) == 1);
    for (unsigned i = 0; i < 300; i++)
        CHILD_MUST(try_create(store, "bob", &err) == XA_OK);
    xa_store_close(&store);
    return 0;
}

/* Two processes that wait at different lock files would write at once. */
static void
test_store__follows_when_its_lock_is_taken_away(void **state XA_UNUSED)
{
    struct xa_store *store = open_store();
    struct child child;

    suite_create(store, "alice", NOW_US);
    unlink(in_folder("lock.mdb"));
    child = run_child(create_many); /* makes a new one */
    await_byte(child.from);
    assert_int_equal(write(child.to, "x", 1), 1);
    for (unsigned i = 0; i < 300; i++)
        suite_create(store, "alice", NOW_US);
    assert_int_equal(end_child(&child, 0), 0);
    assert_sound(store, 601);
    xa_store_close(&store);
}

static void
test_store__comes_back_with_its_folder(void **state XA_UNUSED)
{
    struct xa_store *store = open_store();
    struct xa_err err = XA_ERR_NONE;
    struct xa_token *token = NULL;
    struct xa_key key;
    char away[80];

    suite_create(store, "alice", NOW_US);
    snprintf(away, sizeof away, "%s-away", folder);
    assert_int_equal(rename(folder, away), 0);
    assert_int_equal(xa_store_check(store, &err), XA_E_STORE);
    key = suite_plain_key(1);
    assert_int_equal(xa_store_get(store, &key, &token, &err), XA_E_STORE);
    assert_int_equal(try_create(store, "alice", &err), XA_E_STORE);
    assert_int_equal(rename(away, folder), 0);
    suite_must(xa_store_check(store, &err), &err);
    assert_sound(store, 1);
    xa_store_close(&store);
}

int
main(void)
{
    static const struct store_kind kind = {
        .grain_us = 1,
        .name = "lmdb",
        .make = make_folder,
        .wipe = wipe_folder,
        .open = open_store,
    };
    const struct CMUnitTest tests[] = {
        LMDB_TEST(test_probe__makes_nothing),
        LMDB_TEST(test_probe__opens_what_is_there),
        LMDB_TEST(test_expire__goes_past_what_makes_no_sense),
        LMDB_TEST(test_expire__leaves_a_newer_format_to_who_knows_it),
        LMDB_TEST(test_expire__takes_the_record_for_the_truth),
        LMDB_TEST(test_remove__takes_a_record_that_cannot_be_read),
        LMDB_TEST(test_audit__finds_and_mends),
        LMDB_TEST(test_audit__adopts_without_removing),
        LMDB_TEST(test_audit__ends_when_told),
        LMDB_TEST(test_store__follows_when_its_files_are_replaced),
        LMDB_TEST(test_get__follows_within_seconds),
        LMDB_TEST(test_store__makes_none_where_its_own_was),
        LMDB_TEST(test_store__follows_when_its_lock_is_taken_away),
        LMDB_TEST(test_store__comes_back_with_its_folder),
    };

    return store_suite_run(&kind, tests, XA_COUNT(tests));
}
