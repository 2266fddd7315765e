/* test_lmdb_faults.c - the embedded store under kills, and full. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lmdb.h>

#include "tests/fakes/alloc.h"
#include "tests/unit/lmdb_fixture.h"

/* --- several processes --- */

static int
create_and_wait(int from, int to)
{
    struct xa_store *store = child_open();
    struct xa_key key;
    struct xa_err err;
    bool removed;
    char byte;

    CHILD_MUST(store);
    key = suite_create(store, "alice", NOW_US);
    CHILD_MUST(write(to, &key, sizeof key) == sizeof key);
    CHILD_MUST(read(from, &byte, 1) == 1);
    CHILD_MUST(!suite_has(store, &key));
    CHILD_MUST(xa_store_remove(store, &key, &removed, &err) == XA_OK);
    CHILD_MUST(!removed);
    xa_store_close(&store);
    return 0;
}

static void
test_processes__see_each_other_at_once(void **state XA_UNUSED)
{
    struct child child = run_child(create_and_wait);
    struct xa_store *store = open_store();
    struct xa_err err = XA_ERR_NONE;
    struct xa_key key;

    assert_int_equal(read(child.from, &key, sizeof key), sizeof key);
    assert_true(suite_has(store, &key));
    suite_must(xa_store_remove(store, &key, NULL, &err), &err);
    assert_int_equal(write(child.to, "x", 1), 1);
    assert_int_equal(end_child(&child, 0), 0);
    xa_store_close(&store);
}

static int
die_while_writing(int from, int to)
{
    struct xa_lmdb *lmdb = open_inside();
    struct xa_lmdb_txn txn;
    struct xa_err err;
    char byte;

    CHILD_MUST(xa_lmdb_begin_write(lmdb, &txn, &err) == XA_OK);
    for (unsigned i = 0; i < 200; i++) {
        struct xa_key key = suite_plain_key(i);

        CHILD_MUST(xa_lmdb_put(&txn, XA_LMDB_TOKENS, xa_slice_of_key(&key),
                               XA_SLICE("half", 4), &err) == XA_OK);
    }
    CHILD_MUST(write(to, "x", 1) == 1);
    CHILD_MUST(read(from, &byte, 1) == 1); /* never */
    return 0;
}

static void
test_kill__in_the_middle_of_a_write_leaves_nothing(void **state XA_UNUSED)
{
    struct xa_store *store = open_store();
    struct xa_key old = suite_create(store, "alice", NOW_US);
    struct child child;
    struct xa_key key;

    xa_store_close(&store);
    for (int with_us_open = 0; with_us_open < 2; with_us_open++) {
        child = run_child(die_while_writing);
        await_byte(child.from);
        if (with_us_open)
            store = open_store();
        assert_int_equal(end_child(&child, SIGKILL), -SIGKILL);
        if (!with_us_open)
            store = open_store();
        assert_true(suite_has(store, &old));
        key = suite_create(store, "alice", NOW_US);
        assert_true(suite_has(store, &key));
        assert_sound(store, 2 + (uint64_t)with_us_open);
        xa_store_close(&store);
    }
}

static int
create_for_ever(int from XA_UNUSED, int to)
{
    struct xa_store *store = child_open();

    CHILD_MUST(store);
    for (;;) {
        struct xa_key key = suite_create(store, "alice", NOW_US);

        CHILD_MUST(write(to, &key, sizeof key) == sizeof key);
    }
}

static void
test_kill__loses_nothing_that_was_answered(void **state XA_UNUSED)
{
    static struct xa_key keys[4096];
    struct xa_store *store;
    unsigned count = 0;

    for (unsigned round = 1; round <= 15; round++) {
        struct child child = run_child(create_for_ever);

        for (unsigned i = 0; i < round * 7; i++)
            assert_int_equal(read(child.from, &keys[count++], sizeof keys[0]),
                             sizeof keys[0]);
        kill(child.pid, SIGKILL);
        while (read(child.from, &keys[count], sizeof keys[0]) ==
               sizeof keys[0]) /* said before it died */
            count++;
        assert_int_equal(end_child(&child, 0), -SIGKILL);
    }
    store = open_store();
    for (unsigned i = 0; i < count; i++)
        assert_true(suite_has(store, &keys[i]));
    /* One a round may have been written and not told. */
    assert_in_range(audit(store, false).tokens, count, count + 15);
    assert_sound(store, suite_count(store, &(struct xa_query){0}));
    xa_store_close(&store);
}

