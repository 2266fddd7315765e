/* test_config_notes.c - what is told, what is shown, what is shipped. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/support/config.h"
#include "core/support/config_notes.h"
#include "core/support/config_table.h"
#include "tests/unit/config_files.h"
#include "tests/unit/unit.h"

struct expected_note {
    enum xa_level level;
    const char *text; /* behind the path of config.yml */
};

#define OLD "means nothing here and is ignored"
#define UNKNOWN "is no key that is known here"

static void
check_notes(const struct xa_config *c, const struct expected_note *notes,
            size_t count)
{
    char path[PATH_MAX_LEN];
    char text[XA_ERR_MAX];
    enum xa_level level;

    path_of("config.yml", path);
    for (size_t i = 0; i < count; i++) {
        const char *note = xa_config_note(c, i, &level);

        if (!note)
            fail_msg("no note %zu", i);
        snprintf(text, sizeof text, "%s%s", path, notes[i].text);
        assert_string_equal(note, text);
        assert_int_equal(level, notes[i].level);
    }
    assert_int_equal(xa_config_note_count(c), count);
    assert_null(xa_config_note(c, count, NULL));
}

static void
test_notes__tell_unknown_and_old_keys(void **state XA_UNUSED)
{
    static const struct expected_note notes[] = {
        {XA_INFO, ":1: foreground: " OLD},
        {XA_WARNING, ":2: forground: " UNKNOWN},
        {XA_WARNING, ":4: rest_api.max_boddy_size: " UNKNOWN},
        {XA_INFO, ":5: rest_api.https: " OLD},
        {XA_WARNING, ":7: rest_api.cors.origin: " UNKNOWN},
        {XA_WARNING, ":8: store.type: has a dot; sections are mappings here"},
        {XA_WARNING, ":11: other: " UNKNOWN},
        {XA_WARNING, ":12: a?b: " UNKNOWN},
    };
    XA_AUTO(xa_config_free)
    struct xa_config *c = load("foreground: ~\n"
                               "forground: ~\n"
                               "rest_api:\n"
                               "  max_boddy_size: 1\n"
                               "  https: {port: 9497, unknown: 1}\n"
                               "  cors:\n"
                               "    origin: x\n"
                               "store.type: consul\n"
                               "enabled_plugins: [mine]\n"
                               "mine: {anything: 1}\n"
                               "other: {anything: 1}\n"
                               "\"a\\nb\": 1\n");

    check_notes(c, notes, XA_COUNT(notes));
}

static void
test_notes__take_consul_alone_as_an_old_file(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        const char *type;
        const char *token_keys;
        bool is_told;
    } cases[] = {
        {"consul: {port: 1}\n", "consul", "plain", true},
        {"consul: {port: 1}\nstore: ~\n", "consul", "plain", true},
        {"consul: ~\n", "lmdb", "sha256", false},
        {"consul: {port: 1}\nstore: {token_keys: plain}\n", "lmdb", "plain",
         false},
        {"consul: {port: 1}\nstore: {type: consul}\n", "consul", "sha256",
         false},
        {"store: {lmdb: {sync: no}}\n", "lmdb", "sha256", false},
    };
    static const struct expected_note notes[] = {
        {XA_INFO, ":1: consul: without store, so store.type is consul and "
                  "store.token_keys is plain"},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_config_free) struct xa_config *c = load(cases[i].text);

        assert_string_equal(c->store.type, cases[i].type);
        assert_string_equal(c->store.token_keys, cases[i].token_keys);
        check_notes(c, notes, cases[i].is_told ? 1 : 0);
    }
}

static void
test_notes__warn_of_what_cannot_work_well(void **state XA_UNUSED)
{
    static const struct expected_note notes[] = {
        {XA_WARNING, ":1: enabled_plugins: is empty, so nobody can log in"},
        {XA_WARNING,
         ":3: service_discovery.refresh_interval: is not less than "
         "service_discovery.ttl_interval, so Consul will call the service "
         "down between two refreshes"},
    };
    XA_AUTO(xa_config_free)
    struct xa_config *c =
        load("enabled_plugins: []\n"
             "store: {type: consul}\n"
             "service_discovery: {enabled: yes, refresh_interval: 30}\n");

    check_notes(c, notes, XA_COUNT(notes));
}

static void
test_notes__warn_of_discovery_without_consul(void **state XA_UNUSED)
{
    static const struct expected_note notes[] = {
        {XA_WARNING, ":1: service_discovery.enabled: has no effect, because "
                     "store.type is not consul"},
    };
    XA_AUTO(xa_config_free)
    struct xa_config *c = load("service_discovery: {enabled: yes}\n");

    check_notes(c, notes, XA_COUNT(notes));
}

