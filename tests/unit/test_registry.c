/* test_registry.c - the enabled backends, and asking one of them. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/backend.h"
#include "tests/fakes/alloc.h"
#include "tests/fakes/password.h"
#include "tests/unit/registry_world.h"

#define SECRET "s3cr3t-word"

static int
set_up(void **state XA_UNUSED)
{
    static const char *const unsaid[] = {SECRET, NULL};

    world_make(unsaid);
    return 0;
}

static void
start_registry(void)
{
    world_start();
    world_forget_lines();
    memset(&fake_password, 0, sizeof fake_password);
}

/* A registry of one module; the log of its start is forgotten. */
static void
start_with(const char *name)
{
    modules_copy(world.dir, name);
    world_enable(name);
    start_registry();
}

static enum xa_rc
ask(const char *backend, const char *login, const char *password,
    struct xa_identity *out)
{
    struct xa_err err = XA_ERR_NONE;
    enum xa_rc rc;

    rc = xa_registry_authenticate(world.registry, backend, login, password, out,
                                  &err);
    if (rc != XA_OK) {
        assert_null(out->auth_id);
        assert_int_equal(out->acls.count, 0);
    }
    return rc;
}

static void
check_line(size_t i, const char *expected)
{
    assert_true(i < world.line_count);
    assert_string_equal(world.lines[i], expected);
}

static void
test_new__keeps_the_order_and_counts_what_is_refused(void **state XA_UNUSED)
{
    static const char *const copied[] = {"mock_with_uuid", "mock", "bad_abi",
                                         "not_configured"};
    static const char *const enabled[] = {
        "mock_with_uuid", "bad_abi", "not_configured", "mock",
        "missing",        "../mock", "mock_with_uuid", "bad_abi"};

    for (size_t i = 0; i < XA_COUNT(copied); i++)
        modules_copy(world.dir, copied[i]);
    for (size_t i = 0; i < XA_COUNT(enabled); i++)
        world_enable(enabled[i]);
    world_start();
    assert_int_equal(xa_registry_count(world.registry), 2);
    assert_string_equal(xa_registry_state(world.registry, 0).name,
                        "mock_with_uuid");
    assert_string_equal(xa_registry_state(world.registry, 1).name, "mock");
    assert_null(xa_registry_state(world.registry, 1).reason);
    assert_int_equal(xa_registry_refused(world.registry), 3);

    assert_int_equal(world.line_count, 6); /* each once */
    check_line(0, "INFO backend.started name=mock_with_uuid");
    assert_non_null(strstr(world.lines[1], "ERROR backend.refused name="
                                           "\"bad_abi\" reason="));
    check_line(2, "INFO backend.not_configured name=not_configured");
    check_line(3, "INFO backend.started name=mock");
    assert_non_null(strstr(world.lines[4], "name=\"missing\""));
    assert_non_null(strstr(world.lines[5], "name=\"../mock\""));
}

static void
test_new__without_a_backend(void **state XA_UNUSED)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;

    start_registry();
    assert_int_equal(xa_registry_count(world.registry), 0);
    assert_int_equal(ask("mock", "foo", "bar", &who), XA_E_DENIED);
}

static void
test_new__keeps_one_that_did_not_start(void **state XA_UNUSED)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;

    modules_copy(world.dir, "broken_init");
    world_enable("broken_init");
    world_start();
    check_line(0, "ERROR backend.says name=broken_init "
                  "text=\"broken on purpose\"");
    check_line(1, "ERROR backend.start_failed name=broken_init");
    assert_int_equal(xa_registry_count(world.registry), 1);
    assert_int_equal(xa_registry_refused(world.registry), 0);
    assert_string_equal(xa_registry_state(world.registry, 0).reason,
                        "start failed");

    memset(&fake_password, 0, sizeof fake_password);
    assert_int_equal(ask("broken_init", "foo", "bar", &who), XA_E_DENIED);
    assert_int_equal(fake_password.decoys, 1);
    assert_string_equal(xa_registry_state(world.registry, 0).reason,
                        "start failed");
}

static void
test_authenticate__grants_what_the_mocks_say(void **state XA_UNUSED)
{
    static const struct {
        const char *name;
        const char *auth_id;
        const char *user_uuid;
    } cases[] = {
        {"mock", "a-mocked-uuid", NULL},
        {"mock_with_uuid", "a-mocked-auth-id", "a-mocked-xivo-user-uuid"},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        modules_copy(world.dir, cases[i].name);
        world_enable(cases[i].name);
    }
    start_registry();
    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;

        assert_int_equal(ask(cases[i].name, "foo", "bar", &who), XA_OK);
        assert_string_equal(who.auth_id, cases[i].auth_id);
        if (cases[i].user_uuid)
            assert_string_equal(who.xivo_user_uuid, cases[i].user_uuid);
        else
            assert_null(who.xivo_user_uuid);
        assert_null(who.xivo_uuid);
        assert_int_equal(who.acls.count, 2);
        assert_string_equal(who.acls.items[0], "foo");
        assert_string_equal(who.acls.items[1], "bar");
    }
    assert_int_equal(world.line_count, 0);
}

