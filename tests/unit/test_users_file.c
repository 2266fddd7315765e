/* test_users_file.c - the backend of users in a YAML file. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/service/host.h"
#include "core/token/loader.h"
#include "tests/unit/registry_world.h"

/* Of the cheapest cost, so that a test takes no time. */
#define ALICE "$2b$04$iEq87apvBTLtBFV5EvhtqO4I2fMRwg.hPouNXCEihmqbthWQexZG2"
#define BJORK                                                                  \
    "$6$rounds=1000$3xS8.A9i12Q24b6X$yCmu3g2rkdx6U0mQcKccK.5OUnBfNkxzlqL/"     \
    "k69WL9WAu2qK3y8VJmF4lu5HyB26XewyOnUTnaV1K8HB6MTje/"
#define CARL                                                                   \
    "$y$j75$H7d7.EnlNlFKUuyk2OGRE.$kzSvUVGVPQwOgMsbOkqe82vb4edvgwghd"          \
    "N.XytWQeY1"

static const char three_users[] =
    "users:\n"
    "  alice:\n"
    "    password: \"" ALICE "\"\n"
    "    uuid: 63f3dc3c-865d-419e-bec2-e18c4b118224\n"
    "  bj\xc3\xb6rk.d:\n"
    "    password: \"" BJORK "\"\n"
    "    uuid: \"any text: is \xc3\xa0 uuid\"\n"
    "    acls: [confd.#, '!confd.users']\n"
    "  c:\n"
    "    password: \"" CARL "\"\n"
    "    uuid: c\n"
    "    acls: []\n";

static char users_path[MODULES_PATH_MAX];

static int
set_up(void **state XA_UNUSED)
{
    /* Of hashes, and of every password here. */
    static const char *const unsaid[] = {"$2b$", "$6$", " word", NULL};
    char yaml[512];

    world_make(unsaid);
    modules_copy(world.dir, "users_file");
    modules_path(world.dir, "users.yml", users_path);
    snprintf(yaml, sizeof yaml,
             "users_file: {path: %s}\ndefault_user_acls: [a.b, 'c.#']\n",
             users_path);
    world_configure(yaml);
    world_enable("users_file");
    return 0;
}

static bool
said(const char *part)
{
    for (size_t i = 0; i < world.line_count; i++)
        if (strstr(world.lines[i], part))
            return true;
    return false;
}

/* How many lines are no refused login. */
static size_t
lines_of_the_backend(void)
{
    size_t n = 0;

    for (size_t i = 0; i < world.line_count; i++)
        if (!strstr(world.lines[i], " login.refused "))
            n++;
    return n;
}

/* Start with a file of this content; why it did not start, or NULL. */
static const char *
start_with(const char *yaml)
{
    if (yaml)
        modules_write(users_path, yaml);
    world_start();
    assert_int_equal(xa_registry_count(world.registry), 1);
    return xa_registry_state(world.registry, 0).reason;
}

static enum xa_rc
login(const char *name, const char *password)
{
    XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;

    return xa_registry_authenticate(world.registry, "users_file", name,
                                    password, &who, NULL);
}

static void
test_start__needs_a_path(void **state XA_UNUSED)
{
    static const char *const yaml[] = {"{}", "users_file: {}",
                                       "users_file: {path: }",
                                       "users_file: {path: ''}"};

    for (size_t i = 0; i < XA_COUNT(yaml); i++) {
        world_configure(yaml[i]);
        world_start();
        assert_int_equal(xa_registry_count(world.registry), 0);
        assert_true(said("backend.not_configured name=users_file"));
        xa_registry_free(&world.registry);
        world_forget_lines();
    }
}