static void
test_notes__warn_of_secrets_that_others_can_read(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        const char *key; /* NULL: nothing to tell */
    } cases[] = {
        {"consul: {token: t}\nstore: {}\n", "1: consul.token"},
        {"consul: {token: ''}\nstore: {}\n", NULL},
        {"ldap:\n  bind_password: p\n", "2: ldap.bind_password"},
        {"db_uri: postgresql://u:p@h/d\n", "1: db_uri"},
        {"db_uri: postgresql://u@h:5432/d\n", NULL},
        {"db_uri: postgresql://h/d?password=p\n", "1: db_uri"},
        {"db_uri: host=h password=p\n", "1: db_uri"},
        {"db_uri: host=h user=u\n", NULL},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        for (unsigned mode = 0640; mode <= 0644; mode += 4) {
            XA_AUTO(xa_config_free) struct xa_config *c = NULL;
            struct xa_config_cli cli = {0};
            char path[PATH_MAX_LEN];
            char text[100];
            struct expected_note note = {XA_WARNING, text};

            put_main(cases[i].text);
            assert_int_equal(chmod(path_of("config.yml", path), mode), 0);
            assert_int_equal(load_cli(cli, &c, NULL), XA_OK);
            snprintf(text, sizeof text,
                     ":%s: is a secret in a file that everybody can read",
                     cases[i].key ? cases[i].key : "");
            check_notes(c, &note, cases[i].key && mode == 0644 ? 1 : 0);
        }
    }
}

static void
test_notes__tell_what_the_folder_cannot_do(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free) struct xa_config *c = NULL;
    char text[XA_ERR_MAX];

    put_file("conf.d/a.yaml", "debug: yes\n");
    put_file("conf.d/b.yml", "extra_config_files: /other\n");
    c = load("debug: no\n");
    drop_file("conf.d/a.yaml");
    drop_file("conf.d/b.yml");
    assert_false(c->debug);
    assert_int_equal(xa_config_note_count(c), 2);
    snprintf(text, sizeof text,
             "%s/conf.d/a.yaml: extra_config_files: is not read, only *.yml is",
             folder);
    assert_string_equal(xa_config_note(c, 0, NULL), text);
    snprintf(text, sizeof text,
             "%s/conf.d/b.yml:1: extra_config_files: has no effect here, only "
             "in the main file",
             folder);
    assert_string_equal(xa_config_note(c, 1, NULL), text);
}

static void
add_line(void *ctx, enum xa_level level XA_UNUSED, const char *line)
{
    char *lines = ctx;

    snprintf(lines + strlen(lines), 1000 - strlen(lines), "%s\n", line);
}

/* A heading with nothing below it hides no section, nor where that stands. */
static void
test_notes__tell_the_place_of_what_is_in_force(void **state XA_UNUSED)
{
    static const struct expected_note notes[] = {
        {XA_WARNING, ":2: void: " UNKNOWN},
    };
    XA_AUTO(xa_config_free) struct xa_config *c = NULL;

    put_file("conf.d/10-first.yml", "\n\n\n\nvoid:\n");
    c = load("debug: no\nvoid: {a: 1}\n");
    drop_file("conf.d/10-first.yml");
    check_notes(c, notes, XA_COUNT(notes));
}

static void
test_log_notes__are_events(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free)
    struct xa_config *c = load("amqp: 1\n\"x\\\" y=1\": 1\n");
    char lines[1000] = "";
    char expected[300];

    xa_log_capture(add_line, lines, XA_DEBUG);
    xa_config_log_notes(c);
    xa_log_capture(NULL, NULL, XA_DEBUG);
    snprintf(expected, sizeof expected,
             "INFO config.ignored_key at=\"%s/config.yml:1\" key=\"amqp\" "
             "why=\"means nothing here and is ignored\"\n",
             folder);
    assert_non_null(strstr(lines, expected));
    snprintf(expected, sizeof expected,
             "WARNING config.unknown_key at=\"%s/config.yml:2\" "
             "key=\"x\\\" y=1\" why=\"is no key that is known here\"\n",
             folder);
    assert_non_null(strstr(lines, expected));
}

