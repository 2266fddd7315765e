/* test_host.c - what the service lends to a backend module. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/service/host.h"
#include "tests/fakes/password.h"
#include "tests/unit/modules.h"
#include "tests/unit/unit.h"

static const char yaml[] = "text: hello\n"
                           "empty: ''\n"
                           "nothing: null\n"
                           "number: 42\n"
                           "flag: Yes\n"
                           "list: [a, b]\n"
                           "map:\n"
                           "  one: 1\n"
                           "  two: 2\n";

static struct xa_config config;
static struct xa_host_side side;
static const struct xa_host *host;
static char last[1024];

static void
keep(void *ctx XA_UNUSED, enum xa_level level XA_UNUSED, const char *line)
{
    snprintf(last, sizeof last, "%s", line);
}

static int
set_up(void **state XA_UNUSED)
{
    memset(&fake_password, 0, sizeof fake_password);
    xa_log_capture(keep, NULL, XA_INFO);
    xa_host_init(&side, "guest", &config);
    host = &side.lent;
    return xa_yaml_parse("config.yml", yaml, strlen(yaml), 100, &config.root,
                         NULL);
}

static int
tear_down(void **state XA_UNUSED)
{
    xa_log_capture(NULL, NULL, XA_INFO);
    xa_node_free(&config.root);
    return 0;
}

static const struct xa_node *
at(const char *key)
{
    return host->get(host->config(host), key);
}

static void
test_get__is_null_for_what_is_not_there(void **state XA_UNUSED)
{
    assert_non_null(host->config(host));
    assert_non_null(at("text"));
    assert_null(at("nothing"));
    assert_null(at("missing"));
    assert_null(host->get(at("text"), "a"));
    assert_null(host->get(at("list"), "a"));
    assert_null(host->get(NULL, "a"));
}

static void
test_text__is_for_scalars(void **state XA_UNUSED)
{
    assert_string_equal(host->text(at("text")), "hello");
    assert_string_equal(host->text(at("empty")), "");
    assert_null(host->text(at("nothing")));
    assert_null(host->text(at("list")));
    assert_null(host->text(at("map")));
    assert_null(host->text(NULL));
}

static void
test_item__walks_lists_and_mappings(void **state XA_UNUSED)
{
    const char *key = NULL;

    assert_int_equal(host->count(at("list")), 2);
    assert_string_equal(host->text(host->item(at("list"), 1, NULL)), "b");
    assert_null(host->item(at("list"), 2, NULL));
    assert_int_equal(host->count(at("map")), 2);
    assert_string_equal(host->text(host->item(at("map"), 1, &key)), "2");
    assert_string_equal(key, "two");
    assert_int_equal(host->count(at("text")), 0);
    assert_int_equal(host->count(NULL), 0);
    assert_null(host->item(NULL, 0, &key));
}

static void
test_kind__and_line(void **state XA_UNUSED)
{
    assert_true(host->is_map(at("map")) && !host->is_list(at("map")));
    assert_true(host->is_list(at("list")) && !host->is_map(at("list")));
    assert_false(host->is_map(NULL) || host->is_list(NULL));
    assert_false(host->is_map(at("text")) || host->is_list(at("text")));
    assert_int_equal(host->line(at("number")), 4);
    assert_int_equal(host->line(NULL), 0);
}

static void
test_scalars__by_the_rules_of_the_configuration(void **state XA_UNUSED)
{
    int64_t number = 7;
    int flag = 7;

    assert_int_equal(host->integer(at("text"), &number), -1);
    assert_int_equal(host->integer(NULL, &number), -1);
    assert_int_equal(host->boolean(at("number"), &flag), -1);
    assert_int_equal(host->boolean(NULL, &flag), -1);
    assert_true(number == 7 && flag == 7);
    assert_int_equal(host->integer(at("number"), &number), 0);
    assert_int_equal(number, 42);
    assert_int_equal(host->boolean(at("flag"), &flag), 0);
    assert_int_equal(flag, 1);
}

static void
test_read_file__gives_a_tree_or_a_complaint(void **state XA_UNUSED)
{
    char dir[MODULES_DIR_MAX];
    char path[MODULES_PATH_MAX];
    char why[256] = "";
    struct xa_node *tree;

    modules_make_dir(dir);
    modules_path(dir, "f.yml", path);
    assert_null(host->read_file(host, path, why, sizeof why));
    assert_non_null(strstr(why, path));
    modules_write(path, "a: 1\nb: !exec ls\n");
    assert_null(host->read_file(host, path, why, 12));
    assert_int_equal(strlen(why), 11); /* cut, and still a string */
    modules_write(path, "a: 1\n");
    tree = host->read_file(host, path, why, sizeof why);
    assert_string_equal(host->text(host->get(tree, "a")), "1");
    host->free_tree(tree);
    host->free_tree(NULL);
    modules_remove_dir(dir);
}