static int
die_while_reading(int from, int to)
{
    struct xa_lmdb *lmdb = open_inside();
    struct xa_lmdb_txn txn;
    struct xa_err err;
    char byte;

    CHILD_MUST(xa_lmdb_begin_read(lmdb, &txn, &err) == XA_OK);
    CHILD_MUST(write(to, "x", 1) == 1);
    CHILD_MUST(read(from, &byte, 1) == 1); /* never */
    return 0;
}

/* A view that nobody gives back pins every page that it could see. */
static void
test_expire__gives_back_what_dead_readers_held(void **state XA_UNUSED)
{
    struct xa_store *store;
    struct child child;

    config.store.lmdb.max_size = MIB;
    store = open_store();
    xa_store_close(&store);
    child = run_child(die_while_reading);
    await_byte(child.from);
    store = open_store(); /* clears those that are dead already */
    assert_int_equal(end_child(&child, SIGKILL), -SIGKILL);
    for (unsigned i = 0; i < 2000; i++) {
        suite_create(store, "alice", NOW_US);
        assert_int_equal(suite_expire(store, NOW_US, 10).removed, 1);
    }
    xa_store_close(&store);
}

static int
grow_beyond(int from XA_UNUSED, int to)
{
    struct xa_store *store;
    struct xa_key key;

    config.store.lmdb.max_size = 4 * MIB;
    store = child_open();
    CHILD_MUST(store);
    for (unsigned i = 0; i < 3000; i++)
        key = suite_create(store, "alice", NOW_US);
    CHILD_MUST(write(to, &key, sizeof key) == sizeof key);
    xa_store_close(&store);
    return 0;
}

static void
test_map__follows_a_process_with_a_larger_one(void **state XA_UNUSED)
{
    struct xa_store *store;
    struct xa_key own;
    struct xa_key key;
    struct xa_err err = XA_ERR_NONE;
    struct child child;

    config.store.lmdb.max_size = MIB;
    child = run_child(grow_beyond);
    store = open_store();
    own = suite_create(store, "bob", NOW_US);
    assert_int_equal(read(child.from, &key, sizeof key), sizeof key);
    assert_true(suite_has(store, &key));
    assert_true(suite_has(store, &own));
    assert_int_equal(try_create(store, "bob", &err), XA_E_STORE);
    suite_must(xa_store_remove(store, &own, NULL, &err), &err);
    while (suite_expire(store, NOW_US, 1000).more)
        ;
    assert_int_equal(try_create(store, "bob", &err), XA_OK);
    assert_sound(store, 1);
    assert_int_equal(end_child(&child, 0), 0);
    xa_store_close(&store);
}

/* --- room --- */

/* Create until it is refused; returns how many went in. */
static unsigned
fill(struct xa_store *store, struct xa_key *keys, unsigned max)
{
    struct xa_err err = XA_ERR_NONE;

    for (unsigned i = 0; i < max; i++) {
        XA_AUTO(xa_token_free)
        struct xa_token *token = suite_token("alice", NOW_US + i % 5);
        enum xa_rc rc;

        keys[i] = suite_key(token);
        rc = xa_store_create(store, &keys[i], token, &err);
        if (rc == XA_OK)
            continue;
        assert_int_equal(rc, XA_E_STORE);
        assert_non_null(strstr(err.text, "store is full"));
        assert_false(suite_has(store, &keys[i]));
        return i;
    }
    fail_msg("%u tokens and still not full", max);
    return 0;
}

static struct xa_key filled[8192];

/* A small store that takes no more, and how many of filled[] are in it. */
static struct xa_store *
open_full(unsigned *out_count)
{
    struct xa_store *store;

    config.store.lmdb.max_size = MIB;
    store = open_store();
    *out_count = fill(store, filled, XA_COUNT(filled));
    return store;
}