static void
test_authenticate__gives_ids_and_acls(void **state XA_UNUSED)
{
    static const struct {
        const char *login;
        const char *password;
        const char *id;
        size_t acl_count;
        const char *acls[2];
    } cases[] = {
        {"alice", "alice's word", "63f3dc3c-865d-419e-bec2-e18c4b118224", 2,
         {"a.b", "c.#"}},
        {"bj\xc3\xb6rk.d", "b\xc3\xb6rk", "any text: is \xc3\xa0 uuid", 2,
         {"confd.#", "!confd.users"}},
        {"c", "third word", "c", 0, {NULL}},
    };

    assert_null(start_with(three_users));
    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_identity_done) struct xa_identity who = XA_IDENTITY_EMPTY;

        assert_int_equal(xa_registry_authenticate(
                             world.registry, "users_file", cases[i].login,
                             cases[i].password, &who, NULL),
                         XA_OK);
        assert_string_equal(who.auth_id, cases[i].id);
        assert_string_equal(who.xivo_user_uuid, cases[i].id);
        assert_null(who.xivo_uuid);
        assert_int_equal(who.acls.count, cases[i].acl_count);
        for (size_t k = 0; k < who.acls.count; k++)
            assert_string_equal(who.acls.items[k], cases[i].acls[k]);
    }
}

static void
test_authenticate__denies_everything_else(void **state XA_UNUSED)
{
    static const struct {
        const char *login;
        const char *password;
    } cases[] = {
        {"alice", "third word"},  {"alice", "alice's word "},
        {"alice", "alice's wor"}, {"Alice", "alice's word"},
        {"alic", "alice's word"}, {"alice ", "alice's word"},
        {"nobody", "third word"}, {"bj\xc3\xb6rk", "b\xc3\xb6rk"},
        {"users", "x"},           {"c", ALICE},
        {"c", CARL},              {"c' or '1'='1", "x"},
    };

    assert_null(start_with(three_users));
    for (size_t i = 0; i < XA_COUNT(cases); i++)
        if (login(cases[i].login, cases[i].password) != XA_E_DENIED)
            fail_msg("case %zu was let in", i);
    assert_null(xa_registry_state(world.registry, 0).reason);
}

/* Filled by the test: a login and a uuid of a byte more than is accepted. */
static char long_login[XA_BACKEND_LOGIN_MAX + 64];
static char long_uuid[XA_BACKEND_ID_MAX + 128];

#define GOOD "password: \"" ALICE "\", uuid: u"
static const struct {
    const char *yaml;
    const char *complaint;
} bad_files[] = {
    {"", "1: users is no mapping of logins"},
    {"other: 1\n", "1: users is no mapping of logins"},
    {"users:\n", "1: users is no mapping of logins"},
    {"users: text\n", "1: users is no mapping of logins"},
    {"users:\n  - {" GOOD "}\n", "2: users is no mapping of logins"},
    {"users:\n  a: text\n", "2: user a: no mapping of password and uuid"},
    {"users:\n  a:\n  b: {" GOOD "}\n",
     "2: user a: no mapping of password and uuid"},
    {"users:\n  a: {}\n", "2: user a: no password"},
    {"users:\n  a: {uuid: u}\n", "2: user a: no password"},
    {"users:\n  a: {password: , uuid: u}\n", "2: user a: no password"},
    {"users:\n  a:\n    uuid: u\n    password: plain\n",
     "4: user a: password is no hash that is accepted"},
    {"users:\n  a: {password: '*', uuid: u}\n",
     "2: user a: password is no hash that is accepted"},
    {"users:\n  a: {password: '', uuid: u}\n",
     "2: user a: password is no hash that is accepted"},
    {"users:\n  a: {password: [x], uuid: u}\n", "2: user a: no password"},
    {"users:\n  a: {password: \"" ALICE "\"}\n", "2: user a: no uuid"},
    {"users:\n  a:\n    password: \"" ALICE "\"\n    uuid: ''\n",
     "4: user a: uuid is text of 1 to 256 bytes"},
    {"users:\n  a: {password: \"" ALICE "\", uuid: \"a\\tb\"}\n",
     "2: user a: uuid is text of 1 to 256 bytes"},
    {long_uuid, "2: user a: uuid is text of 1 to 256 bytes"},
    {"users:\n  ok: {" GOOD "}\n  a: {" GOOD ", acls: confd}\n",
     "3: user a: acls is no list (write [] for none)"},
    {"users:\n  a: {" GOOD ", acls: }\n",
     "2: user a: acls is no list (write [] for none)"},
    {"users:\n  a: {" GOOD ", acls: [x, '']}\n",
     "2: user a: an ACL is text of 1 to 1024 bytes"},
    {"users:\n  a: {" GOOD ", acls: [\"x\\x92\"]}\n",
     "2: user a: an ACL is text of 1 to 1024 bytes without control "
     "characters"},
    {"users:\n  a: {" GOOD ", acls: [x, [y]]}\n",
     "2: user a: an ACL is text of 1 to 1024 bytes"},
    {"users:\n  a: {" GOOD ", acl: [x]}\n", "2: user a: unknown key acl\""},
    {"users:\n  '': {" GOOD "}\n", "2: a login is text of 1 to 256 bytes"},
    {"users:\n  \"a\\nb\": {" GOOD "}\n",
     "2: a login is text of 1 to 256 bytes"},
    {long_login, "2: a login is text of 1 to 256 bytes"},
    {"users:\n  a: {" GOOD "}\n  a: {" GOOD "}\n", "3: "},
    {"users: {a: !exec ls}\n", "1: "},
    {"users: {a\n", "2: "},
};
#undef GOOD

