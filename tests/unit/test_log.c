/* test_log.c - events, one line each. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/str.h"
#include "tests/unit/unit.h"

static char last[XA_LOG_LINE_MAX + 256];
static unsigned lines;

static void
keep(void *ctx XA_UNUSED, enum xa_level level XA_UNUSED, const char *line)
{
    snprintf(last, sizeof last, "%s", line);
    lines++;
}

static int
capture(void **state XA_UNUSED)
{
    lines = 0;
    last[0] = '\0';
    xa_log_capture(keep, NULL, XA_INFO);
    return 0;
}

static int
release(void **state XA_UNUSED)
{
    xa_log_capture(NULL, NULL, XA_INFO);
    return 0;
}

static void
test_log__is_level_event_and_pairs(void **state XA_UNUSED)
{
    xa_log(XA_WARNING, "store.full", "free_pages=%d", 3);
    assert_string_equal(last, "WARNING store.full free_pages=3");
    xa_log(XA_INFO, "daemon.started", "%s", "");
    assert_string_equal(last, "INFO daemon.started");
}

static void
test_log__leaves_out_what_is_below_the_level(void **state XA_UNUSED)
{
    xa_log(XA_DEBUG, "a.b", "x=1");
    assert_int_equal(lines, 0);
    assert_false(xa_log_enabled(XA_DEBUG));
    assert_true(xa_log_enabled(XA_INFO));
}

static void
test_log__escapes_what_could_forge_a_line(void **state XA_UNUSED)
{
    static const struct {
        const char *value;
        const char *line;
    } cases[] = {
        {"a\nb", "INFO t.e v=a\\x0ab"},
        {"a\r\x1b[31m", "INFO t.e v=a\\x0d\\x1b[31m"},
        {"\x7f", "INFO t.e v=\\x7f"},
        {"caf\xc3\xa9", "INFO t.e v=caf\xc3\xa9"},
        {"\xc3", "INFO t.e v=\\xc3"},
        {"\xc2\x9b"
         "1m",
         "INFO t.e v=\\xc2\\x9b1m"},
        {"\xc2\x80\xc2\x9f\xc2\xa0\xe0\xa0\x80",
         "INFO t.e v=\\xc2\\x80\\xc2\\x9f\xc2\xa0\xe0\xa0\x80"},
        {"\xff\xc3\xa9", "INFO t.e v=\\xff\\xc3\\xa9"},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        xa_log(XA_INFO, "t.e", "v=%s", cases[i].value);
        assert_string_equal(last, cases[i].line);
    }
}

static void
test_log__cuts_a_long_line_at_a_whole_character(void **state XA_UNUSED)
{
    static char value[3 * XA_LOG_LINE_MAX];

    for (size_t i = 0; i + 2 < sizeof value; i += 2)
        memcpy(value + i, "\xc3\xa9", 2);
    xa_log(XA_INFO, "t.e", "v=%.*s", 4001, value);
    assert_true(strlen(last) <= XA_LOG_LINE_MAX + 128);
    memset(value, '\n', sizeof value - 1);
    xa_log(XA_INFO, "t.e", "v=%s", value);
    assert_true(strlen(last) <= XA_LOG_LINE_MAX + 128);
    assert_string_equal(last + strlen(last) - 3, "...");
}

static void
test_quote__keeps_a_value_in_one_piece(void **state XA_UNUSED)
{
    char out[XA_LOG_VALUE_MAX];
    char longer[2 * XA_LOG_VALUE_MAX];

    assert_string_equal(xa_log_quote("a b", out), "\"a b\"");
    assert_string_equal(xa_log_quote("a\" key=\"x", out),
                        "\"a\\\" key=\\\"x\"");
    assert_string_equal(xa_log_quote("\\", out), "\"\\\\\"");
    assert_string_equal(xa_log_quote(NULL, out), "-");
    memset(longer, '"', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    xa_log_quote(longer, out);
    assert_true(strlen(out) < XA_LOG_VALUE_MAX);
    assert_string_equal(out + strlen(out) - 4, "...\"");
}

static void
test_complain__lets_no_control_reach_a_terminal(void **state XA_UNUSED)
{
    char path[] = "/tmp/xa-said-XXXXXX";
    char said[256] = "";
    int own = dup(STDERR_FILENO);
    int fd = mkstemp(path);

    assert_true(own >= 0 && fd >= 0);
    assert_int_equal(unlink(path), 0);
    assert_true(dup2(fd, STDERR_FILENO) >= 0);
    xa_log_complain("t", "it answers: \x1b[2J\nt: \xc2\x9b"
                         "1m caf\xc3\xa9");
    assert_true(dup2(own, STDERR_FILENO) >= 0);
    assert_true(pread(fd, said, sizeof said - 1, 0) > 0);
    close(own);
    close(fd);
    assert_string_equal(said, "t: it answers: \\x1b[2J\\x0at: \\xc2\\x9b"
                              "1m caf\xc3\xa9\n");
}

static long
size_of(const char *path)
{
    FILE *file = fopen(path, "r");
    long size;

    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size = ftell(file);
    fclose(file);
    return size;
}

static void
test_file__is_appended_held_back_and_reopened(void **state XA_UNUSED)
{
    char dir[] = "/tmp/xa-log-XXXXXX";
    char path[64];
    char moved[64];
    struct xa_err err = XA_ERR_NONE;
    long size;

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/log", dir);
    snprintf(moved, sizeof moved, "%s/log.1", dir);
    assert_int_equal(xa_log_open("t", path, XA_INFO, &err), XA_OK);
    xa_log(XA_INFO, "one.line", "n=%d", 1);
    size = size_of(path);
    assert_true(size > 0);

    xa_log_hold(true);
    xa_log_text(XA_INFO, "two.lines", "n=2");
    assert_true(xa_log_is_holding());
    assert_int_equal(size_of(path), size);
    xa_log(XA_INFO, "three.lines", "n=%d", 3);
    assert_int_equal(size_of(path), size);
    xa_log_text(XA_WARNING, "four.lines", "n=4"); /* waits for nobody */
    assert_false(xa_log_is_holding());
    assert_true(size_of(path) > size);

    size = size_of(path);
    xa_log_text(XA_INFO, "two.lines", "n=2");
    xa_log(XA_WARNING, "three.lines", "n=%d", 3);
    assert_false(xa_log_is_holding());
    assert_true(size_of(path) > size);

    xa_log_text(XA_INFO, "four.lines", "n=4");
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(xa_log_reopen(&err), XA_OK);
    assert_int_equal(size_of(path), 0); /* what was held went to the old one */
    xa_log_hold(false);
    xa_log(XA_INFO, "five.lines", "n=%d", 5);
    assert_true(size_of(path) > 0);

    xa_log_close();
    assert_int_equal(unlink(path) + unlink(moved) + rmdir(dir), 0);
}