static void
test_room__is_always_there_for_revoking(void **state XA_UNUSED)
{
    struct xa_err err = XA_ERR_NONE;
    struct xa_store *store;
    unsigned count[2];
    bool removed;

    config.store.lmdb.max_size = MIB;
    store = open_store();
    for (int round = 0; round < 2; round++) {
        count[round] = fill(store, filled, XA_COUNT(filled));
        assert_true(count[round] > 200);
        assert_sound(store, count[round]);
        for (unsigned i = 0; i < count[round]; i++) {
            suite_must(xa_store_remove(store, &filled[i], &removed, &err),
                       &err);
            assert_true(removed);
        }
        assert_sound(store, 0);
    }
    assert_true(count[1] * 10 > count[0] * 8); /* the room came back */
    xa_store_close(&store);
}

static void
test_room__is_always_there_for_expiring(void **state XA_UNUSED)
{
    static const uint32_t batches[] = {1, 256, 100000};
    struct xa_store *store;

    config.store.lmdb.max_size = MIB;
    store = open_store();
    for (size_t i = 0; i < XA_COUNT(batches); i++) {
        unsigned count = fill(store, filled, XA_COUNT(filled));
        unsigned removed = 0;
        struct xa_expired done;

        do {
            done = suite_expire(store, NOW_US + 10, batches[i]);
            assert_true(done.removed > 0);
            removed += done.removed;
        } while (done.more);
        assert_int_equal(removed, count);
        assert_sound(store, 0);
    }
    xa_store_close(&store);
}

/* LMDB's commit, which finds no page so many times. */
int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);

static unsigned full_commits;

int
__wrap_mdb_txn_commit(MDB_txn *txn)
{
    if (full_commits == 0)
        return __real_mdb_txn_commit(txn);
    full_commits--;
    mdb_txn_abort(txn);
    return MDB_MAP_FULL;
}

/* The map, which cannot be made so large. */
int __real_mdb_env_set_mapsize(MDB_env *env, size_t size);
int __wrap_mdb_env_set_mapsize(MDB_env *env, size_t size);

static unsigned vast_maps;

int
__wrap_mdb_env_set_mapsize(MDB_env *env, size_t size)
{
    if (vast_maps == 0)
        return __real_mdb_env_set_mapsize(env, size);
    vast_maps--;
    return __real_mdb_env_set_mapsize(env, (size_t)1 << 62);
}

static void
test_room__that_cannot_be_made_ends_nothing(void **state XA_UNUSED)
{
    struct xa_err err = XA_ERR_NONE;
    struct xa_store *store;
    unsigned count;

    store = open_full(&count);
    full_commits = 1;
    vast_maps = 1;
    assert_int_equal(xa_store_remove(store, &filled[0], NULL, &err),
                     XA_E_STORE);
    assert_int_equal(vast_maps, 0);
    assert_true(suite_has(store, &filled[0]));
    suite_must(xa_store_remove(store, &filled[0], NULL, &err), &err);
    assert_sound(store, count - 1);
    xa_store_close(&store);
}

/* What a view pins is no room, and yet is counted as such. */
static void
test_room__has_an_end_while_somebody_reads(void **state XA_UNUSED)
{
    struct xa_err err = XA_ERR_NONE;
    struct xa_expired done;
    struct xa_store *store;
    struct child child;
    unsigned count;
    struct stat st;

    store = open_full(&count);
    child = run_child(die_while_reading);
    await_byte(child.from);
    for (unsigned i = 0; i < 200; i++) {
        (void)try_create(store, "bob", &err);
        (void)!xa_store_expire(store, NOW_US, 1, &done, &err);
    }
    assert_int_equal(stat(in_folder("data.mdb"), &st), 0);
    assert_in_range(st.st_size, MIB / 2, MIB + 2 * 64 * 4096);
    assert_int_equal(end_child(&child, SIGKILL), -SIGKILL);
    do
        done = suite_expire(store, NOW_US + 10, 100000);
    while (done.more);
    assert_sound(store, 0);
    xa_store_close(&store);
}