static void
test_start__names_file_and_line_of_a_bad_entry(void **state XA_UNUSED)
{
    char expected[512];

    snprintf(long_login, sizeof long_login, "users:\n  '%0*d': {}\n",
             XA_BACKEND_LOGIN_MAX + 1, 0);
    snprintf(long_uuid, sizeof long_uuid,
             "users:\n  a: {password: \"" ALICE "\", uuid: '%0*d'}\n",
             XA_BACKEND_ID_MAX + 1, 0);
    for (size_t i = 0; i < XA_COUNT(bad_files); i++) {
        if (!start_with(bad_files[i].yaml))
            fail_msg("case %zu was accepted", i);
        snprintf(expected, sizeof expected,
                 "ERROR backend.says name=users_file text=\"%s:%s", users_path,
                 bad_files[i].complaint);
        if (!said(expected))
            fail_msg("case %zu: %s", i, world.lines[0]);
        xa_registry_free(&world.registry);
        world_forget_lines();
    }
}

static void
test_start__refuses_too_many_acls(void **state XA_UNUSED)
{
    XA_AUTO(xa_buf_free) struct xa_buf yaml = XA_BUF(1 << 20);

    xa_buf_puts(&yaml, "users:\n  a:\n    uuid: u\n    password: \"" ALICE
                       "\"\n    acls:\n");
    for (int i = 0; i <= XA_BACKEND_ACLS_MAX; i++)
        xa_buf_puts(&yaml, "    - x\n");
    assert_non_null(start_with(xa_buf_text(&yaml)));
    assert_true(said("user a: over 1024 acls"));
    xa_registry_free(&world.registry);

    xa_buf_clear(&yaml);
    xa_buf_puts(&yaml, "users:\n  a:\n    uuid: u\n    password: \"" ALICE
                       "\"\n    acls:\n");
    for (int i = 0; i <= XA_BACKEND_ACLS_BYTES / XA_BACKEND_ACL_MAX; i++)
        xa_buf_putf(&yaml, "    - '%0*d'\n", XA_BACKEND_ACL_MAX, 0);
    assert_non_null(start_with(xa_buf_text(&yaml)));
    assert_true(said("user a: acls of over 32768 bytes"));
}

static void
test_start__needs_a_regular_file(void **state XA_UNUSED)
{
    assert_non_null(start_with(NULL));
    assert_true(said("users.yml: No such file or directory"));
    xa_registry_free(&world.registry);
    assert_int_equal(mkfifo(users_path, 0600), 0); /* must not hang on it */
    assert_non_null(start_with(NULL));
    assert_true(said("users.yml: is no regular file"));
}

static void
test_start__takes_a_file_without_users(void **state XA_UNUSED)
{
    assert_null(start_with("users: {}\n"));
    assert_int_equal(login("alice", "alice's word"), XA_E_DENIED);
}

static void
test_start__warns_of_a_file_that_everybody_can_read(void **state XA_UNUSED)
{
    assert_null(start_with(three_users));
    assert_false(said("WARNING"));
    assert_int_equal(chmod(users_path, 0644), 0);
    assert_int_equal(login("c", "third word"), XA_OK);
    assert_true(said("WARNING backend.says name=users_file text=\"/tmp/"));
    assert_true(said("users.yml can be read by everybody\""));
    assert_int_equal(chmod(users_path, 0666), 0);
    assert_int_equal(login("c", "third word"), XA_OK);
    assert_true(said("users.yml can be written by everybody\""));
}