static void
test_open__names_a_file_that_cannot_be_opened(void **state XA_UNUSED)
{
    struct xa_err err = XA_ERR_NONE;

    assert_int_equal(xa_log_open("t", "/nonexistent/log", XA_INFO, &err),
                     XA_E_CONFIG);
    assert_string_equal(err.text, "cannot open log file /nonexistent/log: "
                                  "No such file or directory");
}

static void
test_level__by_name_in_any_case(void **state XA_UNUSED)
{
    enum xa_level level = XA_DEBUG;

    assert_true(xa_log_level_from_name("WARNING", &level));
    assert_int_equal(level, XA_WARNING);
    assert_string_equal(xa_log_level_name(level), "warning");
    assert_false(xa_log_level_from_name("loud", &level));
    assert_false(xa_log_level_from_name("", &level));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_log__is_level_event_and_pairs,
                                        capture, release),
        cmocka_unit_test_setup_teardown(
            test_log__leaves_out_what_is_below_the_level, capture, release),
        cmocka_unit_test_setup_teardown(
            test_log__escapes_what_could_forge_a_line, capture, release),
        cmocka_unit_test_setup_teardown(
            test_log__cuts_a_long_line_at_a_whole_character, capture, release),
        cmocka_unit_test(test_quote__keeps_a_value_in_one_piece),
        cmocka_unit_test(test_complain__lets_no_control_reach_a_terminal),
        cmocka_unit_test(test_file__is_appended_held_back_and_reopened),
        cmocka_unit_test(test_open__names_a_file_that_cannot_be_opened),
        cmocka_unit_test(test_level__by_name_in_any_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
