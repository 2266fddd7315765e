/* test_store_lmdb.c - the embedded store. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lmdb.h>

#include "core/base/clock.h"
#include "core/token/store_lmdb.h"
#include "tests/unit/store_suite.h"
#include "tests/unit/unit.h"

#define NOW_US (1700000000 * XA_US_PER_S)
#define MIB (UINT64_C(1) << 20)
#define NOBODY 65534

static char folder[64];
static char type[] = "lmdb";
static struct xa_config config;

/* --- what the system says when it is told to fail --- */

static struct {
    unsigned long network; /* type of the file system; 0: the real one */
    bool meta;  /* writes of LMDB's first two pages fail */
    bool sync;  /* fdatasync fails */
    unsigned refused;
} faults;

int __real_fstatfs(int fd, struct statfs *out);
int __wrap_fstatfs(int fd, struct statfs *out);

int
__wrap_fstatfs(int fd, struct statfs *out)
{
    int rc = __real_fstatfs(fd, out);

    if (rc == 0 && faults.network)
        out->f_type = (__typeof__(out->f_type))faults.network;
    return rc;
}

/* These two stand before the C library's for LMDB too. */
__attribute__((visibility("default"))) ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    if (faults.meta && at < 8192) {
        faults.refused++;
        errno = EIO;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, bytes, len, at);
}