static void
test_log__names_the_backend_and_quotes_the_text(void **state XA_UNUSED)
{
    static const struct {
        enum xa_host_level level;
        const char *line;
    } cases[] = {
        {XA_HOST_INFO,
         "INFO backend.says name=guest text=\"a \\\"b\\\"\\x0a7\""},
        {XA_HOST_WARNING,
         "WARNING backend.says name=guest text=\"a \\\"b\\\"\\x0a7\""},
        {XA_HOST_ERROR,
         "ERROR backend.says name=guest text=\"a \\\"b\\\"\\x0a7\""},
        {(enum xa_host_level)99, /* whatever it meant, it wanted to be read */
         "ERROR backend.says name=guest text=\"a \\\"b\\\"\\x0a7\""},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        host->log(host, cases[i].level, "a \"%s\"\n%d", "b", 7);
        assert_string_equal(last, cases[i].line);
    }
    last[0] = '\0';
    host->log(host, XA_HOST_DEBUG, "x");
    assert_string_equal(last, "");
}

static void
test_verify__answers_and_counts(void **state XA_UNUSED)
{
    assert_int_equal(host->verify_password(host, FAKE_HASH("x"), "x"), 1);
    assert_int_equal(host->verify_password(host, FAKE_HASH("x"), "y"), 0);
    assert_int_equal(host->verify_password(host, NULL, "y"), 0);
    assert_int_equal(side.hashes, 3);
    assert_int_equal(host->verify_password(host, "odd", "y"), -1);
    assert_int_equal(side.hashes, 3); /* that was no work */
    xa_host_begin(&side);
    assert_int_equal(side.hashes, 0);
    assert_true(host->is_hash(FAKE_HASH("x")));
    assert_false(host->is_hash("odd"));
    assert_false(host->is_hash(NULL));
}

static void
test_equal__compares_whole_texts(void **state XA_UNUSED)
{
    assert_true(host->equal("abc", "abc"));
    assert_true(host->equal("", ""));
    assert_false(host->equal("abc", "abd"));
    assert_false(host->equal("abc", "abcd"));
    assert_false(host->equal("", "a"));
}

static void
test_time_left__runs_down_to_zero(void **state XA_UNUSED)
{
    xa_host_begin(&side);
    assert_in_range(host->time_left_ms(host), 2000, XA_HOST_CALL_MS);
    side.begun_ms = xa_clock_mono_ms() - 1000;
    assert_in_range(host->time_left_ms(host), 1000, 2000);
    side.begun_ms = xa_clock_mono_ms() - XA_HOST_CALL_MS;
    assert_int_equal(host->time_left_ms(host), 0);
    side.begun_ms = 0;
    assert_int_equal(host->time_left_ms(host), 0);
}

#define WITH_HOST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_HOST(test_get__is_null_for_what_is_not_there),
        WITH_HOST(test_text__is_for_scalars),
        WITH_HOST(test_item__walks_lists_and_mappings),
        WITH_HOST(test_kind__and_line),
        WITH_HOST(test_scalars__by_the_rules_of_the_configuration),
        WITH_HOST(test_read_file__gives_a_tree_or_a_complaint),
        WITH_HOST(test_log__names_the_backend_and_quotes_the_text),
        WITH_HOST(test_verify__answers_and_counts),
        WITH_HOST(test_equal__compares_whole_texts),
        WITH_HOST(test_time_left__runs_down_to_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
