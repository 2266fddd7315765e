/* test_lmdb_files.c - the folder and the files of the embedded store. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lmdb.h>

#include "tests/unit/lmdb_fixture.h"

/* --- the files --- */

static void
test_open__makes_files_for_owner_and_group(void **state XA_UNUSED)
{
    mode_t old = umask(077);
    struct xa_store *store = open_store();
    struct stat st;

    umask(old);
    assert_int_equal(stat(in_folder("data.mdb"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    assert_int_equal(stat(in_folder("lock.mdb"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    assert_true(st.st_blocks * 512 >= st.st_size); /* no hole to fall into */
    xa_store_close(&store);
}

static void
test_open__as_root_gives_files_to_the_owner_of_the_folder(
    void **state XA_UNUSED)
{
    struct xa_store *store;
    struct stat st;

    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(folder, NOBODY, NOBODY), 0);
    store = open_store();
    assert_int_equal(stat(in_folder("data.mdb"), &st), 0);
    assert_int_equal(st.st_uid, NOBODY);
    assert_int_equal(st.st_gid, NOBODY);
    assert_int_equal(stat(in_folder("lock.mdb"), &st), 0);
    assert_int_equal(st.st_uid, NOBODY);
    xa_store_close(&store);
}

static void
test_open__says_what_is_wrong_with_the_folder(void **state XA_UNUSED)
{
    char path[128];

    snprintf(path, sizeof path, "%s/nowhere", folder);
    config.store.lmdb.path = path;
    assert_refused(XA_STORE_USE, XA_E_STORE, "No such file or directory");
    assert_refused(XA_STORE_PROBE, XA_E_STORE, "No such file or directory");
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_refused(XA_STORE_USE, XA_E_CONFIG, "is not a folder");
    assert_refused(XA_STORE_PROBE, XA_E_CONFIG, "is not a folder");
    unlink(path);
}

static int
open_as_nobody(int from XA_UNUSED, int to XA_UNUSED)
{
    struct xa_store *store = NULL;
    struct xa_err err = XA_ERR_NONE;

    CHILD_MUST(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
    CHILD_MUST(xa_store_open(&config, XA_STORE_USE, &store, &err) ==
               XA_E_STORE);
    CHILD_MUST(strstr(err.text, "Permission denied"));
    CHILD_MUST(xa_store_open(&config, XA_STORE_PROBE, &store, &err) ==
               XA_E_STORE);
    CHILD_MUST(strstr(err.text, "Permission denied"));
    CHILD_MUST(!store);
    return 0;
}

static void
test_open__says_when_it_is_not_allowed(void **state XA_UNUSED)
{
    static const mode_t modes[] = {0700, 0755};
    struct child child;
    struct xa_store *store;

    if (geteuid() != 0)
        skip();
    for (size_t i = 0; i < XA_COUNT(modes); i++) {
        assert_int_equal(chmod(folder, modes[i]), 0);
        child = run_child(open_as_nobody);
        assert_int_equal(end_child(&child, 0), 0);
        assert_int_equal(access(in_folder("data.mdb"), F_OK), -1);
    }
    store = open_store(); /* now the files are there, and root's */
    xa_store_close(&store);
    child = run_child(open_as_nobody);
    assert_int_equal(end_child(&child, 0), 0);
}

static void
test_open__refuses_network_file_systems(void **state XA_UNUSED)
{
    static const unsigned long types[] = {0x6969, 0xff534d42, 0xfe534d42,
                                          0x01021997};

    for (size_t i = 0; i < XA_COUNT(types); i++) {
        faults.network = types[i];
        assert_refused(XA_STORE_USE, XA_E_CONFIG, "network file system");
        assert_refused(XA_STORE_PROBE, XA_E_CONFIG, "network file system");
    }
}

static void
test_open__refuses_a_folder_where_others_can_write(void **state XA_UNUSED)
{
    static const mode_t modes[] = {0777, 0702, 01777};

    for (size_t i = 0; i < XA_COUNT(modes); i++) {
        assert_int_equal(chmod(folder, modes[i]), 0);
        assert_refused(XA_STORE_USE, XA_E_CONFIG, "others can write");
        assert_refused(XA_STORE_PROBE, XA_E_CONFIG, "others can write");
    }
}

static void
test_open__follows_no_links(void **state XA_UNUSED)
{
    char victim[64] = "/tmp/xivo-auth-victim-XXXXXX";
    struct stat st;
    int fd = mkstemp(victim);

    assert_int_equal(write(fd, "precious", 8), 8);
    assert_int_equal(symlink(victim, in_folder("lock.mdb")), 0);
    assert_refused(XA_STORE_USE, XA_E_STORE, "symbolic link");
    unlink(in_folder("lock.mdb"));
    unlink(in_folder("data.mdb"));
    assert_int_equal(symlink(victim, in_folder("data.mdb")), 0);
    assert_refused(XA_STORE_USE, XA_E_STORE, "symbolic link");
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, 8);
    close(fd);
    unlink(victim);
}

/* --- what stands in the files --- */

static void
write_file(const char *name, const void *bytes, size_t len)
{
    int fd =
        open(in_folder(name), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0660);

    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

static char *
read_file(const char *name, size_t *out_len)
{
    FILE *file = fopen(in_folder(name), "re");
    struct stat st;
    char *bytes;

    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &st), 0);
    *out_len = (size_t)st.st_size;
    bytes = malloc(*out_len);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *out_len, file), *out_len);
    fclose(file);
    return bytes;
}

static void
test_create__keeps_the_token_itself_out_of_the_file(void **state XA_UNUSED)
{
    XA_AUTO(xa_token_free) struct xa_token *token = suite_token("al", NOW_US);
    struct xa_key key = suite_key(token);
    struct xa_store *store = open_store();
    struct xa_err err = XA_ERR_NONE;
    size_t len;
    char *file;

    suite_must(xa_store_create(store, &key, token, &err), &err);
    file = read_file("data.mdb", &len);
    assert_non_null(memmem(file, len, key.text, 64));
    assert_null(memmem(file, len, xa_token_id(token), XA_UUID_LEN));
    free(file);
    key = suite_plain_key(1);
    xa_token_set_id(token, key.text);
    suite_must(xa_store_create(store, &key, token, &err), &err);
    file = read_file("data.mdb", &len);
    assert_non_null(memmem(file, len, xa_token_id(token), XA_UUID_LEN));
    free(file);
    xa_store_close(&store);
}

static void
test_open__leaves_a_newer_format_alone(void **state XA_UNUSED)
{
    struct xa_store *store = open_store();
    char *before;
    char *after;
    size_t before_len;
    size_t after_len;

    suite_create(store, "alice", NOW_US);
    xa_store_close(&store);
    put_raw(XA_LMDB_META, "format", 6, "\0\0\0\2", 4);
    before = read_file("data.mdb", &before_len);
    assert_refused(XA_STORE_USE, XA_E_CONFIG, "newer xivo-auth");
    assert_refused(XA_STORE_PROBE, XA_E_CONFIG, "newer xivo-auth");
    after = read_file("data.mdb", &after_len);
    assert_int_equal(before_len, after_len);
    assert_memory_equal(before, after, before_len);
    free(before);
    free(after);
}

static void
test_check__sees_a_newer_format_come(void **state XA_UNUSED)
{
    XA_AUTO(xa_lmdb_close) struct xa_lmdb *lmdb = open_inside();
    XA_AUTO(xa_lmdb_end) struct xa_lmdb_txn txn = XA_LMDB_NO_TXN;
    struct xa_err err = XA_ERR_NONE;

    suite_must(xa_lmdb_check(lmdb, &err), &err);
    suite_must(xa_lmdb_begin_write(lmdb, &txn, &err), &err);
    suite_must(xa_lmdb_put(&txn, XA_LMDB_META, XA_SLICE("format", 6),
                           XA_SLICE("\0\0\0\2", 4), &err),
               &err);
    suite_must(xa_lmdb_commit(&txn, &err), &err);
    assert_int_equal(xa_lmdb_check(lmdb, &err), XA_E_CONFIG);
}

static volatile sig_atomic_t stops;

static void
count_stop(int sig XA_UNUSED)
{
    stops++;
}

/* A writer that sleeps is one for whom all others wait. */
static void
test_begin_write__is_stopped_by_no_terminal(void **state XA_UNUSED)
{
    XA_AUTO(xa_lmdb_close) struct xa_lmdb *lmdb = open_inside();
    XA_AUTO(xa_lmdb_end) struct xa_lmdb_txn txn = XA_LMDB_NO_TXN;
    struct xa_err err = XA_ERR_NONE;

    stops = 0;
    signal(SIGTSTP, count_stop);
    suite_must(xa_lmdb_begin_write(lmdb, &txn, &err), &err);
    raise(SIGTSTP);
    assert_int_equal(stops, 0);
    suite_must(xa_lmdb_commit(&txn, &err), &err);
    assert_int_equal(stops, 1);
    suite_must(xa_lmdb_begin_write(lmdb, &txn, &err), &err);
    raise(SIGTSTP);
    assert_int_equal(stops, 1);
    xa_lmdb_end(&txn);
    assert_int_equal(stops, 2);
    suite_must(xa_lmdb_begin_read(lmdb, &txn, &err), &err);
    raise(SIGTSTP);
    assert_int_equal(stops, 3);
    signal(SIGTSTP, SIG_DFL);
}

/* Somebody else's environment, with one entry in it. */
static void
make_foreign(void)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val val = {.mv_size = 3, .mv_data = (char[]){"abc"}};

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_open(env, folder, 0, 0660), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &val, &val, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void
test_open__refuses_what_is_no_store_of_ours(void **state XA_UNUSED)
{
    char garbage[16384];

    make_foreign();
    assert_refused(XA_STORE_USE, XA_E_CONFIG, "not a store of xivo-auth");
    assert_refused(XA_STORE_PROBE, XA_E_CONFIG, "not a store of xivo-auth");
    memset(garbage, 'g', sizeof garbage);
    write_file("data.mdb", garbage, sizeof garbage);
    assert_refused(XA_STORE_USE, XA_E_CONFIG, "no file of LMDB");
    assert_refused(XA_STORE_PROBE, XA_E_CONFIG, "no file of LMDB");
}

static void
test_open__begins_anew_where_a_first_start_was_cut_off(void **state XA_UNUSED)
{
    static const size_t lengths[] = {0, 1, 4096, 8191};
    char bytes[8192] = "";

    for (size_t i = 0; i < XA_COUNT(lengths); i++) {
        struct xa_store *store;
        struct xa_key key;

        write_file("data.mdb", bytes, lengths[i]);
        unlink(in_folder("lock.mdb"));
        store = open_store();
        key = suite_create(store, "alice", NOW_US);
        assert_true(suite_has(store, &key));
        xa_store_close(&store);
    }
}

/* By the open, or by the first who needs what is missing. */
static void
assert_damage_is_told(enum xa_store_mode mode)
{
    struct xa_store *store = NULL;
    struct xa_audit found;
    struct xa_err err = XA_ERR_NONE;
    enum xa_rc rc = xa_store_open(&config, mode, &store, &err);

    if (rc == XA_OK)
        rc = xa_store_audit(store, XA_AUDIT_LOOK, 0, NULL, NULL, &found, &err);
    assert_int_equal(rc, XA_E_STORE);
    assert_non_null(strstr(err.text, "damaged"));
    xa_store_close(&store);
}

/* A store whose file lost its end is refused in words, and left as it is. */
static void
test_open__refuses_a_file_that_was_cut_short(void **state XA_UNUSED)
{
    static const off_t lengths[] = {100, 4096, 6000, 8192, 12000, 16384};
    struct xa_store *store = open_store();
    size_t whole_len;
    char *whole;

    for (int i = 0; i < 50; i++)
        suite_create(store, "alice", NOW_US);
    xa_store_close(&store);
    whole = read_file("data.mdb", &whole_len);
    for (size_t i = 0; i < XA_COUNT(lengths); i++) {
        size_t len;
        char *after;

        write_file("data.mdb", whole, (size_t)lengths[i]);
        if (lengths[i] < 8192) {
            assert_refused(XA_STORE_PROBE, XA_E_CONFIG, "is damaged");
            assert_refused(XA_STORE_USE, XA_E_CONFIG, "is damaged");
        } else {
            assert_damage_is_told(XA_STORE_PROBE);
            assert_damage_is_told(XA_STORE_USE);
        }
        after = read_file("data.mdb", &len);
        assert_true(len >= (size_t)lengths[i]);
        assert_memory_equal(after, whole, (size_t)lengths[i]);
        free(after);
    }
    free(whole);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LMDB_TEST(test_open__makes_files_for_owner_and_group),
        LMDB_TEST(test_open__as_root_gives_files_to_the_owner_of_the_folder),
        LMDB_TEST(test_open__says_what_is_wrong_with_the_folder),
        LMDB_TEST(test_open__says_when_it_is_not_allowed),
        LMDB_TEST(test_open__refuses_network_file_systems),
        LMDB_TEST(test_open__refuses_a_folder_where_others_can_write),
        LMDB_TEST(test_open__follows_no_links),
        LMDB_TEST(test_create__keeps_the_token_itself_out_of_the_file),
        LMDB_TEST(test_open__leaves_a_newer_format_alone),
        LMDB_TEST(test_check__sees_a_newer_format_come),
        LMDB_TEST(test_begin_write__is_stopped_by_no_terminal),
        LMDB_TEST(test_open__refuses_what_is_no_store_of_ours),
        LMDB_TEST(test_open__begins_anew_where_a_first_start_was_cut_off),
        LMDB_TEST(test_open__refuses_a_file_that_was_cut_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
