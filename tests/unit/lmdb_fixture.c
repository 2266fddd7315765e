/* lmdb_fixture.c - a folder with an embedded store, and faults. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tests/unit/lmdb_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

char folder[64];
struct xa_config config;

static char type[] = "lmdb";

/* --- what the system says when it is told to fail --- */

struct lmdb_faults faults;

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

const char *
in_folder(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

void
make_folder(void)
{
    strcpy(folder, "/tmp/xivo-auth-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    config.store.type = type;
    config.store.lmdb.path = folder;
    config.store.lmdb.max_size = 1024 * MIB;
    config.store.lmdb.sync = false;
}

void
wipe_folder(void)
{
    unlink(in_folder("data.mdb"));
    unlink(in_folder("lock.mdb"));
    assert_int_equal(rmdir(folder), 0);
}

int
lmdb_set_up(void **state XA_UNUSED)
{
    memset(&faults, 0, sizeof faults);
    make_folder();
    return 0;
}

int
lmdb_tear_down(void **state XA_UNUSED)
{
    wipe_folder();
    return 0;
}

struct xa_store *
open_as(enum xa_store_mode mode)
{
    struct xa_err err = XA_ERR_NONE;
    struct xa_store *store = NULL;

    suite_must(xa_store_open(&config, mode, &store, &err), &err);
    return store;
}

struct xa_store *
open_store(void)
{
    return open_as(XA_STORE_USE);
}

/* Opening fails with this code and a sentence that has these words. */
void
assert_refused(enum xa_store_mode mode, enum xa_rc code, const char *words)
{
    struct xa_err err = XA_ERR_NONE;
    struct xa_store *store = NULL;
    enum xa_rc rc = xa_store_open(&config, mode, &store, &err);

    if (rc != code || !strstr(err.text, words))
        fail_msg("%s, not %s with \"%s\": %s", xa_rc_name(rc), xa_rc_name(code),
                 words, err.text);
    assert_null(store);
}

/* The inside of the store, for entries that no call of it would write. */
struct xa_lmdb *
open_inside(void)
{
    const struct xa_lmdb_setup setup = {
        .folder = folder, .max_size = 1024 * MIB, .create = true};
    struct xa_err err = XA_ERR_NONE;
    struct xa_lmdb *lmdb = NULL;

    suite_must(xa_lmdb_open(&setup, &lmdb, &err), &err);
    return lmdb;
}

void
put_raw(enum xa_lmdb_db db, const void *name, size_t name_len,
        const void *value, size_t value_len)
{
    XA_AUTO(xa_lmdb_close) struct xa_lmdb *lmdb = open_inside();
    XA_AUTO(xa_lmdb_end) struct xa_lmdb_txn txn = XA_LMDB_NO_TXN;
    struct xa_err err = XA_ERR_NONE;

    suite_must(xa_lmdb_begin_write(lmdb, &txn, &err), &err);
    suite_must(xa_lmdb_put(&txn, db, XA_SLICE(name, name_len),
                           XA_SLICE(value, value_len), &err),
               &err);
    suite_must(xa_lmdb_commit(&txn, &err), &err);
}

void
delete_raw(enum xa_lmdb_db db, const struct xa_entry_name *name)
{
    XA_AUTO(xa_lmdb_close) struct xa_lmdb *lmdb = open_inside();
    XA_AUTO(xa_lmdb_end) struct xa_lmdb_txn txn = XA_LMDB_NO_TXN;
    struct xa_err err = XA_ERR_NONE;

    suite_must(xa_lmdb_begin_write(lmdb, &txn, &err), &err);
    suite_must(xa_lmdb_delete(&txn, db, xa_slice_of_name(name), &err), &err);
    suite_must(xa_lmdb_commit(&txn, &err), &err);
}

struct xa_audit
audit(struct xa_store *store, bool repair)
{
    struct xa_audit found;
    struct xa_err err = XA_ERR_NONE;

    suite_must(xa_store_audit(store, repair ? XA_AUDIT_REPAIR : XA_AUDIT_LOOK,
                              0, NULL, NULL, &found, &err),
               &err);
    return found;
}

void
assert_sound(struct xa_store *store, uint64_t tokens)
{
    struct xa_audit found = audit(store, false);

    assert_int_equal(found.tokens, tokens);
    found.tokens = 0;
    assert_memory_equal(&found, &(struct xa_audit){0}, sizeof found);
}

enum xa_rc
try_create(struct xa_store *store, const char *auth_id, struct xa_err *err)
{
    XA_AUTO(xa_token_free)
    struct xa_token *token = suite_token(auth_id, NOW_US);
    struct xa_key key = suite_key(token);

    return xa_store_create(store, &key, token, err);
}

/* --- other processes --- */

/* Run body in a process of its own; it ends with what body returns. */
struct child
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
int
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

void
await_byte(int fd)
{
    char byte;

    assert_int_equal(read(fd, &byte, 1), 1);
}

struct xa_store *
child_open(void)
{
    struct xa_store *store = NULL;
    struct xa_err err = XA_ERR_NONE;

    if (xa_store_open(&config, XA_STORE_USE, &store, &err) != XA_OK)
        fprintf(stderr, "# child: %s\n", err.text);
    return store;
}