/* Whatever the last change left of the free pages. */
static void
test_room__is_made_for_removing(void **state XA_UNUSED)
{
    struct xa_err err = XA_ERR_NONE;
    struct xa_expired done;
    struct xa_store *store;
    uint64_t removed;
    unsigned count;
    unsigned more;

    store = open_full(&count);

    fake_alloc_fail(1); /* not for every failure */
    assert_int_equal(xa_store_remove(store, &filled[0], NULL, &err),
                     XA_E_NOMEM);
    full_commits = 1;
    suite_must(xa_store_remove(store, &filled[0], NULL, &err), &err);
    full_commits = 9; /* there is room now, so it is something else */
    assert_int_equal(xa_store_remove(store, &filled[1], NULL, &err),
                     XA_E_STORE);
    assert_in_range(full_commits, 7, 8);
    full_commits = 0;
    more = fill(store, filled + count, XA_COUNT(filled) - count);
    assert_in_range(more, 0, count / 10); /* the room is not for issuing */

    full_commits = 2; /* 10, 5, 2, and the rest at once */
    suite_must(xa_store_remove_many(store, filled + 1, 10, &removed, &err),
               &err);
    assert_int_equal(removed, 10);

    full_commits = 2; /* 4, 2, and one */
    done = suite_expire(store, NOW_US + 10, 4);
    assert_int_equal(done.removed, 1);
    assert_true(done.more);
    assert_sound(store, count + more - 12);
    xa_store_close(&store);
}

static void
test_room__is_refused_again_and_again_until_it_is_there(void **state XA_UNUSED)
{
    struct xa_err err = XA_ERR_NONE;
    struct xa_store *store;
    unsigned removed = 0;
    unsigned count;

    store = open_full(&count);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(try_create(store, "bob", &err), XA_E_STORE);
    while (removed < count && try_create(store, "bob", &err) != XA_OK)
        suite_must(xa_store_remove(store, &filled[removed++], NULL, &err),
                   &err);
    assert_in_range(removed, 1, count * 9 / 10); /* pages get empty late */
    xa_store_close(&store);
}

static void
test_room__of_a_map_made_smaller_or_larger(void **state XA_UNUSED)
{
    struct xa_err err = XA_ERR_NONE;
    struct xa_store *store;
    unsigned count;

    config.store.lmdb.max_size = 2 * MIB;
    store = open_store();
    count = fill(store, filled, XA_COUNT(filled));
    xa_store_close(&store);

    config.store.lmdb.max_size = MIB; /* less than there is */
    store = open_store();
    assert_sound(store, count);
    assert_int_equal(try_create(store, "bob", &err), XA_E_STORE);
    for (unsigned i = 0; i < 100; i++)
        suite_must(xa_store_remove(store, &filled[i], NULL, &err), &err);
    assert_true(suite_expire(store, NOW_US, 1000).removed > 0);
    xa_store_close(&store);

    config.store.lmdb.max_size = 4 * MIB;
    store = open_store();
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(try_create(store, "bob", &err), XA_OK);
    assert_sound(store, suite_count(store, &(struct xa_query){0}));
    xa_store_close(&store);
}

/* --- when the disk fails --- */

static void
test_create__reports_a_failed_write_and_goes_on(void **state XA_UNUSED)
{
    struct xa_err err = XA_ERR_NONE;
    struct xa_store *store;
    struct xa_key old;
    struct xa_key key;

    config.store.lmdb.sync = true;
    store = open_store();
    old = suite_create(store, "alice", NOW_US);
    for (int meta = 0; meta < 2; meta++) {
        faults.meta = meta;
        faults.sync = !meta;
        assert_int_equal(try_create(store, "bob", &err), XA_E_STORE);
        assert_true(faults.refused > 0);
        assert_non_null(strstr(err.text, "Input/output error"));
        memset(&faults, 0, sizeof faults);
        assert_true(suite_has(store, &old));
        key = suite_create(store, "alice", NOW_US);
        assert_true(suite_has(store, &key));
        assert_sound(store, 2 + (uint64_t)meta);
    }
    xa_store_close(&store);
}

/* A file system of so many bytes over the folder, for this process alone. */
static bool
mount_small(const char *size)
{
    char options[64];

    snprintf(options, sizeof options, "size=%s,mode=0700", size);
    return unshare(CLONE_NEWNS) == 0 &&
           mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", folder, "tmpfs", 0, options) == 0;
}

#define CANNOT_MOUNT 250