__attribute__((visibility("default"))) int
fdatasync(int fd)
{
    if (faults.sync) {
        faults.refused++;
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

/* --- a folder for each test --- */

static const char *
in_folder(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void
make_folder(void)
{
    strcpy(folder, "/tmp/xivo-auth-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    config.store.type = type;
    config.store.lmdb.path = folder;
    config.store.lmdb.max_size = 1024 * MIB;
    config.store.lmdb.sync = false;
}

static void
wipe_folder(void)
{
    unlink(in_folder("data.mdb"));
    unlink(in_folder("lock.mdb"));
    assert_int_equal(rmdir(folder), 0);
}

static int
set_up(void **state XA_UNUSED)
{
    memset(&faults, 0, sizeof faults);
    make_folder();
    return 0;
}

static int
tear_down(void **state XA_UNUSED)
{
    wipe_folder();
    return 0;
}

static void
must(enum xa_rc rc, const struct xa_err *err)
{
    if (rc != XA_OK)
        fail_msg("%s: %s", xa_rc_name(rc), err->text);
}

static struct xa_store *
open_as(enum xa_store_mode mode)
{
    struct xa_err err = XA_ERR_NONE;
    struct xa_store *store = NULL;

    must(xa_store_open(&config, mode, &store, &err), &err);
    return store;
}

static struct xa_store *
open_store(void)
{
    return open_as(XA_STORE_USE);
}

/* Opening fails with this code and a sentence that has these words. */
static void
assert_refused(enum xa_store_mode mode, enum xa_rc code, const char *words)
{
    struct xa_err err = XA_ERR_NONE;
    struct xa_store *store = NULL;
    enum xa_rc rc = xa_store_open(&config, mode, &store, &err);

    if (rc != code || !strstr(err.text, words))
        fail_msg("%s, not %s with \"%s\": %s", xa_rc_name(rc),
                 xa_rc_name(code), words, err.text);
    assert_null(store);
}

/* The inside of the store, for entries that no call of it would write. */
static struct xa_lmdb *
open_inside(void)
{
    const struct xa_lmdb_setup setup = {
        .folder = folder, .max_size = 1024 * MIB, .create = true};
    struct xa_err err = XA_ERR_NONE;
    struct xa_lmdb *lmdb = NULL;

    must(xa_lmdb_open(&setup, &lmdb, &err), &err);
    return lmdb;
}

static void
put_raw(enum xa_lmdb_db db, const void *name, size_t name_len,
        const void *value, size_t value_len)
{
    XA_AUTO(xa_lmdb_close) struct xa_lmdb *lmdb = open_inside();
    XA_AUTO(xa_lmdb_end) struct xa_lmdb_txn txn = XA_LMDB_NO_TXN;
    struct xa_err err = XA_ERR_NONE;

    must(xa_lmdb_begin_write(lmdb, &txn, &err), &err);
    must(xa_lmdb_put(&txn, db, XA_SLICE(name, name_len),
                     XA_SLICE(value, value_len), &err),
         &err);
    must(xa_lmdb_commit(&txn, &err), &err);
}

static void
delete_raw(enum xa_lmdb_db db, const struct xa_entry_name *name)
{
    XA_AUTO(xa_lmdb_close) struct xa_lmdb *lmdb = open_inside();
    XA_AUTO(xa_lmdb_end) struct xa_lmdb_txn txn = XA_LMDB_NO_TXN;
    struct xa_err err = XA_ERR_NONE;

    must(xa_lmdb_begin_write(lmdb, &txn, &err), &err);
    must(xa_lmdb_delete(&txn, db, xa_slice_of_name(name), &err), &err);
    must(xa_lmdb_commit(&txn, &err), &err);
}

static struct xa_expired
expire(struct xa_store *store, int64_t now_us, uint32_t max)
{
    struct xa_expired done;
    struct xa_err err = XA_ERR_NONE;

    must(xa_store_expire(store, now_us, max, &done, &err), &err);
    return done;
}

static struct xa_audit
audit(struct xa_store *store, bool repair)
{
    struct xa_audit found;
    struct xa_err err = XA_ERR_NONE;

    must(xa_store_audit(store, repair, NULL, NULL, &found, &err), &err);
    return found;
}

static void
assert_sound(struct xa_store *store, uint64_t tokens)
{
    struct xa_audit found = audit(store, false);

    assert_int_equal(found.tokens, tokens);
    found.tokens = 0;
    assert_memory_equal(&found, &(struct xa_audit){0}, sizeof found);
}

static enum xa_rc
try_create(struct xa_store *store, const char *auth_id, struct xa_err *err)
{
    XA_AUTO(xa_token_free) struct xa_token *token = suite_token(auth_id, NOW_US);
    struct xa_key key = suite_key(token);

    return xa_store_create(store, &key, token, err);
}

/* --- other processes --- */

struct child {
    pid_t pid;
    int from; /* what it says */
    int to;   /* what it waits for */
};

/* Run body in a process of its own; it ends with what body returns. */
static struct child
run_child(int (*body)(int from, int to))
{
    struct child child;
    int up[2];
    int down[2];

    assert_int_equal(pipe2(up, O_CLOEXEC), 0);
    assert_int_equal(pipe2(down, O_CLOEXEC), 0);
    fflush(NULL);
    child.pid = fork();
    assert_true(child.pid >= 0);
    if (child.pid == 0) {
        close(up[0]);
        close(down[1]);
        _exit(body(down[0], up[1]));
    }
    close(up[1]);
    close(down[0]);
    child.from = up[0];
    child.to = down[1];
    return child;
}

/* Its exit code, or minus the signal that ended it. */
static int
end_child(struct child *child, int signal_number)
{
    int status;

    if (signal_number)
        kill(child->pid, signal_number);
    close(child->to);
    close(child->from);
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void
await_byte(int fd)
{
    char byte;

    assert_int_equal(read(fd, &byte, 1), 1);
}

/* A child has no test to fail: it ends, and its line tells where. */
#define CHILD_MUST(condition) \
    do {                      \
        if (!(condition))     \
            return __LINE__ % 255 + 1; \
    } while (0)

static struct xa_store *
child_open(void)
{
    struct xa_store *store = NULL;
    struct xa_err err = XA_ERR_NONE;

    if (xa_store_open(&config, XA_STORE_USE, &store, &err) != XA_OK)
        fprintf(stderr, "# child: %s\n", err.text);
    return store;
}

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
    int fd = open(in_folder(name), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC,
                  0660);

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

    must(xa_store_create(store, &key, token, &err), &err);
    file = read_file("data.mdb", &len);
    assert_non_null(memmem(file, len, key.text, 64));
    assert_null(memmem(file, len, xa_token_id(token), XA_UUID_LEN));
    free(file);
    key = suite_plain_key(1);
    xa_token_set_id(token, key.text);
    must(xa_store_create(store, &key, token, &err), &err);
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

    must(xa_lmdb_check(lmdb, &err), &err);
    must(xa_lmdb_begin_write(lmdb, &txn, &err), &err);
    must(xa_lmdb_put(&txn, XA_LMDB_META, XA_SLICE("format", 6),
                     XA_SLICE("\0\0\0\2", 4), &err),
         &err);
    must(xa_lmdb_commit(&txn, &err), &err);
    assert_int_equal(xa_lmdb_check(lmdb, &err), XA_E_CONFIG);
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

/* --- probe --- */

static void
test_probe__makes_nothing(void **state XA_UNUSED)
{
    struct xa_store *store = open_as(XA_STORE_PROBE);
    struct xa_key key = suite_plain_key(1);
    struct xa_err err = XA_ERR_NONE;
    struct xa_token *token = NULL;
    struct xa_expired done;

    must(xa_store_check(store, &err), &err);
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
    must(xa_store_remove(store, &key, NULL, &err), &err);
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
        assert_int_equal(expire(store, NOW_US, 10).removed, 1);
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
    must(xa_store_remove(store, &own, NULL, &err), &err);
    while (expire(store, NOW_US, 1000).more)
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
            must(xa_store_remove(store, &filled[i], &removed, &err), &err);
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
            done = expire(store, NOW_US + 10, batches[i]);
            assert_true(done.removed > 0);
            removed += done.removed;
        } while (done.more);
        assert_int_equal(removed, count);
        assert_sound(store, 0);
    }
    xa_store_close(&store);
}

static void
test_room__is_refused_again_and_again_until_it_is_there(void **state XA_UNUSED)
{
    struct xa_err err = XA_ERR_NONE;
    struct xa_store *store;
    unsigned count;

    config.store.lmdb.max_size = MIB;
    store = open_store();
    count = fill(store, filled, XA_COUNT(filled));
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(try_create(store, "bob", &err), XA_E_STORE);
    for (unsigned i = 0; i < count / 2; i++)
        must(xa_store_remove(store, &filled[i], NULL, &err), &err);
    assert_int_equal(try_create(store, "bob", &err), XA_OK);
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
        must(xa_store_remove(store, &filled[i], NULL, &err), &err);
    assert_true(expire(store, NOW_US, 1000).removed > 0);
    xa_store_close(&store);

    config.store.lmdb.max_size = 4 * MIB;
    store = open_store();
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(try_create(store, "bob", &err), XA_OK);
    assert_sound(store, suite_count(store, &(struct xa_query){0}));
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
    struct xa_key bad;

    xa_store_close(&store);
    put_raw(XA_LMDB_SCHEDULE, zeros, 1, "", 0);   /* no time */
    put_raw(XA_LMDB_SCHEDULE, zeros, 8, "", 0);   /* no key */
    put_raw(XA_LMDB_SCHEDULE, zeros, 20, "", 0);  /* nonsense for one */
    for (unsigned i = 0; i < 5; i++) { /* of a token nobody can read */
        bad = suite_plain_key(i);
        xa_schedule_name(i, &bad, &name);
        put_raw(XA_LMDB_SCHEDULE, name.bytes, name.len, "", 0);
        put_raw(XA_LMDB_TOKENS, bad.text, strlen(bad.text), "junk", 4);
    }
    store = open_store();
    for (int round = 0; round < 2; round++) {
        done = expire(store, NOW_US, 2); /* fewer than the bad ones */
        assert_int_equal(done.removed, round == 0);
        assert_int_equal(done.skipped, 8);
        assert_false(done.more);
        assert_int_equal(strlen(done.example), 64); /* no plain key here */
    }
    assert_false(suite_has(store, &good));
    assert_int_equal(suite_count(store, &(struct xa_query){0}), 0);
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
    done = expire(store, NOW_US, 10);
    assert_int_equal(done.removed, 0);
    assert_int_equal(done.skipped, 0);
    assert_int_equal(done.oldest_us, 0);
    assert_sound(store, 1); /* moved, and the other one is gone */
    assert_int_equal(expire(store, NOW_US + 999, 10).removed, 0);
    done = expire(store, NOW_US + 1000, 10);
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
    must(xa_store_remove(store, &key, &removed, &err), &err);
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
    must(xa_store_audit(store, false, stop_after_a_page, &done, &found, &err),
         &err);
    assert_in_range(done, 1, 299);
    assert_int_equal(found.tokens, done);
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

static void
test_store__follows_when_its_files_are_replaced(void **state XA_UNUSED)
{
    struct xa_store *store = open_store();
    struct xa_key key = suite_create(store, "alice", NOW_US);
    struct xa_err err = XA_ERR_NONE;

    unlink(in_folder("data.mdb"));
    unlink(in_folder("lock.mdb"));
    must(xa_store_check(store, &err), &err);
    assert_false(suite_has(store, &key)); /* not in what stands there now */
    key = suite_create(store, "alice", NOW_US);
    xa_store_close(&store);
    store = open_store();
    assert_true(suite_has(store, &key));
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
    must(xa_store_check(store, &err), &err);
    assert_sound(store, 1);
    xa_store_close(&store);
}

/* A file system of so many bytes over the folder, for this process alone. */
static bool
mount_small(const char *size)
{
    char options[64];

    snprintf(options, sizeof options, "size=%s,mode=0700", size);
    return unshare(CLONE_NEWNS) == 0 &&
           mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", folder, "tmpfs", 0, options) == 0;
}

#define CANNOT_MOUNT 250

static int
open_on_a_tiny_disk(int from XA_UNUSED, int to XA_UNUSED)
{
    static const char *const sizes[] = {"4k", "16k", "64k", "96k"};

    for (size_t i = 0; i < XA_COUNT(sizes); i++) {
        struct xa_store *store = NULL;
        struct xa_err err = XA_ERR_NONE;
        char options[64];

        if (i == 0 && !mount_small(sizes[0]))
            return CANNOT_MOUNT;
        snprintf(options, sizeof options, "size=%s", sizes[i]);
        CHILD_MUST(mount("none", folder, NULL, MS_REMOUNT, options) == 0);
        CHILD_MUST(xa_store_open(&config, XA_STORE_PROBE, &store, &err) ==
                   XA_E_STORE);
        CHILD_MUST(xa_store_open(&config, XA_STORE_USE, &store, &err) ==
                   XA_E_STORE);
        CHILD_MUST(strstr(err.text, "No space left on device"));
    }
    CHILD_MUST(mount("none", folder, NULL, MS_REMOUNT, "size=1m") == 0);
    CHILD_MUST(child_open());
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
        CHILD_MUST(xa_store_audit(store, false, NULL, NULL, &found, &err) ==
                   XA_OK);
        CHILD_MUST(found.tokens == count && found.unscheduled == 0 &&
                   found.unlisted == 0 && found.stray_schedules == 0);
        xa_store_close(&store);
        store = child_open();
        CHILD_MUST(store);
    }
    CHILD_MUST(mount("none", folder, NULL, MS_REMOUNT, "size=2m") == 0);
    CHILD_MUST(try_create(store, "alice", &err) == XA_OK);
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

#define LMDB_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    static const struct store_kind kind = {
        .name = "lmdb",
        .make = make_folder,
        .wipe = wipe_folder,
        .open = open_store,
    };
    const struct CMUnitTest tests[] = {
        LMDB_TEST(test_open__makes_files_for_owner_and_group),
        LMDB_TEST(test_open__as_root_gives_files_to_the_owner_of_the_folder),
        LMDB_TEST(test_open__says_what_is_wrong_with_the_folder),
        LMDB_TEST(test_open__says_when_it_is_not_allowed),
        LMDB_TEST(test_open__refuses_network_file_systems),
        LMDB_TEST(test_open__follows_no_links),
        LMDB_TEST(test_create__keeps_the_token_itself_out_of_the_file),
        LMDB_TEST(test_open__leaves_a_newer_format_alone),
        LMDB_TEST(test_check__sees_a_newer_format_come),
        LMDB_TEST(test_open__refuses_what_is_no_store_of_ours),
        LMDB_TEST(test_open__begins_anew_where_a_first_start_was_cut_off),
        LMDB_TEST(test_probe__makes_nothing),
        LMDB_TEST(test_probe__opens_what_is_there),
        LMDB_TEST(test_processes__see_each_other_at_once),
        LMDB_TEST(test_kill__in_the_middle_of_a_write_leaves_nothing),
        LMDB_TEST(test_kill__loses_nothing_that_was_answered),
        LMDB_TEST(test_expire__gives_back_what_dead_readers_held),
        LMDB_TEST(test_map__follows_a_process_with_a_larger_one),
        LMDB_TEST(test_room__is_always_there_for_revoking),
        LMDB_TEST(test_room__is_always_there_for_expiring),
        LMDB_TEST(test_room__is_refused_again_and_again_until_it_is_there),
        LMDB_TEST(test_room__of_a_map_made_smaller_or_larger),
        LMDB_TEST(test_expire__goes_past_what_makes_no_sense),
        LMDB_TEST(test_expire__takes_the_record_for_the_truth),
        LMDB_TEST(test_remove__takes_a_record_that_cannot_be_read),
        LMDB_TEST(test_audit__finds_and_mends),
        LMDB_TEST(test_audit__ends_when_told),
        LMDB_TEST(test_create__reports_a_failed_write_and_goes_on),
        LMDB_TEST(test_store__follows_when_its_files_are_replaced),
        LMDB_TEST(test_store__comes_back_with_its_folder),
        LMDB_TEST(test_disk_full__is_an_error_and_no_more),
    };

    return store_suite_run(&kind, tests, XA_COUNT(tests));
}
