/* test_loader.c - a backend module, from its file to its table of calls. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/token/loader.h"
#include "tests/unit/modules.h"
#include "tests/unit/unit.h"

#define SOMEBODY 12345 /* a user who is neither root nor us */

static char dir[MODULES_DIR_MAX];

static int
make_dir(void **state XA_UNUSED)
{
    modules_make_dir(dir);
    unsetenv("XA_TEST_ANNOUNCED");
    return 0;
}

static int
remove_dir(void **state XA_UNUSED)
{
    modules_remove_dir(dir);
    return 0;
}

/* Load from a folder; check code and, if one is expected, a part of the
 * sentence.  "announced" must not have run a line of its own. */
static void
check_load(const char *from, const char *name, enum xa_rc rc, const char *part)
{
    XA_AUTO(xa_module_free) struct xa_module *module = NULL;
    struct xa_err err = XA_ERR_NONE;

    assert_int_equal(xa_module_load(from, name, &module, &err), rc);
    if (rc == XA_OK) {
        assert_non_null(module);
        return;
    }
    assert_null(module);
    if (!strstr(err.text, part))
        fail_msg("`%s` is not in: %s", part, err.text);
    assert_null(getenv("XA_TEST_ANNOUNCED"));
}

static void
test_load__gives_the_table_of_the_module(void **state XA_UNUSED)
{
    XA_AUTO(xa_module_free) struct xa_module *module = NULL;
    const struct xa_backend *backend;
    struct xa_err err = XA_ERR_NONE;

    modules_copy(dir, "announced");
    assert_int_equal(xa_module_load(dir, "announced", &module, &err), XA_OK);
    assert_string_equal(getenv("XA_TEST_ANNOUNCED"), "1");
    backend = xa_module_backend(module);
    assert_int_equal(backend->abi, XA_BACKEND_ABI);
    assert_int_equal(backend->authenticate(NULL, "a", "b", NULL), XA_DENIED);
}

static void
test_load__loads_two_modules_apart(void **state XA_UNUSED)
{
    XA_AUTO(xa_module_free) struct xa_module *one = NULL;
    XA_AUTO(xa_module_free) struct xa_module *other = NULL;

    modules_copy(dir, "mock");
    modules_copy(dir, "odd");
    assert_int_equal(xa_module_load(dir, "mock", &one, NULL), XA_OK);
    assert_int_equal(xa_module_load(dir, "odd", &other, NULL), XA_OK);
    assert_ptr_not_equal(xa_module_backend(one), xa_module_backend(other));
}

static void
test_load__refuses_a_name_that_could_be_a_path(void **state XA_UNUSED)
{
    static const char *const names[] = {
        "",        ".",     "..",     "../mock",   "/mock", "Mock",
        "mock.so", "mo-ck", "mock\n", "m\xc3\xb6", "mock ", "a/b",
    };
    char longer[66];

    modules_copy(dir, "mock");
    for (size_t i = 0; i < XA_COUNT(names); i++)
        check_load(dir, names[i], XA_E_CONFIG,
                   "a backend's name has only a-z, 0-9 and _");
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    check_load(dir, longer, XA_E_CONFIG, "at most 64 bytes");
}

static void
test_load__tells_a_missing_file_from_a_bad_one(void **state XA_UNUSED)
{
    char path[MODULES_PATH_MAX];

    check_load(dir, "mock", XA_E_NOTFOUND, "there is no file /tmp/xa-modules-");
    check_load("/nonexistent", "mock", XA_E_NOTFOUND,
               "there is no file /nonexistent/mock.so");
    assert_int_equal(symlink("nowhere", modules_path(dir, "mock.so", path)), 0);
    check_load(dir, "mock", XA_E_NOTFOUND, "there is no file");
    modules_write(modules_path(dir, "file", path), "");
    check_load(path, "mock", XA_E_CONFIG, "Not a directory");
}

static void
test_load__refuses_each_bad_module_with_its_own_sentence(void **state XA_UNUSED)
{
    static const struct {
        const char *name;
        const char *part;
    } cases[] = {
        {"bad_abi", "it was built for interface 2, this is 1"},
        {"bad_size", "its table has "},
        {"no_symbol", "has no symbol xa_backend"},
        {"no_table", "its xa_backend is no table"},
        {"no_table_function", "its xa_backend is no table"},
        {"cut_short", "its table is cut short"},
        {"no_configured", "its table has no configured()"},
        {"no_start", "its table has no start()"},
        {"no_authenticate", "its table has no authenticate()"},
        {"unresolved", "undefined symbol: nobody_has_this"},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        modules_copy(dir, cases[i].name);
        check_load(dir, cases[i].name, XA_E_CONFIG, cases[i].part);
    }
}

static void
test_load__refuses_what_is_no_shared_object(void **state XA_UNUSED)
{
    char path[MODULES_PATH_MAX];

    modules_write(modules_path(dir, "text.so", path), "#!/bin/sh\n");
    check_load(dir, "text", XA_E_CONFIG, "cannot load it: ");
    modules_write(modules_path(dir, "empty.so", path), "");
    check_load(dir, "empty", XA_E_CONFIG, "cannot load it: ");
    assert_int_equal(mkdir(modules_path(dir, "folder.so", path), 0755), 0);
    check_load(dir, "folder", XA_E_CONFIG, "is no regular file");
    assert_int_equal(mkfifo(modules_path(dir, "pipe.so", path), 0600), 0);
    check_load(dir, "pipe", XA_E_CONFIG, "is no regular file");
}

