/* modules.c - a folder of backend modules for one test. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tests/unit/modules.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/auto.h"
#include "tests/unit/unit.h"

void
modules_make_dir(char dir[MODULES_DIR_MAX])
{
    strcpy(dir, "/tmp/xa-modules-XXXXXX");
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chmod(dir, 0755), 0);
}

const char *
modules_path(const char *dir, const char *file, char out[MODULES_PATH_MAX])
{
    int n = snprintf(out, MODULES_PATH_MAX, "%s/%s", dir, file);

    assert_in_range(n, 1, MODULES_PATH_MAX - 1);
    return out;
}

static FILE *
open_built(const char *name)
{
    static const char *const folders[] = {"backends", "tests/modules"};
    char path[4096];
    FILE *file = NULL;

    for (size_t i = 0; !file && i < XA_COUNT(folders); i++) {
        snprintf(path, sizeof path, TEST_BUILDDIR "/%s/.libs/%s.so", folders[i],
                 name);
        file = fopen(path, "rb");
    }
    return file;
}

void
modules_copy(const char *dir, const char *name)
{
    char file[MODULES_DIR_MAX];
    char path[MODULES_PATH_MAX];
    char block[4096];
    FILE *from = open_built(name);
    FILE *to;
    size_t n;

    if (!from)
        fail_msg("module %s was not built", name);
    snprintf(file, sizeof file, "%s.so", name);
    to = fopen(modules_path(dir, file, path), "wb");
    assert_non_null(to);
    while ((n = fread(block, 1, sizeof block, from)) > 0)
        assert_int_equal(fwrite(block, 1, n, to), n);
    fclose(from);
    assert_int_equal(fclose(to), 0);
    assert_int_equal(chmod(path, 0644), 0);
}

void
modules_write(const char *path, const char *text)
{
    char fresh[MODULES_PATH_MAX + 4];
    FILE *file;

    snprintf(fresh, sizeof fresh, "%s.new", path);
    file = fopen(fresh, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(fresh, 0640), 0);
    assert_int_equal(rename(fresh, path), 0);
}

static int
remove_one(const char *path, const struct stat *st XA_UNUSED,
           int type XA_UNUSED, struct FTW *where XA_UNUSED)
{
    return remove(path);
}

void
modules_remove_dir(const char *dir)
{
    assert_int_equal(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}
