/* lmdb_fixture.h - a folder with an embedded store, and faults. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TESTS_LMDB_FIXTURE_H
#define XA_TESTS_LMDB_FIXTURE_H

#include <sys/types.h>

#include "core/base/clock.h"
#include "core/token/store_lmdb.h"
#include "tests/unit/store_suite.h"
#include "tests/unit/unit.h"

#define NOW_US (1700000000 * XA_US_PER_S)
#define MIB (UINT64_C(1) << 20)
#define NOBODY 65534

/* What the system calls of LMDB say when they are told to fail. */
extern struct lmdb_faults {
    unsigned long network; /* type of the file system; 0: the real one */
    bool meta;             /* writes of the first two pages fail */
    bool sync;             /* fdatasync fails */
    unsigned refused;      /* how often they did */
} faults;

/* --- a folder for each test --- */

extern char folder[64];
extern struct xa_config config; /* names the folder; tests change the rest */

/* The path of a file in it; overwritten by the next call. */
const char *in_folder(const char *name);
void make_folder(void);
void wipe_folder(void);

#define LMDB_TEST(test)                                                        \
    cmocka_unit_test_setup_teardown(test, lmdb_set_up, lmdb_tear_down)
int lmdb_set_up(void **state);
int lmdb_tear_down(void **state);

/* Open the store, as it must be possible. */
struct xa_store *open_as(enum xa_store_mode mode);
struct xa_store *open_store(void);

/* Opening fails with this code and a sentence that has these words. */
void assert_refused(enum xa_store_mode mode, enum xa_rc code,
                    const char *words);

/* The inside of the store, for entries that no call of it would write. */
struct xa_lmdb *open_inside(void);
void put_raw(enum xa_lmdb_db db, const void *name, size_t name_len,
             const void *value, size_t value_len);
void delete_raw(enum xa_lmdb_db db, const struct xa_entry_name *name);

/* Create a token that ends at NOW_US; what came of it. */
enum xa_rc try_create(struct xa_store *store, const char *auth_id,
                      struct xa_err *err);

struct xa_audit audit(struct xa_store *store, bool repair);

/* So many tokens, and nothing that does not fit. */
void assert_sound(struct xa_store *store, uint64_t tokens);

/* --- other processes --- */

struct child {
    pid_t pid;
    int from; /* what it says */
    int to;   /* what it waits for */
};

/* Run body in a process of its own; it ends with what body returns. */
struct child run_child(int (*body)(int from, int to));

/* End it by a signal, or 0: wait.  Its exit code, or minus the signal. */
int end_child(struct child *child, int signal_number);
void await_byte(int fd);

/* A child has no test to fail: it ends, and its line tells where. */
#define CHILD_MUST(condition)                                                  \
    do {                                                                       \
        if (!(condition))                                                      \
            return __LINE__ % 249 + 1;                                         \
    } while (0)

/* The store, or NULL and a line on stderr. */
struct xa_store *child_open(void);

#endif