static void
test_authenticate__reads_a_changed_file_again(void **state XA_UNUSED)
{
    assert_null(start_with(three_users));
    assert_true(said("INFO backend.says name=users_file text=\"/tmp/"));
    assert_true(said("users.yml: 3 users\""));
    assert_int_equal(login("c", "third word"), XA_OK);
    world_forget_lines();
    modules_write(users_path,
                  "users:\n  d: {uuid: d, password: \"" CARL "\"}\n");
    assert_int_equal(login("c", "third word"), XA_E_DENIED);
    assert_int_equal(login("d", "third word"), XA_OK);
    assert_true(said("users.yml read again, 1 users\""));
    assert_int_equal(lines_of_the_backend(), 1); /* said once, read once */
}

static void
test_authenticate__keeps_the_users_of_a_file_that_broke(void **state XA_UNUSED)
{
    assert_null(start_with(three_users));
    world_forget_lines();
    modules_write(users_path, "users:\n  d: {uuid: d}\n");
    for (int i = 0; i < 3; i++)
        assert_int_equal(login("c", "third word"), XA_OK);
    assert_true(said("ERROR backend.says name=users_file text="));
    assert_true(said("users.yml:2: user d: no password; "
                     "the 3 users known before stay\""));
    assert_int_equal(lines_of_the_backend(), 1);

    assert_int_equal(unlink(users_path), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(login("c", "third word"), XA_OK);
    assert_int_equal(lines_of_the_backend(), 2);
    assert_true(said("users.yml: No such file or directory; the 3 users"));

    modules_write(users_path, "users: {}\n");
    assert_int_equal(login("c", "third word"), XA_E_DENIED);
    assert_true(said("users.yml read again, 0 users\""));
}

/* --- under a host of our own, which counts the work ----------------------- */

static struct {
    unsigned calls;
    char stored[256]; /* of the last call; "" for NULL */
    bool any_matches; /* what every password then is */
} work;

static int
count_verify(const struct xa_host *host XA_UNUSED, const char *stored,
             const char *given XA_UNUSED)
{
    work.calls++;
    snprintf(work.stored, sizeof work.stored, "%s", stored ? stored : "");
    return work.any_matches && stored;
}

static int
swallow(const struct xa_sink *to XA_UNUSED, const char *text XA_UNUSED)
{
    return 0;
}

static const struct xa_sink sink = {
    .size = sizeof(struct xa_sink),
    .auth_id = swallow,
    .xivo_user_uuid = swallow,
    .xivo_uuid = swallow,
    .acl = swallow,
};

struct guest {
    struct xa_module *module;
    const struct xa_backend *calls;
    struct xa_host_side host;
    void *self;
};

static void
invite(struct guest *guest, const char *yaml)
{
    memset(guest, 0, sizeof *guest);
    memset(&work, 0, sizeof work);
    modules_write(users_path, yaml);
    assert_int_equal(
        xa_module_load(world.dir, "users_file", &guest->module, NULL), XA_OK);
    guest->calls = xa_module_backend(guest->module);
    xa_host_init(&guest->host, "users_file", &world.config);
    guest->host.lent.verify_password = count_verify;
    assert_int_equal(guest->calls->configured(&guest->host.lent), 1);
    assert_int_equal(guest->calls->start(&guest->host.lent, &guest->self), 0);
}

static void
see_off(struct guest *guest)
{
    guest->calls->stop(guest->self);
    xa_module_free(&guest->module);
}

static enum xa_verdict
ask(struct guest *guest, const char *name)
{
    work.calls = 0;
    return guest->calls->authenticate(guest->self, name, "any", &sink);
}

static void
test_authenticate__does_one_hash_whoever_asks(void **state XA_UNUSED)
{
    static const char *const unknown[] = {"nobody", "Alice", "zz", "a", "0"};
    struct guest guest;
    char first[sizeof work.stored];

    invite(&guest, three_users);
    assert_int_equal(ask(&guest, "alice"), XA_DENIED);
    assert_int_equal(work.calls, 1);
    assert_string_equal(work.stored, ALICE);
    for (size_t i = 0; i < XA_COUNT(unknown); i++) {
        assert_int_equal(ask(&guest, unknown[i]), XA_DENIED);
        assert_int_equal(work.calls, 1);
        assert_true(strcmp(work.stored, ALICE) == 0 ||
                    strcmp(work.stored, BJORK) == 0 ||
                    strcmp(work.stored, CARL) == 0);
        memcpy(first, work.stored, sizeof first);
        ask(&guest, unknown[i]);
        assert_string_equal(work.stored, first); /* the same one each time */
    }
    see_off(&guest);
}

static void
test_authenticate__spreads_unknown_users_over_all_hashes(void **state XA_UNUSED)
{
    struct guest guest;
    char name[16];
    unsigned alice = 0;
    unsigned bjork = 0;

    invite(&guest, three_users);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "x%d", i);
        ask(&guest, name);
        alice += strcmp(work.stored, ALICE) == 0;
        bjork += strcmp(work.stored, BJORK) == 0;
    }
    assert_in_range(alice, 60, 140);
    assert_in_range(bjork, 60, 140);
    see_off(&guest);
}