/* The file that the Python service shipped, with all that it ever knew. */
static const char python_file[] =
    "log_filename: /var/log/xivo-auth.log\n"
    "pid_filename: /var/run/xivo-auth/xivo-auth.pid\n"
    "foreground: False\n"
    "debug: False\n"
    "user: www-data\n"
    "default_token_lifetime: 7200\n"
    "token_cleanup_interval: 60.0\n"
    "rest_api:\n"
    "  max_threads: 25\n"
    "  listen: 0.0.0.0\n"
    "  port: 9497\n"
    "  https:\n"
    "    listen: 0.0.0.0\n"
    "    port: 9497\n"
    "    certificate: /usr/share/xivo-certs/server.crt\n"
    "    private_key: /usr/share/xivo-certs/server.key\n"
    "    ciphers: \"ALL:!aNULL\"\n"
    "  cors:\n"
    "    enabled: True\n"
    "    allow_headers: Content-Type, authorization, x-auth-token\n"
    "enabled_plugins:\n"
    "  - ldap_user\n"
    "  - xivo_admin\n"
    "  - xivo_service\n"
    "  - xivo_user\n"
    "services:\n"
    "  xivo-agid: {key_file: /x, acls: [{rule: a, policy: read}]}\n"
    "amqp:\n"
    "  uri: amqp://guest:guest@localhost:5672/\n"
    "consul:\n"
    "  scheme: https\n"
    "  host: localhost\n"
    "  port: 8500\n"
    "  verify: /usr/share/xivo-certs/server.crt\n"
    "  token: 'the_one_ring'\n"
    "backend_policies: {ldap_user: wazo_default_user_policy}\n"
    "confd: {host: 'localhost', https: true, port: 9486}\n"
    "ldap:\n"
    "  uri: ldap://slapd\n"
    "  bind_dn_format: \"uid={username},dc=xivo\"\n"
    "  domain: xivo-auth.com\n"
    "db_uri: postgresql://asterisk:proformatique@localhost/asterisk\n"
    "service_discovery:\n"
    "  enabled: true\n"
    "  advertise_address: auto\n"
    "  advertise_address_interface: eth0\n"
    "  advertise_port: 9497\n"
    "  ttl_interval: 30\n"
    "  refresh_interval: 27\n"
    "  retry_interval: 0.5\n"
    "  extra_tags: []\n";

static void
test_load__takes_a_file_of_the_python_service(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free) struct xa_config *c = load(python_file);
    enum xa_level level;

    assert_string_equal(c->user, "www-data");
    assert_string_equal(c->store.type, "consul");
    assert_string_equal(c->store.token_keys, "plain");
    assert_string_equal(c->consul.token, "the_one_ring");
    assert_string_equal(c->consul.verify, "/usr/share/xivo-certs/server.crt");
    assert_true(c->rest_api.cors.enabled);
    assert_int_equal(c->rest_api.cors.allow_headers.count, 3);
    assert_int_equal(c->enabled_plugins.count, 4);
    assert_int_equal(c->service_discovery.retry_interval_s, 1);
    assert_int_equal(xa_config_note_count(c), 14);
    for (size_t i = 0; i < xa_config_note_count(c); i++) {
        xa_config_note(c, i, &level);
        assert_int_equal(level, XA_INFO);
    }
}

static char *
print(const struct xa_config *c)
{
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);

    assert_non_null(to);
    xa_config_print(c, to);
    assert_int_equal(fclose(to), 0);
    return text;
}

static void
test_print__hides_secrets_and_names_origins(void **state XA_UNUSED)
{
    static const char *const hidden[] = {"hush1", "hush2", "hush3", "hush4",
                                         "hush5"};
    XA_AUTO(xa_config_free)
    struct xa_config *c =
        load("user: alice\n"
             "enabled_plugins: [mine]\n"
             "consul: {token: hush1}\n"
             "db_uri: postgresql://u:hush2@h/d\n"
             "ldap: {bind_password: hush3}\n"
             "mine: {a: [1, x y], api_token: hush4, in: {Password: hush5}}\n");
    XA_AUTO(xa_str_free) char *text = print(c);
    char line[300];

    for (size_t i = 0; i < XA_COUNT(hidden); i++)
        assert_null(strstr(text, hidden[i]));
    snprintf(line, sizeof line, "user: alice  # %s/config.yml:1\n", folder);
    assert_non_null(strstr(text, line));
    assert_non_null(strstr(text, "\nlog_level: info  # default\n"));
    assert_non_null(strstr(text, "\n  type: consul  # consul without store\n"));
    assert_non_null(strstr(text, "\n  lmdb:\n    path: /var/lib/xivo-auth  #"));
    assert_non_null(strstr(text, "\n  token: \"(hidden)\"  #"));
    assert_non_null(
        strstr(text, "\ndb_uri: \"postgresql://u:(hidden)@h/d\"  #"));
    assert_non_null(strstr(text, "\nmine: {a: [1, \"x y\"], api_token: "
                                 "\"(hidden)\", in: {Password: "
                                 "\"(hidden)\"}}  #"));
}

