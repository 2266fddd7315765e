/* test_store_lmdb.c - the embedded store. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/token/store_lmdb.h"
#include "tests/unit/store_suite.h"
#include "tests/unit/unit.h"

static char folder[64];
static char type[] = "lmdb";
static struct xa_config config;

static void
make_folder(void)
{
    strcpy(folder, "/tmp/xivo-auth-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    config.store.type = type;
    config.store.lmdb.path = folder;
    config.store.lmdb.max_size = UINT64_C(1) << 30;
    config.store.lmdb.sync = false;
}

static void
wipe_folder(void)
{
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    char path[128];

    for (size_t i = 0; i < XA_COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
}

static struct xa_store *
open_store(void)
{
    struct xa_err err = XA_ERR_NONE;
    struct xa_store *store = NULL;

    if (xa_store_open(&config, XA_STORE_USE, &store, &err) != XA_OK)
        fail_msg("%s", err.text);
    return store;
}

int
main(void)
{
    static const struct store_kind kind = {
        .name = "lmdb",
        .make = make_folder,
        .wipe = wipe_folder,
        .open = open_store,
    };

    return store_suite_run(&kind);
}