static void
test_authenticate__takes_every_field_of_the_sink(void **state XA_UNUSED)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;

    start_with("odd");
    assert_int_equal(ask("odd", "full", "x", &who), XA_OK);
    assert_string_equal(who.auth_id, "second");
    assert_string_equal(who.xivo_user_uuid, "user");
    assert_string_equal(who.xivo_uuid, "xivo");
    assert_int_equal(who.acls.count, 2);
}

/* Filled by the test: a byte more than is accepted. */
static char long_login[XA_BACKEND_LOGIN_MAX + 2];
static char long_password[XA_PASSWORD_MAX + 2];

static const struct {
    const char *backend;
    const char *login;
    const char *password;
    const char *line;
} refusals[] = {
    {"odd", "foo", SECRET,
     "backend=\"odd\" login=\"foo\" why=\"wrong login or password\""},
    {"odd", "hashed_itself", SECRET,
     "backend=\"odd\" login=\"hashed_itself\" "
     "why=\"wrong login or password\""},
    {"odd", "half_then_denied", SECRET,
     "backend=\"odd\" login=\"half_then_denied\" "
     "why=\"wrong login or password\""},
    {"nobody", "foo", SECRET,
     "backend=\"nobody\" login=\"foo\" why=\"no such backend\""},
    {"", "foo", SECRET, "backend=\"\" login=\"foo\" why=\"no such backend\""},
    {"odd", "", SECRET,
     "backend=\"odd\" login=\"\" "
     "why=\"login empty, too long or not plain text\""},
    {"odd", long_login, SECRET,
     "backend=\"odd\" login=- "
     "why=\"login empty, too long or not plain text\""},
    {"odd", "a\nb", SECRET,
     "backend=\"odd\" login=\"a\\x0ab\" "
     "why=\"login empty, too long or not plain text\""},
    {"odd", "\xff", SECRET,
     "backend=\"odd\" login=\"\\xff\" "
     "why=\"login empty, too long or not plain text\""},
    {"odd", "full", "",
     "backend=\"odd\" login=\"full\" "
     "why=\"password empty, too long or not plain text\""},
    {"odd", "full", long_password,
     "backend=\"odd\" login=\"full\" "
     "why=\"password empty, too long or not plain text\""},
    {"odd", "full", "\x01",
     "backend=\"odd\" login=\"full\" "
     "why=\"password empty, too long or not plain text\""},
    {"odd", "1823C1EE-6c6a-4cdc-9869-964a7f08a744", "",
     "backend=\"odd\" login=\"b60f8a20cbcd\" "
     "why=\"password empty, too long or not plain text\""},
};

/* Every refusal: same code, one line, the work of one hash, no identity. */
static void
test_authenticate__refuses_all_alike(void **state XA_UNUSED)
{
    memset(long_login, 'l', sizeof long_login - 1);
    memset(long_password, 'p', sizeof long_password - 1);
    start_with("odd");
    for (size_t i = 0; i < XA_COUNT(refusals); i++) {
        XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;

        world_forget_lines();
        memset(&fake_password, 0, sizeof fake_password);
        assert_int_equal(ask(refusals[i].backend, refusals[i].login,
                             refusals[i].password, &who),
                         XA_E_DENIED);
        assert_int_equal(fake_password.decoys + fake_password.verified, 1);
        assert_int_equal(world.line_count, 1);
        assert_memory_equal(world.lines[0], "INFO login.refused ", 19);
        assert_string_equal(world.lines[0] + 19, refusals[i].line);
        assert_null(xa_registry_state(world.registry, 0).reason);
    }
}

static void
test_authenticate__takes_a_login_and_password_of_full_length(
    void **state XA_UNUSED)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;
    char login[XA_BACKEND_LOGIN_MAX + 1];
    char password[XA_PASSWORD_MAX + 1];

    memset(login, 'l', sizeof login - 1);
    login[sizeof login - 1] = '\0';
    memset(password, 'p', sizeof password - 1);
    password[sizeof password - 1] = '\0';
    start_with("odd");
    assert_int_equal(ask("odd", login, password, &who), XA_E_DENIED);
    assert_non_null(strstr(world.lines[0], "why=\"wrong login or password\""));
}