static int
open_on_a_tiny_disk(int from XA_UNUSED, int to XA_UNUSED)
{
    static const char *const sizes[] = {"4k", "16k", "64k", "96k"};
    struct xa_store *store = NULL;

    for (size_t i = 0; i < XA_COUNT(sizes); i++) {
        struct xa_err err = XA_ERR_NONE;
        char options[64];

        if (i == 0 && !mount_small(sizes[0]))
            return CANNOT_MOUNT;
        snprintf(options, sizeof options, "size=%s", sizes[i]);
        CHILD_MUST(mount("none", folder, "none", MS_REMOUNT, options) == 0);
        CHILD_MUST(xa_store_open(&config, XA_STORE_PROBE, &store, &err) ==
                   XA_E_STORE);
        CHILD_MUST(xa_store_open(&config, XA_STORE_USE, &store, &err) ==
                   XA_E_STORE);
        CHILD_MUST(strstr(err.text, "No space left on device"));
    }
    CHILD_MUST(mount("none", folder, "none", MS_REMOUNT, "size=1m") == 0);
    store = child_open();
    CHILD_MUST(store);
    xa_store_close(&store);
    return 0;
}

static int
fill_a_small_disk(int from XA_UNUSED, int to XA_UNUSED)
{
    struct xa_err err = XA_ERR_NONE;
    struct xa_store *store;
    struct xa_audit found;
    unsigned count = 0;

    if (!mount_small("1m"))
        return CANNOT_MOUNT;
    store = child_open();
    CHILD_MUST(store);
    while (try_create(store, "alice", &err) == XA_OK)
        count++;
    CHILD_MUST(strstr(err.text, "No space left on device"));
    CHILD_MUST(count > 100);
    for (int reopened = 0; reopened < 2; reopened++) {
        for (unsigned i = 0; i < 20; i++) /* a few may still fit */
            count += try_create(store, "alice", &err) == XA_OK;
        CHILD_MUST(xa_store_check(store, &err) == XA_OK);
        CHILD_MUST(xa_store_audit(store, XA_AUDIT_LOOK, 0, NULL, NULL, &found,
                                  &err) == XA_OK);
        CHILD_MUST(found.tokens == count && found.unscheduled == 0 &&
                   found.unlisted == 0 && found.stray_schedules == 0);
        xa_store_close(&store);
        store = child_open();
        CHILD_MUST(store);
    }
    CHILD_MUST(mount("none", folder, "none", MS_REMOUNT, "size=2m") == 0);
    CHILD_MUST(try_create(store, "alice", &err) == XA_OK);
    xa_store_close(&store);
    return 0;
}

static void
test_disk_full__is_an_error_and_no_more(void **state XA_UNUSED)
{
    static int (*const bodies[])(int, int) = {open_on_a_tiny_disk,
                                              fill_a_small_disk};

    if (geteuid() != 0)
        skip(); /* nobody else may mount */
    for (size_t i = 0; i < XA_COUNT(bodies); i++) {
        struct child child = run_child(bodies[i]);
        int code = end_child(&child, 0);

        if (code == CANNOT_MOUNT)
            skip();
        assert_int_equal(code, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LMDB_TEST(test_processes__see_each_other_at_once),
        LMDB_TEST(test_kill__in_the_middle_of_a_write_leaves_nothing),
        LMDB_TEST(test_kill__loses_nothing_that_was_answered),
        LMDB_TEST(test_expire__gives_back_what_dead_readers_held),
        LMDB_TEST(test_map__follows_a_process_with_a_larger_one),
        LMDB_TEST(test_room__is_always_there_for_revoking),
        LMDB_TEST(test_room__is_always_there_for_expiring),
        LMDB_TEST(test_room__is_made_for_removing),
        LMDB_TEST(test_room__that_cannot_be_made_ends_nothing),
        LMDB_TEST(test_room__has_an_end_while_somebody_reads),
        LMDB_TEST(test_room__is_refused_again_and_again_until_it_is_there),
        LMDB_TEST(test_room__of_a_map_made_smaller_or_larger),
        LMDB_TEST(test_create__reports_a_failed_write_and_goes_on),
        LMDB_TEST(test_disk_full__is_an_error_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