/* All values but the secrets: printing once more changes only the origins. */
static void
test_print__can_be_loaded_again(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free) struct xa_config *first = NULL;
    XA_AUTO(xa_config_free) struct xa_config *second = NULL;
    XA_AUTO(xa_str_free) char *text = NULL;
    XA_AUTO(xa_str_free) char *again = NULL;
    struct xa_config_cli cli = {0};
    const char *a;
    const char *b;

    first = load("user: 'true'\nuuid: \"# 1\"\nlog_level: Error\n"
                 "rest_api: {read_timeout: .5, cors: {origins: [a, 'b: c']}}\n"
                 "authorize: {paths: [{path: '/a/*', as: /x}]}\n");
    text = print(first);
    put_file("config.yml", text);
    assert_int_equal(load_cli(cli, &second, NULL), XA_OK);
    again = print(second);
    for (a = text, b = again; *a && *b; a++, b++) {
        size_t len = (size_t)(strstr(a, "  # ") - a);

        if (strncmp(a, b, len + 4) != 0)
            fail_msg("%.*s", (int)len, a);
        a = strchr(a + len, '\n');
        b = strchr(b + len, '\n');
    }
    assert_true(!*a && !*b);
}

/* --- the file that is installed ------------------------------------------- */

static void
read_shipped(char *out, size_t size)
{
    FILE *from = fopen(TEST_SRCDIR "/scripts/config.yml", "r");
    size_t len;

    assert_non_null(from);
    len = fread(out, 1, size - 1, from);
    assert_true(len > 0 && len < size - 1);
    out[len] = '\0';
    fclose(from);
}

static void
test_shipped_file__loads_without_a_note(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free) struct xa_config *c = NULL;
    char text[16384];

    read_shipped(text, sizeof text);
    c = load(text);
    assert_int_equal(xa_config_note_count(c), 0);
    assert_int_equal(c->enabled_plugins.count, 1);
    assert_string_equal(c->enabled_plugins.items[0], "users_file");
}

/* Take the # from every key; the text above the first blank line is prose. */
static void
uncomment(char *text)
{
    char *to = strstr(text, "\n\n") + 2;
    const char *from = to;

    while (*from) {
        from += *from == '#';
        while (*from && (*to++ = *from++) != '\n')
            continue;
    }
    *to = '\0';
}

static void
test_shipped_file__shows_every_key_with_its_default(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free) struct xa_config *defaults = NULL;
    XA_AUTO(xa_node_free) struct xa_node *root = NULL;
    char shipped[16384];
    char text[16384];

    read_shipped(shipped, sizeof shipped);
    memcpy(text, shipped, sizeof text);
    uncomment(text);
    assert_int_equal(xa_yaml_parse("config.yml", text, strlen(text),
                                   XA_YAML_NODES_MAX, &root, NULL),
                     XA_OK);
    assert_int_equal(xa_config_defaults(&defaults, NULL), XA_OK);
    for (size_t i = 0; i < xa_option_count; i++) {
        const struct xa_option *o = &xa_options[i];
        XA_AUTO(xa_buf_free) struct xa_buf shown = XA_BUF(4096);
        XA_AUTO(xa_buf_free) struct xa_buf value = XA_BUF(4096);
        const struct xa_node *node = xa_node_at(root, o->key);
        const struct xa_node *def = xa_node_at(defaults->root, o->key);

        if (!node)
            fail_msg("%s is not in scripts/config.yml", o->key);
        if (!strstr(shipped, o->help))
            fail_msg("help of %s is another", o->key);
        if (strstr(xa_node_text(def) ? xa_node_text(def) : "", "/xivo-auth/"))
            continue; /* paths depend on where the build installs to */
        if (def)
            xa_yaml_put_node(&value, def, NULL);
        xa_yaml_put_node(&shown, node, NULL);
        if (strcmp(xa_buf_text(&shown), def ? xa_buf_text(&value) : "null"))
            fail_msg("%s: shown with %s", o->key, xa_buf_text(&shown));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notes__tell_unknown_and_old_keys),
        cmocka_unit_test(test_notes__take_consul_alone_as_an_old_file),
        cmocka_unit_test(test_notes__warn_of_what_cannot_work_well),
        cmocka_unit_test(test_notes__warn_of_discovery_without_consul),
        cmocka_unit_test(test_notes__warn_of_secrets_that_others_can_read),
        cmocka_unit_test(test_notes__tell_what_the_folder_cannot_do),
        cmocka_unit_test(test_notes__tell_the_place_of_what_is_in_force),
        cmocka_unit_test(test_log_notes__are_events),
        cmocka_unit_test(test_load__takes_a_file_of_the_python_service),
        cmocka_unit_test(test_print__hides_secrets_and_names_origins),
        cmocka_unit_test(test_print__can_be_loaded_again),
        cmocka_unit_test(test_shipped_file__loads_without_a_note),
        cmocka_unit_test(test_shipped_file__shows_every_key_with_its_default),
    };

    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