static void
test_authenticate__turns_a_faulty_answer_into_a_failure(void **state XA_UNUSED)
{
    static const struct {
        const char *login;
        const char *why;
    } cases[] = {
        {"no_auth_id", "granted without auth_id"},
        {"verdict_42", "no such verdict: 42"},
        {"lost_acl", "ACL has a control character"},
        {"null_text", "no text in the sink"},
    };
    char expected[256];

    start_with("odd");
    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;

        world_forget_lines();
        memset(&fake_password, 0, sizeof fake_password);
        assert_int_equal(ask("odd", cases[i].login, SECRET, &who), XA_E_DENIED);
        assert_int_equal(fake_password.decoys, 1);
        assert_int_equal(world.line_count, 2);
        snprintf(expected, sizeof expected,
                 "ERROR backend.failed name=odd why=\"%s\"", cases[i].why);
        check_line(0, expected);
        snprintf(expected, sizeof expected,
                 "INFO login.refused backend=\"odd\" login=\"%s\" "
                 "why=\"backend failed\"",
                 cases[i].login);
        check_line(1, expected);
        assert_string_equal(xa_registry_state(world.registry, 0).reason,
                            "failed");
    }
}

static void
test_authenticate__says_each_failure(void **state XA_UNUSED)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;

    start_with("broken_verify_password");
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(ask("broken_verify_password", "foo", "bar", &who),
                         XA_E_DENIED);
        check_line(2 * i, "ERROR backend.failed name=broken_verify_password "
                          "why=\"it says so\"");
    }
    assert_string_equal(xa_registry_state(world.registry, 0).reason, "failed");
}

static void
test_authenticate__says_when_a_server_goes_and_comes_back(
    void **state XA_UNUSED)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;

    start_with("odd");
    assert_int_equal(ask("odd", "away", SECRET, &who), XA_E_UNAVAILABLE);
    assert_int_equal(ask("odd", "away", SECRET, &who), XA_E_UNAVAILABLE);
    assert_string_equal(xa_registry_state(world.registry, 0).reason,
                        "unavailable");
    assert_int_equal(world.line_count, 3);
    check_line(0, "WARNING backend.unavailable name=odd");
    check_line(2, "INFO login.refused backend=\"odd\" login=\"away\" "
                  "why=\"backend unavailable\"");
    assert_int_equal(fake_password.decoys, 0); /* it says nothing of a user */

    world_forget_lines();
    assert_int_equal(ask("odd", "full", SECRET, &who), XA_OK);
    assert_int_equal(world.line_count, 1);
    check_line(0, "INFO backend.back name=odd");
    assert_null(xa_registry_state(world.registry, 0).reason);
}

static void
test_free__stops_what_was_started(void **state XA_UNUSED)
{
    start_with("odd");
    unsetenv("XA_TEST_ODD_STOPPED");
    xa_registry_free(&world.registry);
    assert_null(world.registry);
    assert_string_equal(getenv("XA_TEST_ODD_STOPPED"), "1");
    xa_registry_free(&world.registry); /* nothing is left to free */
}

/* --- memory runs out --- */

#define TRIES_MAX 1000

/* Start it and ask it, the nth allocation failing; false: there are fewer.
 * Whoever is let in has all that the backend said: an ACL that is lost may be
 * one that forbids. */
static bool
start_and_ask(unsigned n, bool goes_on)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;
    struct xa_err err = XA_ERR_NONE;
    bool has_failed;
    enum xa_rc rc;

    if (goes_on)
        fake_alloc_fail_from(n);
    else
        fake_alloc_fail(n);
    rc = xa_registry_new(&world.config, &world.registry, &err);
    if (rc == XA_OK)
        rc = xa_registry_authenticate(world.registry, "odd", "full", "x", &who,
                                      &err);
    has_failed = fake_alloc_has_failed();
    fake_alloc_fail(0);
    assert_true(rc != XA_OK || who.acls.count == 2);
    assert_true(rc == XA_OK || !who.auth_id);
    assert_true(has_failed || rc == XA_OK);
    xa_registry_free(&world.registry);
    world_forget_lines();
    return has_failed;
}

static void
test_authenticate__grants_all_or_nothing_without_memory(void **state XA_UNUSED)
{
    modules_copy(world.dir, "odd");
    world_enable("odd");
    for (int goes_on = 0; goes_on < 2; goes_on++) {
        unsigned n = 1;

        while (start_and_ask(n, goes_on))
            assert_true(++n < TRIES_MAX);
        assert_true(n > 5);
    }
}

#define IN_WORLD(test)                                                         \
    cmocka_unit_test_setup_teardown(test, set_up, world_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(test_new__keeps_the_order_and_counts_what_is_refused),
        IN_WORLD(test_new__without_a_backend),
        IN_WORLD(test_new__keeps_one_that_did_not_start),
        IN_WORLD(test_authenticate__grants_what_the_mocks_say),
        IN_WORLD(test_authenticate__takes_every_field_of_the_sink),
        IN_WORLD(test_authenticate__refuses_all_alike),
        IN_WORLD(test_authenticate__takes_a_login_and_password_of_full_length),
        IN_WORLD(test_authenticate__turns_a_faulty_answer_into_a_failure),
        IN_WORLD(test_authenticate__says_each_failure),
        IN_WORLD(test_authenticate__says_when_a_server_goes_and_comes_back),
        IN_WORLD(test_authenticate__grants_all_or_nothing_without_memory),
        IN_WORLD(test_free__stops_what_was_started),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