static void
test_load__refuses_what_others_can_write(void **state XA_UNUSED)
{
    static const struct {
        mode_t file;
        mode_t folder;
        const char *part; /* NULL: loads */
    } cases[] = {
        {0644, 0755, NULL},
        {0400, 0700, NULL},
        {0444, 0555, NULL},
        {0664, 0755, "announced.so can be written by its group (mode 0664)"},
        {0646, 0755, "announced.so can be written by everybody (mode 0646)"},
        {0644, 0775, " can be written by its group (mode 0775)"},
        {0644, 0757, " can be written by everybody (mode 0757)"},
        {0644, 01777, " can be written by everybody (mode 1777)"},
        {01646, 0755, "announced.so can be written by everybody (mode 1646)"},
    };
    char path[MODULES_PATH_MAX];

    modules_copy(dir, "announced");
    modules_path(dir, "announced.so", path);
    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        assert_int_equal(chmod(path, cases[i].file), 0);
        assert_int_equal(chmod(dir, cases[i].folder), 0);
        check_load(dir, "announced", cases[i].part ? XA_E_CONFIG : XA_OK,
                   cases[i].part);
        unsetenv("XA_TEST_ANNOUNCED");
    }
}

static void
test_load__checks_every_folder_above(void **state XA_UNUSED)
{
    char inner[MODULES_PATH_MAX];

    assert_int_equal(mkdir(modules_path(dir, "inner", inner), 0755), 0);
    modules_copy(inner, "announced");
    assert_int_equal(chmod(dir, 0777), 0);
    check_load(inner, "announced", XA_E_CONFIG,
               " can be written by everybody (mode 0777)");
    assert_int_equal(chmod(dir, 01777), 0); /* as /tmp itself is */
    check_load(inner, "announced", XA_OK, NULL);
}

static void
test_load__follows_links_and_checks_the_target(void **state XA_UNUSED)
{
    char inner[MODULES_PATH_MAX];
    char link[MODULES_PATH_MAX];

    assert_int_equal(mkdir(modules_path(dir, "inner", inner), 0755), 0);
    modules_copy(inner, "announced");
    modules_path(dir, "announced.so", link);
    assert_int_equal(symlink("inner/announced.so", link), 0);
    assert_int_equal(chmod(inner, 0777), 0);
    check_load(dir, "announced", XA_E_CONFIG, "/inner can be written");
    assert_int_equal(chmod(inner, 0755), 0);
    check_load(dir, "announced", XA_OK, NULL);
}

static void
test_load__refuses_another_owner(void **state XA_UNUSED)
{
    char path[MODULES_PATH_MAX];

    if (geteuid() != 0) {
        print_message("# not tried: only root can give a file away\n");
        return; /* cmocka's skip() counts as a failure in TAP */
    }
    modules_copy(dir, "announced");
    modules_path(dir, "announced.so", path);
    assert_int_equal(chown(path, SOMEBODY, 0), 0);
    check_load(dir, "announced", XA_E_CONFIG,
               "announced.so belongs to user 12345, not to root or user 0");
    assert_int_equal(chown(path, 0, 0), 0);
    assert_int_equal(chown(dir, SOMEBODY, 0), 0);
    check_load(dir, "announced", XA_E_CONFIG,
               " belongs to user 12345, not to root or user 0");
    assert_int_equal(chown(dir, 0, 0), 0);
    check_load(dir, "announced", XA_OK, NULL);
}

static void
test_load__takes_what_the_running_user_owns(void **state XA_UNUSED)
{
    char path[MODULES_PATH_MAX];

    if (geteuid() != 0) {
        print_message("# not tried: only root can become somebody else\n");
        return; /* cmocka's skip() counts as a failure in TAP */
    }
    modules_copy(dir, "announced");
    modules_path(dir, "announced.so", path);
    assert_int_equal(chown(path, SOMEBODY, 0), 0);
    assert_int_equal(chown(dir, SOMEBODY, 0), 0);
    assert_int_equal(seteuid(SOMEBODY), 0);
    check_load(dir, "announced", XA_OK, NULL);
    assert_int_equal(seteuid(0), 0);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(test_load__gives_the_table_of_the_module),
        IN_DIR(test_load__loads_two_modules_apart),
        IN_DIR(test_load__refuses_a_name_that_could_be_a_path),
        IN_DIR(test_load__tells_a_missing_file_from_a_bad_one),
        IN_DIR(test_load__refuses_each_bad_module_with_its_own_sentence),
        IN_DIR(test_load__refuses_what_is_no_shared_object),
        IN_DIR(test_load__refuses_what_others_can_write),
        IN_DIR(test_load__checks_every_folder_above),
        IN_DIR(test_load__follows_links_and_checks_the_target),
        IN_DIR(test_load__refuses_another_owner),
        IN_DIR(test_load__takes_what_the_running_user_owns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
