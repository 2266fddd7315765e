/* test_log.c - events, one line each. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "core/base/buf.h"
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
    /* what is cut before, and what is cut after control characters grew */
    static const struct {
        const char *begin;
        unsigned controls;
        const char *character;
    } cases[] = {
        {"", 0, "x"},           {"", 0, "\xc3\xa9"},
        {"v", 0, "\xc3\xa9"},   {"", 400, "\xc3\xa9"},
        {"v", 400, "\xc3\xa9"}, {"v", 400, "\xe2\x82\xac"},
        {"", 5000, ""},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_buf_free) struct xa_buf value = XA_BUF(4 * XA_LOG_LINE_MAX);
        size_t len;

        xa_buf_puts(&value, cases[i].begin);
        for (unsigned k = 0; k < cases[i].controls; k++)
            xa_buf_putc(&value, '\n');
        while (value.len < 5000)
            xa_buf_puts(&value, cases[i].character);
        xa_log(XA_INFO, "t.e", "%s", xa_buf_text(&value));
        len = strlen(last);
        assert_in_range(len, XA_LOG_LINE_MAX - 16, XA_LOG_LINE_MAX + 128);
        assert_string_equal(last + len - 3, "...");
        assert_true(xa_str_is_utf8(last, len));
        if (cases[i].controls == 0)
            assert_null(strchr(last, '\\')); /* no half character is shown */
    }
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
    xa_log_later(XA_INFO, "two.lines", "n=2");
    assert_true(xa_log_is_holding());
    assert_int_equal(size_of(path), size);
    xa_log_later(XA_INFO, "three.lines", "n=3");
    assert_int_equal(size_of(path), size);
    xa_log_later(XA_WARNING, "four.lines", "n=4"); /* waits for nobody */
    assert_false(xa_log_is_holding());
    assert_true(size_of(path) > size);

    size = size_of(path);
    xa_log_later(XA_INFO, "two.lines", "n=2");
    xa_log(XA_INFO, "three.lines", "n=%d", 3); /* nor does any event */
    assert_false(xa_log_is_holding());
    assert_true(size_of(path) > size);

    xa_log_later(XA_INFO, "four.lines", "n=4");
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
test_file__holds_back_so_much_and_no_more(void **state XA_UNUSED)
{
    static char text[1000];
    char path[] = "/tmp/xa-log-XXXXXX";
    int fd = mkstemp(path);
    long before = 0;

    assert_true(fd >= 0);
    close(fd);
    memset(text, 'x', sizeof text - 1);
    assert_int_equal(xa_log_open("t", path, XA_INFO, NULL), XA_OK);
    xa_log_hold(true);
    for (unsigned i = 0; i < 100 && before == 0; i++) {
        xa_log_later(XA_INFO, "a.line", text);
        before = size_of(path);
        assert_true(before == 0 || i > 10);
    }
    assert_true(before > 10000); /* what was held went when it was too much */
    xa_log_hold(false);
    assert_true(size_of(path) > before); /* and the last line is there, too */

    xa_log_close();
    assert_int_equal(unlink(path), 0);
}

/* Nothing is lost when the folder of the log goes away. */
static void
test_reopen__keeps_the_old_file_when_there_is_no_new_one(void **state XA_UNUSED)
{
    char dir[] = "/tmp/xa-log-XXXXXX";
    char away[64];
    char path[64];
    struct xa_err err = XA_ERR_NONE;
    char expected[128];
    long size;

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/log", dir);
    snprintf(away, sizeof away, "%s.away", dir);
    assert_int_equal(xa_log_open("t", path, XA_INFO, &err), XA_OK);
    assert_int_equal(rename(dir, away), 0);
    assert_int_equal(xa_log_reopen(&err), XA_E_CONFIG);
    snprintf(expected, sizeof expected,
             "cannot reopen log file %s: No such file or directory", path);
    assert_string_equal(err.text, expected);
    xa_log(XA_INFO, "one.line", "n=%d", 1);
    xa_log_close();

    snprintf(path, sizeof path, "%s/log", away);
    size = size_of(path);
    assert_true(size > 0);
    assert_int_equal(unlink(path) + rmdir(away), 0);
}

