/* config_files.h - configuration files in a folder of their own. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The folder has config.yml and conf.d/.  config.yml names conf.d in its last
 * line, so that no test reads what is installed on the machine.
 */
#ifndef XA_TESTS_CONFIG_FILES_H
#define XA_TESTS_CONFIG_FILES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/support/config.h"
#include "tests/unit/unit.h"

#define PATH_MAX_LEN 200

static char folder[] = "/tmp/test_config.XXXXXX";

static inline const char *
path_of(const char *name, char out[PATH_MAX_LEN])
{
    snprintf(out, PATH_MAX_LEN, "%s/%s", folder, name);
    return out;
}

static inline void
put_file(const char *name, const char *text)
{
    char path[PATH_MAX_LEN];
    FILE *to = fopen(path_of(name, path), "w");

    assert_non_null(to);
    assert_true(fputs(text, to) >= 0);
    assert_int_equal(fclose(to), 0);
    assert_int_equal(chmod(path, 0640), 0);
}

static inline void
drop_file(const char *name)
{
    char path[PATH_MAX_LEN];

    assert_int_equal(unlink(path_of(name, path)), 0);
}

static inline void
put_main(const char *text)
{
    char whole[16384];

    snprintf(whole, sizeof whole, "%sextra_config_files: %s/conf.d\n", text,
             folder);
    put_file("config.yml", whole);
}

static inline enum xa_rc
load_cli(struct xa_config_cli cli, struct xa_config **out, struct xa_err *err)
{
    char path[PATH_MAX_LEN];

    cli.path = path_of("config.yml", path);
    return xa_config_load(&cli, out, err);
}

/* Write config.yml and load it; what is wrong ends the test. */
static inline struct xa_config *
load(const char *text)
{
    struct xa_config_cli cli = {0};
    struct xa_config *config = NULL;
    struct xa_err err = XA_ERR_NONE;

    put_main(text);
    if (load_cli(cli, &config, &err) != XA_OK)
        fail_msg("%s", err.text);
    return config;
}

static inline int
make_folder(void **state XA_UNUSED)
{
    char path[PATH_MAX_LEN];

    unsetenv("XIVO_UUID");
    unsetenv("XIVO_AUTH_CONFIG");
    if (!mkdtemp(folder))
        return -1;
    return mkdir(path_of("conf.d", path), 0750);
}

static inline int
drop_folder(void **state XA_UNUSED)
{
    char path[PATH_MAX_LEN];

    unlink(path_of("config.yml", path));
    rmdir(path_of("conf.d", path));
    return rmdir(folder);
}

#endif
