/* test_textfile.c - change a file so that it is never seen half written. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/support/textfile.h"
#include "tests/unit/unit.h"

#define ROUNDS 50

static char folder[64];

static int
make_folder(void **state XA_UNUSED)
{
    strcpy(folder, "/tmp/xa-textfile.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int
drop_folder(void **state XA_UNUSED)
{
    char path[400];
    struct dirent *entry;
    DIR *dir = opendir(folder);

    while (dir && (entry = readdir(dir))) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (dir)
        closedir(dir);
    return rmdir(folder);
}

static const char *
in_folder(const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", folder, name);
    return out;
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void
assert_file(const char *path, const char *text, mode_t mode)
{
    char found[64] = "";
    struct stat st;
    int fd = open(path, O_RDONLY);

    assert_true(fd >= 0);
    assert_true(read(fd, found, sizeof found - 1) >= 0);
    assert_string_equal(found, text);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, mode);
    close(fd);
}

static size_t
files_in_folder(void)
{
    DIR *dir = opendir(folder);
    size_t count = 0;

    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2; /* . and .. */
}

/* Append a line, as one step. */
static enum xa_rc
append(const char *path, const char *line, struct xa_err *err)
{
    XA_AUTO(xa_textfile_done) struct xa_textfile file = XA_TEXTFILE_NONE;
    XA_AUTO(xa_buf_free) struct xa_buf text = XA_BUF(65536);
    enum xa_rc rc;

    rc = xa_textfile_open(path, &file, &text, err);
    if (rc != XA_OK)
        return rc;
    xa_buf_puts(&text, line);
    return xa_textfile_replace(&file, xa_buf_text(&text), text.len, err);
}

static void
test_replace__keeps_the_mode(void **state XA_UNUSED)
{
    char path[128];

    write_file(in_folder("users", path), "one\n", 0604);
    assert_int_equal(append(path, "two\n", NULL), XA_OK);
    assert_file(path, "one\ntwo\n", 0604);
    assert_int_equal(files_in_folder(), 1);
}

static void
test_replace__makes_a_file_that_only_its_group_reads(void **state XA_UNUSED)
{
    char path[128];
    mode_t old = umask(0);

    assert_int_equal(append(in_folder("users", path), "one\n", NULL), XA_OK);
    umask(old);
    assert_file(path, "one\n", 0640);
}

static void
test_replace__changes_the_file_behind_a_link(void **state XA_UNUSED)
{
    char path[128];
    char link[128];
    struct stat st;

    write_file(in_folder("real", path), "one\n", 0600);
    assert_int_equal(symlink("real", in_folder("link", link)), 0);
    assert_int_equal(append(link, "two\n", NULL), XA_OK);
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_file(path, "one\ntwo\n", 0600);
}

static void
test_open__refuses_what_is_no_file(void **state XA_UNUSED)
{
    struct xa_err err = XA_ERR_NONE;
    char path[128];

    assert_int_equal(append(folder, "x", &err), XA_E_CONFIG);
    assert_int_equal(mkfifo(in_folder("pipe", path), 0600), 0);
    assert_int_equal(append(path, "x", &err), XA_E_CONFIG);
    assert_int_equal(append(in_folder("no/users", path), "x", &err),
                     XA_E_CONFIG);
    assert_non_null(strstr(err.text, "No such file"));
}

static void
test_open__refuses_what_is_too_large(void **state XA_UNUSED)
{
    XA_AUTO(xa_textfile_done) struct xa_textfile file = XA_TEXTFILE_NONE;
    XA_AUTO(xa_buf_free) struct xa_buf text = XA_BUF(3);
    char path[128];

    write_file(in_folder("users", path), "1234", 0600);
    assert_int_equal(xa_textfile_open(path, &file, &text, NULL), XA_E_INVALID);
}

static void
test_open__keeps_others_out_until_done(void **state XA_UNUSED)
{
    struct xa_textfile file = XA_TEXTFILE_NONE;
    XA_AUTO(xa_buf_free) struct xa_buf text = XA_BUF(64);
    char path[128];
    int fd = open(folder, O_RDONLY | O_DIRECTORY);

    assert_int_equal(
        xa_textfile_open(in_folder("users", path), &file, &text, NULL), XA_OK);
    assert_false(file.exists);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
    xa_textfile_done(&file);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    close(fd);
}

static void
test_replace__loses_no_change_of_two_writers(void **state XA_UNUSED)
{
    XA_AUTO(xa_textfile_done) struct xa_textfile file = XA_TEXTFILE_NONE;
    XA_AUTO(xa_buf_free) struct xa_buf text = XA_BUF(65536);
    char path[128];
    int status;
    pid_t pid;

    in_folder("users", path);
    pid = fork();
    assert_true(pid >= 0);
    for (int i = 0; i < ROUNDS; i++)
        if (append(path, "x\n", NULL) != XA_OK)
            _exit(1);
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(xa_textfile_open(path, &file, &text, NULL), XA_OK);
    assert_int_equal(text.len, 2 * ROUNDS * 2);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, make_folder, drop_folder)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_replace__keeps_the_mode),
        TEST(test_replace__makes_a_file_that_only_its_group_reads),
        TEST(test_replace__changes_the_file_behind_a_link),
        TEST(test_open__refuses_what_is_no_file),
        TEST(test_open__refuses_what_is_too_large),
        TEST(test_open__keeps_others_out_until_done),
        TEST(test_replace__loses_no_change_of_two_writers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