static void
test_from_handler__follows_what_is_held_and_is_short(void **state XA_UNUSED)
{
    char path[] = "/tmp/xa-log-XXXXXX";
    char text[2 * XA_LOG_SHORT_MAX];
    char got[1024] = "";
    const char *second;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(xa_log_open("t", path, XA_INFO, NULL), XA_OK);
    xa_log_hold(true);
    xa_log_later(XA_INFO, "a.line", "n=1");
    assert_true(xa_log_is_holding());
    xa_log_from_handler(XA_CRITICAL, "last.words", text);
    assert_false(xa_log_is_holding());
    xa_log_close();
    assert_true(read(fd, got, sizeof got - 1) > 0);
    close(fd);
    assert_int_equal(unlink(path), 0);

    second = strstr(got, " INFO a.line n=1\n");
    assert_non_null(second);
    second = strstr(second, " CRITICAL last.words x");
    assert_non_null(second);
    second = strchr(second, 'x');
    assert_int_equal(strspn(second, "x"), XA_LOG_SHORT_MAX - 1);
    assert_string_equal(second + strspn(second, "x"), "\n");
}

/* What syslog was told. */
static struct {
    char ident[16];
    int priority;
    char line[256];
    bool is_open;
} told;

void __wrap_openlog(const char *ident, int option, int facility);
void __wrap_closelog(void);
XA_PRINTF(2, 3)
void __wrap_syslog(int priority, const char *fmt, ...);
XA_PRINTF(3, 4) /* the same with _FORTIFY_SOURCE */
void __wrap___syslog_chk(int priority, int flag, const char *fmt, ...);

void
__wrap_openlog(const char *ident, int option, int facility)
{
    snprintf(told.ident, sizeof told.ident, "%s", ident);
    told.is_open = true;
    assert_int_equal(option & LOG_PID, LOG_PID);
    assert_int_equal(facility, LOG_DAEMON);
}

void
__wrap_closelog(void)
{
    told.is_open = false;
}

XA_PRINTF(2, 0)
static void
keep_told(int priority, const char *fmt, va_list ap)
{
    told.priority = priority;
    vsnprintf(told.line, sizeof told.line, fmt, ap);
}

void
__wrap_syslog(int priority, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    keep_told(priority, fmt, ap);
    va_end(ap);
}

void
__wrap___syslog_chk(int priority, int flag XA_UNUSED, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    keep_told(priority, fmt, ap);
    va_end(ap);
}

static void
test_syslog__is_told_level_and_line(void **state XA_UNUSED)
{
    static const struct {
        enum xa_level level;
        int priority;
    } cases[] = {
        {XA_DEBUG, LOG_DEBUG},     {XA_INFO, LOG_INFO},
        {XA_WARNING, LOG_WARNING}, {XA_ERROR, LOG_ERR},
        {XA_CRITICAL, LOG_CRIT},
    };

    assert_int_equal(xa_log_open("prog", "syslog", XA_DEBUG, NULL), XA_OK);
    assert_true(told.is_open);
    assert_string_equal(told.ident, "prog");
    assert_false(xa_log_is_stderr());
    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        xa_log(cases[i].level, "a.b", "n=%s", "%d"); /* no format */
        assert_int_equal(told.priority, cases[i].priority);
        assert_non_null(strchr(told.line, ' ')); /* no date, no pid */
        assert_string_equal(strchr(told.line, ' '), " a.b n=%d");
    }
    assert_int_equal(xa_log_reopen(NULL), XA_OK); /* there is no file */
    xa_log_close();
    assert_false(told.is_open);
    assert_true(xa_log_is_stderr());
    xa_log_capture(NULL, NULL, XA_INFO);
}

static void
test_open__names_a_file_that_cannot_be_opened(void **state XA_UNUSED)
{
    struct xa_err err = XA_ERR_NONE;

    assert_int_equal(xa_log_open("t", "/nonexistent/log", XA_INFO, &err),
                     XA_E_CONFIG);
    assert_string_equal(err.text, "cannot open log file /nonexistent/log: "
                                  "No such file or directory");
    assert_int_equal(xa_log_probe("/nonexistent/log", &err), XA_E_CONFIG);
    assert_string_equal(err.text, "cannot open log file /nonexistent/log: "
                                  "No such file or directory");
    assert_int_equal(xa_log_probe("/", NULL), XA_E_CONFIG);
    assert_int_equal(xa_log_probe("stderr", NULL), XA_OK);
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
        cmocka_unit_test(test_file__holds_back_so_much_and_no_more),
        cmocka_unit_test(
            test_reopen__keeps_the_old_file_when_there_is_no_new_one),
        cmocka_unit_test(test_from_handler__follows_what_is_held_and_is_short),
        cmocka_unit_test(test_syslog__is_told_level_and_line),
        cmocka_unit_test(test_open__names_a_file_that_cannot_be_opened),
        cmocka_unit_test(test_level__by_name_in_any_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