static void
test_authenticate__decoy_that_matches_opens_nothing(void **state XA_UNUSED)
{
    struct guest guest;

    invite(&guest, three_users);
    work.any_matches = true;
    assert_int_equal(ask(&guest, "alice"), XA_GRANTED);
    assert_int_equal(ask(&guest, "nobody"), XA_DENIED);
    see_off(&guest);
}

static void
test_authenticate__works_for_nobody_when_there_is_nobody(void **state XA_UNUSED)
{
    struct guest guest;

    invite(&guest, "users: {}\n");
    assert_int_equal(ask(&guest, "alice"), XA_DENIED);
    assert_int_equal(work.calls, 1);
    assert_string_equal(work.stored, "");
    see_off(&guest);
}

static void
test_authenticate__finds_each_of_many(void **state XA_UNUSED)
{
    XA_AUTO(xa_buf_free) struct xa_buf yaml = XA_BUF(1 << 20);
    struct guest guest;
    char name[16];

    xa_buf_puts(&yaml, "users:\n");
    for (unsigned i = 0; i < 2000; i++)
        xa_buf_putf(&yaml, "  u%u: {uuid: u, password: \"" ALICE "\"}\n",
                    i * 7919 % 2000);
    assert_int_equal(xa_buf_check(&yaml, NULL), XA_OK);
    invite(&guest, xa_buf_text(&yaml));
    work.any_matches = true;
    for (unsigned i = 0; i < 2010; i++) {
        snprintf(name, sizeof name, "u%u", i);
        assert_int_equal(ask(&guest, name), i < 2000 ? XA_GRANTED : XA_DENIED);
    }
    see_off(&guest);
}

#define IN_WORLD(test)                                                         \
    cmocka_unit_test_setup_teardown(test, set_up, world_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(test_start__needs_a_path),
        IN_WORLD(test_start__names_file_and_line_of_a_bad_entry),
        IN_WORLD(test_start__refuses_too_many_acls),
        IN_WORLD(test_start__needs_a_regular_file),
        IN_WORLD(test_start__takes_a_file_without_users),
        IN_WORLD(test_start__warns_of_a_file_that_everybody_can_read),
        IN_WORLD(test_authenticate__gives_ids_and_acls),
        IN_WORLD(test_authenticate__denies_everything_else),
        IN_WORLD(test_authenticate__reads_a_changed_file_again),
        IN_WORLD(test_authenticate__keeps_the_users_of_a_file_that_broke),
        IN_WORLD(test_authenticate__does_one_hash_whoever_asks),
        IN_WORLD(test_authenticate__spreads_unknown_users_over_all_hashes),
        IN_WORLD(test_authenticate__decoy_that_matches_opens_nothing),
        IN_WORLD(test_authenticate__works_for_nobody_when_there_is_nobody),
        IN_WORLD(test_authenticate__finds_each_of_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
