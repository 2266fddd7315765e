/* test_config.c - what a configuration may say, and who wins. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/support/config.h"
#include "core/support/config_notes.h"
#include "tests/fakes/alloc.h"
#include "tests/unit/config_files.h"
#include "tests/unit/unit.h"

static void
test_defaults__are_those_of_the_manual(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free) struct xa_config *c = NULL;

    assert_int_equal(xa_config_defaults(&c, NULL), XA_OK);
    assert_string_equal(c->path, "");
    assert_non_null(strstr(c->extra_config_files, "/xivo-auth/conf.d"));
    assert_null(c->user);
    assert_false(c->debug);
    assert_int_equal(c->log_level, XA_INFO);
    assert_string_equal(c->log_filename, "/var/log/xivo-auth.log");
    assert_int_equal(c->default_token_lifetime_s, 7200);
    assert_int_equal(c->max_token_lifetime_s, 315360000);
    assert_null(c->uuid);
    assert_int_equal(c->enabled_plugins.count, 1);
    assert_string_equal(c->enabled_plugins.items[0], "users_file");
    assert_non_null(strstr(c->backend_dir, "/xivo-auth/backends"));
    assert_int_equal(c->default_user_acls.count, 27);
    assert_string_equal(c->default_user_acls.items[0], "confd.users.me.read");
    assert_true(xa_strlist_has(&c->default_user_acls, "dird.personal.#"));
    assert_string_equal(c->default_user_acls.items[26], "websocketd");
    assert_int_equal(c->rest_api.max_body_size, 16384);
    assert_int_equal(c->rest_api.read_timeout_ms, 5000);
    assert_int_equal(c->rest_api.drain_timeout_ms, 5000);
    assert_int_equal(c->rest_api.max_connections, 1000);
    assert_false(c->rest_api.cors.enabled);
    assert_true(xa_strlist_has(&c->rest_api.cors.origins, "*"));
    assert_int_equal(c->rest_api.cors.methods.count, 5);
    assert_int_equal(c->rest_api.cors.allow_headers.count, 3);
    assert_string_equal(c->rest_api.cors.allow_headers.items[1],
                        "authorization");
    assert_int_equal(c->rest_api.cors.expose_headers.count, 0);
    assert_false(c->rest_api.cors.supports_credentials);
    assert_int_equal(c->rest_api.cors.max_age_s, 600);
    assert_int_equal(xa_config_note_count(c), 0);
}

static void
test_defaults__of_stores_and_daemons(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free) struct xa_config *c = NULL;

    assert_int_equal(xa_config_defaults(&c, NULL), XA_OK);
    assert_string_equal(c->store.type, "lmdb");
    assert_string_equal(c->store.token_keys, "sha256");
    assert_string_equal(c->store.lmdb.path, "/var/lib/xivo-auth");
    assert_true(c->store.lmdb.max_size == UINT64_C(8589934592));
    assert_true(c->store.lmdb.sync);
    assert_string_equal(c->consul.scheme, "http");
    assert_int_equal(c->consul.hosts.count, 1);
    assert_string_equal(c->consul.hosts.items[0], "localhost");
    assert_int_equal(c->consul.port, 8500);
    assert_null(c->consul.token);
    assert_string_equal(c->consul.verify, "true");
    assert_null(c->consul.cert);
    assert_null(c->consul.key);
    assert_int_equal(c->consul.timeout_ms, 1000);
    assert_string_equal(c->consul.prefix, "xivo/xivo-auth/");
    assert_null(c->consul.datacenter);
    assert_string_equal(c->consul.consistency, "default");
    assert_int_equal(c->consul.stale_max_s, 10);
    assert_int_equal(c->expiry.interval_ms, 1000);
    assert_int_equal(c->expiry.look_back_s, 300);
    assert_int_equal(c->expiry.txn_operations, 64);
    assert_int_equal(c->expiry.clock_grace_s, 60);
    assert_false(c->service_discovery.enabled);
    assert_string_equal(c->service_discovery.socket,
                        "/run/xivo-auth/check.sock");
    assert_string_equal(c->service_discovery.advertise_address, "auto");
    assert_string_equal(c->service_discovery.advertise_address_interface,
                        "eth0");
    assert_int_equal(c->service_discovery.advertise_port, 9497);
    assert_int_equal(c->service_discovery.ttl_interval_s, 30);
    assert_int_equal(c->service_discovery.refresh_interval_s, 27);
    assert_int_equal(c->service_discovery.retry_interval_s, 2);
    assert_int_equal(c->service_discovery.extra_tags.count, 0);
}

/* What backends read for themselves is in the tree, with its defaults. */
static void
test_load__gives_backends_their_defaults(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free)
    struct xa_config *c = load("ldap: {uri: ldap://x, start_tls: ~}\npam:\n");
    const struct xa_node *ldap = xa_node_get(c->root, "ldap");
    const struct xa_node *file = xa_node_get(c->root, "users_file");

    assert_non_null(strstr(xa_node_text(xa_node_get(file, "path")),
                           "/xivo-auth/users.yml"));
    assert_string_equal(xa_node_text(xa_node_get(ldap, "uri")), "ldap://x");
    assert_string_equal(xa_node_text(xa_node_get(ldap, "user_login_attribute")),
                        "uid");
    assert_string_equal(xa_node_text(xa_node_get(ldap, "start_tls")), "false");
    assert_string_equal(
        xa_node_text(xa_node_get(xa_node_get(c->root, "pam"), "service")),
        "xivo-auth");
    assert_int_equal(xa_node_count(xa_node_get(c->root, "default_user_acls")),
                     27);
}

static void
test_load__reads_numbers_words_and_lists(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free)
    struct xa_config *c =
        load("user: ~\n"
             "debug: Off\n"
             "log_level: WARNING\n"
             "log_filename: syslog\n"
             "default_token_lifetime: 60.5\n"
             "max_token_lifetime: '61'\n"
             "uuid: ''\n"
             "enabled_plugins: xivo_user, mock\n"
             "rest_api:\n"
             "  max_body_size: 1048576\n"
             "  read_timeout: 0.25\n"
             "  drain_timeout: 0\n"
             "  cors:\n"
             "    origins: [https://a, https://b]\n"
             "    allow_headers: ' X-One ,,X-Two x'\n"
             "    expose_headers: ~\n"
             "    methods:\n"
             "consul: {host: [c1, c2], verify: /etc/ca.pem, timeout: 2.5,\n"
             "  prefix: a/b, token: ''}\n"
             "store: {type: consul}\n"
             "service_discovery: {retry_interval: 0.1, extra_tags: one}\n");

    assert_null(c->user);
    assert_int_equal(c->log_level, XA_WARNING);
    assert_string_equal(c->log_filename, "syslog");
    assert_int_equal(c->default_token_lifetime_s, 61);
    assert_int_equal(c->max_token_lifetime_s, 61);
    assert_null(c->uuid);
    assert_int_equal(c->enabled_plugins.count, 2);
    assert_string_equal(c->enabled_plugins.items[1], "mock");
    assert_int_equal(c->rest_api.max_body_size, 1048576);
    assert_int_equal(c->rest_api.read_timeout_ms, 250);
    assert_int_equal(c->rest_api.drain_timeout_ms, 0);
    assert_int_equal(c->rest_api.cors.origins.count, 2);
    assert_int_equal(c->rest_api.cors.allow_headers.count, 2);
    assert_string_equal(c->rest_api.cors.allow_headers.items[0], "X-One");
    assert_string_equal(c->rest_api.cors.allow_headers.items[1], "X-Two x");
    assert_int_equal(c->rest_api.cors.methods.count, 5);
    assert_string_equal(c->consul.hosts.items[1], "c2");
    assert_string_equal(c->consul.verify, "/etc/ca.pem");
    assert_int_equal(c->consul.timeout_ms, 2500);
    assert_string_equal(c->consul.prefix, "a/b/");
    assert_null(c->consul.token);
    assert_string_equal(c->store.token_keys, "sha256");
    assert_int_equal(c->service_discovery.retry_interval_s, 1);
    assert_string_equal(c->service_discovery.extra_tags.items[0], "one");
    assert_int_equal(xa_config_note_count(c), 0);
}

/* "a, b" and [a, b] are the same to a backend, which sees the tree. */
static void
test_load__makes_lists_of_texts(void **state XA_UNUSED)
{
    struct xa_config *c = load("default_user_acls: \"!a, b\"\n");
    const struct xa_node *node = xa_node_at(c->root, "default_user_acls");

    assert_int_equal(xa_node_count(node), 2);
    assert_string_equal(xa_node_text(xa_node_item(node, 0, NULL)), "!a");
    assert_string_equal(xa_node_text(xa_node_item(node, 1, NULL)), "b");
    xa_config_free(&c);
}

static void
test_load__takes_verify_as_boolean(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        const char *verify;
    } cases[] = {
        {"yes", "true"}, {"True", "true"}, {"off", "false"}, {"~", "true"}};
    char text[100];

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_config_free) struct xa_config *c = NULL;

        snprintf(text, sizeof text, "store: {}\nconsul: {verify: %s}\n",
                 cases[i].text);
        c = load(text);
        assert_string_equal(c->consul.verify, cases[i].verify);
    }
}

#define SECONDS "expected a number of seconds from "

#define HOSTS "expected names or addresses, without scheme, port or path"

#define PREFIX                                                                 \
    "a path like xivo/xivo-auth/, without a slash at its head, empty parts, "  \
    ". and .."

static const struct {
    const char *text;
    const char *why; /* behind the path */
} refusals[] = {
    {"rest_api:\n  max_body_size: many\n",
     ":2: rest_api.max_body_size: found \"many\", expected a whole number "
     "of bytes from 1 to 1048576"},
    {"rest_api: {max_body_size: 0}\n",
     ":1: rest_api.max_body_size: found \"0\", expected a whole number of "
     "bytes from 1 to 1048576"},
    {"rest_api: {max_body_size: 1048577}\n",
     ":1: rest_api.max_body_size: found \"1048577\", expected a whole "
     "number of bytes from 1 to 1048576"},
    {"rest_api: {max_body_size: 1.5}\n",
     ":1: rest_api.max_body_size: found \"1.5\", expected a whole number "
     "of bytes from 1 to 1048576"},
    {"rest_api: {read_timeout: 0}\n",
     ":1: rest_api.read_timeout: found \"0\", " SECONDS "0.1 to 3600"},
    {"rest_api: {read_timeout: -1}\n",
     ":1: rest_api.read_timeout: found \"-1\", " SECONDS "0.1 to 3600"},
    {"rest_api: 5\n",
     ":1: rest_api: found a text (not shown), expected a mapping"},
    {"rest_api: {cors: [a]}\n",
     ":1: rest_api.cors: found a list, expected a mapping"},
    {"rest_api: {cors: {origins: {a: b}}}\n",
     ":1: rest_api.cors.origins: found a mapping, expected a text or a "
     "list of texts"},
    {"rest_api:\n  cors:\n    methods:\n      - GET\n      - ~\n",
     ":5: rest_api.cors.methods: found nothing, expected a text or a list "
     "of texts"},
    {"consul: {timeout: 2.6}\n",
     ":1: consul.timeout: found \"2.6\", " SECONDS "0.1 to 2.5"},
    {"consul: {timeout: 0.09}\n",
     ":1: consul.timeout: found \"0.09\", " SECONDS "0.1 to 2.5"},
    {"consul: {port: 65536}\n",
     ":1: consul.port: found \"65536\", expected a whole number from 1 to "
     "65535"},
    {"consul: {scheme: ftp}\n",
     ":1: consul.scheme: found \"ftp\", expected http or https"},
    {"consul: {scheme: or}\n",
     ":1: consul.scheme: found \"or\", expected http or https"},
    {"consul: {host: []}\n", ":1: consul.host: found a list, " HOSTS},
    {"consul: {host: \"http://a\"}\n",
     ":1: consul.host: found \"http://a\", " HOSTS},
    {"consul:\n  host: [a, a/b]\n", ":2: consul.host: found \"a/b\", " HOSTS},
    {"consul:\n  host:\n  - a:\n", ":3: consul.host: found a mapping, " HOSTS},
    {"consul: {host: a?b}\n", ":1: consul.host: found \"a?b\", " HOSTS},
    {"consul: {host: a@b}\n", ":1: consul.host: found \"a@b\", " HOSTS},
    {"consul: {host: a b}\n", ":1: consul.host: found \"a b\", " HOSTS},
    {"consul: {host: 'a#b'}\n", ":1: consul.host: found \"a#b\", " HOSTS},
    {"consul: {host: \xc3\xa4}\n",
     ":1: consul.host: found \"\xc3\xa4\", " HOSTS},
    {"consul: {host: ''}\n", ":1: consul.host: found \"\", " HOSTS},
    {"consul: {verify: ca.pem}\n",
     ":1: consul.verify: found \"ca.pem\", expected true, false or the "
     "absolute path of a CA file"},
    {"consul: {token: [hush]}\n",
     ":1: consul.token: found a list, expected a text of 1 to 4096 bytes "
     "without control characters"},
    {"consul: {token: \"hu\\tsh\"}\n",
     ":1: consul.token: found a text (not shown), expected a text of 1 to "
     "4096 bytes without control characters"},
    {"uuid: \"a\\x92b\"\n",
     ":1: uuid: found \"a\xc2\x92" "b\", expected a text of 1 to 256 bytes "
     "without control characters"},
    {"consul: {prefix: ''}\n",
     ":1: consul.prefix: found \"\", expected a text of 1 to 255 bytes "
     "without control characters"},
    {"expiry: {txn_operations: 3}\n",
     ":1: expiry.txn_operations: found \"3\", expected a whole number of "
     "operations from 4 to 128"},
    {"expiry: {txn_operations: 129}\n",
     ":1: expiry.txn_operations: found \"129\", expected a whole number "
     "of operations from 4 to 128"},
    {"debug: maybe\n", ":1: debug: found \"maybe\", expected true or false"},
    {"debug: 'true'\n", ":1: debug: found \"true\", expected true or false"},
    {"log_level: loud\n",
     ":1: log_level: found \"loud\", expected critical, error, warning, "
     "info or debug"},
    {"log_level: debugdebugdebug1\n",
     ":1: log_level: found \"debugdebugdebug1\", expected critical, error, "
     "warning, info or debug"},
    {"log_level: [debug]\n",
     ":1: log_level: found a list, expected critical, error, warning, info "
     "or debug"},
    {"log_filename: log.txt\n",
     ":1: log_filename: found \"log.txt\", expected an absolute path, "
     "stderr or syslog"},
    {"default_token_lifetime: 0\n",
     ":1: default_token_lifetime: found \"0\", " SECONDS "1 to 315360000"},
    {"enabled_plugins:\n  - mock\n  - Mock\n",
     ":3: enabled_plugins: found \"Mock\", expected names made of a to z, "
     "0 to 9 and _"},
    {"enabled_plugins: ../evil\n",
     ":1: enabled_plugins: found \"../evil\", expected names made of a to "
     "z, 0 to 9 and _"},
    {"enabled_plugins: {mock: true}\n",
     ":1: enabled_plugins: found a mapping, expected names made of a to "
     "z, 0 to 9 and _"},
    {"store: {type: redis}\n",
     ":1: store.type: found \"redis\", expected lmdb or consul"},
    {"store: {lmdb: {path: tokens}}\n",
     ":1: store.lmdb.path: found \"tokens\", expected an absolute path"},
    {"store: {lmdb: {max_size: 1000}}\n",
     ":1: store.lmdb.max_size: found \"1000\", expected a whole number of "
     "bytes from 1048576 to 17592186044416"},
    /* keys that backends and handlers read for themselves */
    {"users_file: {path: users.yml}\n",
     ":1: users_file.path: found \"users.yml\", expected an absolute "
     "path"},
    {"authorize: {paths: 1}\n",
     ":1: authorize.paths: found \"1\", expected a list"},
    {"authorize:\n  paths:\n  - {path: /a, to: /b}\n",
     ":3: authorize.paths: found key \"to\", expected a row like {path: "
     "/confd/1.1, as: /}"},
    {"ldap: {start_tls: perhaps}\n",
     ":1: ldap.start_tls: found \"perhaps\", expected true or false"},
    {"ldap: {bind_password: {a: b}}\n",
     ":1: ldap.bind_password: found a mapping, expected a text of 1 to "
     "4096 bytes without control characters"},
    {"db_uri: []\n", ":1: db_uri: found a list, expected a text of 1 to "
                     "4096 bytes without control characters"},
    /* more than one key */
    {"default_token_lifetime: 100\n\nmax_token_lifetime: 99\n",
     ":1: default_token_lifetime: found \"100\", expected at most "
     "max_token_lifetime, which is 99 (%s:3)"},
    {"rest_api:\n  cors: {enabled: yes, supports_credentials: yes}\n",
     ":2: rest_api.cors.supports_credentials: found \"yes\", expected "
     "false as long as rest_api.cors.origins has \"*\""},
    {"service_discovery: {enabled: yes, advertise_address: a b}\n",
     ":1: service_discovery.advertise_address: found \"a b\", expected a "
     "name, an address or auto"},
    {"consul: {prefix: /a}\n",
     ":1: consul.prefix: found \"/a\", expected " PREFIX},
    {"consul: {prefix: a//b}\n",
     ":1: consul.prefix: found \"a//b\", expected " PREFIX},
    {"consul: {prefix: a/..}\n",
     ":1: consul.prefix: found \"a/..\", expected " PREFIX},
    {"consul: {prefix: ./a/}\n",
     ":1: consul.prefix: found \"./a/\", expected " PREFIX},
    /* the file itself */
    {"ldap:\n  bind_password: !x\n",
     ":2: a tag (!...) is not accepted; put a value that begins with \"!\" "
     "into quotes"},
    {"debug: on\ndebug: off\n",
     ":2: key \"debug\" stands twice in one mapping, first in line 1"},
};

static void
test_load__refuses_with_place_key_found_and_expected(void **state XA_UNUSED)
{
    for (size_t i = 0; i < XA_COUNT(refusals); i++) {
        XA_AUTO(xa_config_free) struct xa_config *config = NULL;
        struct xa_config_cli cli = {0};
        struct xa_err err = XA_ERR_NONE;
        char path[PATH_MAX_LEN];
        char rest[XA_ERR_MAX];
        char why[XA_ERR_MAX];

        put_main(refusals[i].text);
        assert_int_equal(load_cli(cli, &config, &err), XA_E_CONFIG);
        assert_null(config);
        path_of("config.yml", path);
        if (strstr(refusals[i].why, "%s")) {
            size_t before =
                (size_t)(strstr(refusals[i].why, "%s") - refusals[i].why);

            snprintf(rest, sizeof rest, "%.*s%s%s", (int)before,
                     refusals[i].why, path, refusals[i].why + before + 2);
        } else {
            snprintf(rest, sizeof rest, "%s", refusals[i].why);
        }
        snprintf(why, sizeof why, "%s%s", path, rest);
        assert_string_equal(err.text, why);
    }
}

/* Else every login that gets them would fail. */
static void
test_load__refuses_more_acls_than_an_identity_holds(void **state XA_UNUSED)
{
    static const struct {
        size_t count;
        int len; /* of each */
        enum xa_rc rc;
    } table[] = {
        {1024, 32, XA_OK}, {1024, 33, XA_E_CONFIG}, {1025, 1, XA_E_CONFIG},
        {32, 1024, XA_OK}, {33, 1024, XA_E_CONFIG},
    };

    for (size_t i = 0; i < XA_COUNT(table); i++) {
        XA_AUTO(xa_buf_free) struct xa_buf yaml = XA_BUF(65536);
        XA_AUTO(xa_config_free) struct xa_config *config = NULL;
        struct xa_config_cli cli = {0};
        struct xa_err err = XA_ERR_NONE;

        xa_buf_putf(&yaml, "extra_config_files: %s/conf.d\n", folder);
        xa_buf_puts(&yaml, "default_user_acls: ");
        for (size_t acl = 0; acl < table[i].count; acl++)
            xa_buf_putf(&yaml, "%0*d, ", table[i].len, 1);
        put_file("config.yml", xa_buf_text(&yaml));
        assert_int_equal(load_cli(cli, &config, &err), table[i].rc);
        if (table[i].rc != XA_OK)
            assert_non_null(strstr(err.text, "expected at most 1024 ACLs of "
                                             "32768 bytes in all"));
    }
}

static void
test_load__refuses_a_file_that_is_no_mapping(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"- a\n", ":1: found a list, expected a mapping"},
        {"\nhello\n", ":2: found a text, expected a mapping"},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_config_free) struct xa_config *config = NULL;
        struct xa_config_cli cli = {0};
        struct xa_err err = XA_ERR_NONE;
        char why[XA_ERR_MAX];
        char path[PATH_MAX_LEN];

        put_file("config.yml", cases[i].text);
        assert_int_equal(load_cli(cli, &config, &err), XA_E_CONFIG);
        snprintf(why, sizeof why, "%s%s", path_of("config.yml", path),
                 cases[i].why);
        assert_string_equal(err.text, why);
    }
}

/* What the lowest layer to the highest say, and who is heard. */
static void
test_load__command_line_folder_file_defaults(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free) struct xa_config *c = NULL;
    struct xa_config_cli cli = {.user = "carol"};

    put_main("user: alice\n"
             "uuid: from-file\n"
             "rest_api: {max_body_size: 1, max_connections: 1}\n"
             "enabled_plugins: [one, two]\n"
             "consul: {host: main}\n"
             "store: {lmdb: {path: /main, sync: no}}\n");
    put_file("conf.d/10-first.yml", "user: bob\n"
                                    "rest_api: {max_connections: 2}\n"
                                    "enabled_plugins: [three]\n"
                                    "consul:\n");
    put_file("conf.d/20-second.yml",
             "rest_api: {max_connections: 3, read_timeout: 3}\n"
             "store: {lmdb: {path: /second}}\n");
    put_file("conf.d/.30-hidden.yml", "log_level: error\n");
    put_file("conf.d/40-not.yml~", "log_level: error\n");
    assert_int_equal(load_cli(cli, &c, NULL), XA_OK);
    drop_file("conf.d/10-first.yml");
    drop_file("conf.d/20-second.yml");
    drop_file("conf.d/.30-hidden.yml");
    drop_file("conf.d/40-not.yml~");

    assert_string_equal(c->user, "carol");
    assert_string_equal(c->uuid, "from-file");
    assert_int_equal(c->rest_api.max_body_size, 1);
    assert_int_equal(c->rest_api.max_connections, 2);
    assert_int_equal(c->rest_api.read_timeout_ms, 3000);
    assert_int_equal(c->rest_api.drain_timeout_ms, 5000);
    assert_int_equal(c->enabled_plugins.count, 1);
    assert_string_equal(c->enabled_plugins.items[0], "three");
    assert_string_equal(c->consul.hosts.items[0], "main"); /* a bare heading */
    assert_string_equal(c->store.lmdb.path, "/second");
    assert_false(c->store.lmdb.sync);
    assert_int_equal(c->log_level, XA_INFO);
    assert_int_equal(xa_config_note_count(c), 0);
}

static void
test_load__command_line_decides_the_level(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        bool debug;            /* -d */
        const char *log_level; /* -l */
        enum xa_level level;
    } cases[] = {
        {"", false, NULL, XA_INFO},
        {"", true, NULL, XA_DEBUG},
        {"", false, "error", XA_ERROR},
        {"", true, "error", XA_DEBUG},
        {"debug: true\nlog_level: error\n", false, NULL, XA_DEBUG},
        {"debug: true\n", false, "warning", XA_WARNING},
        {"log_level: critical\n", false, "Info", XA_INFO},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        XA_AUTO(xa_config_free) struct xa_config *c = NULL;
        struct xa_config_cli cli = {.debug = cases[i].debug,
                                    .log_level = cases[i].log_level};

        put_main(cases[i].text);
        assert_int_equal(load_cli(cli, &c, NULL), XA_OK);
        assert_int_equal(c->log_level, cases[i].level);
        assert_int_equal(c->debug, cases[i].level == XA_DEBUG);
    }
}

static void
test_load__names_the_command_line(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free) struct xa_config *c = NULL;
    struct xa_config_cli cli = {.log_level = "a: {b"};
    struct xa_err err = XA_ERR_NONE;

    put_main("log_level: info\n");
    assert_int_equal(load_cli(cli, &c, &err), XA_E_CONFIG);
    assert_string_equal(err.text,
                        "command line: log_level: found \"a: {b\", expected "
                        "critical, error, warning, info or debug");
}

static void
test_load__takes_uuid_and_path_of_the_environment(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free) struct xa_config *from_env = NULL;
    XA_AUTO(xa_config_free) struct xa_config *past_empty = NULL;
    XA_AUTO(xa_config_free) struct xa_config *from_file = NULL;
    struct xa_config_cli cli = {0};
    char path[PATH_MAX_LEN];

    setenv("XIVO_UUID", "from-env", 1);
    setenv("XIVO_AUTH_CONFIG", path_of("config.yml", path), 1);
    put_main("uuid: ~\n");
    assert_int_equal(xa_config_load(&cli, &from_env, NULL), XA_OK);
    from_file = load("uuid: from-file\n");
    past_empty = load("uuid: ''\n");
    unsetenv("XIVO_UUID");
    unsetenv("XIVO_AUTH_CONFIG");

    assert_string_equal(from_env->path, path);
    assert_string_equal(from_env->uuid, "from-env");
    assert_string_equal(from_file->uuid, "from-file");
    assert_string_equal(past_empty->uuid, "from-env");
}

static void
test_load__refuses_files_that_are_not_there(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free) struct xa_config *c = NULL;
    struct xa_config_cli cli = {.path = "/nonexistent/config.yml"};
    struct xa_err err = XA_ERR_NONE;
    char path[PATH_MAX_LEN];
    char why[XA_ERR_MAX];

    assert_int_equal(xa_config_load(&cli, &c, &err), XA_E_CONFIG);
    assert_string_equal(err.text, "/nonexistent/config.yml: cannot be opened: "
                                  "No such file or directory");
    put_file("config.yml", "\nextra_config_files: /nonexistent\n");
    assert_int_equal(load_cli(cli, &c, &err), XA_E_CONFIG);
    snprintf(why, sizeof why,
             "%s:2: extra_config_files: cannot read \"/nonexistent\": No such "
             "file or directory",
             path_of("config.yml", path));
    assert_string_equal(err.text, why);
}

/* Every old file names it, and the Python service did not miss it. */
static void
test_load__does_without_the_usual_folder(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free) struct xa_config *c = NULL;
    struct xa_config_cli cli = {0};

    if (access("/etc/xivo-auth/conf.d", F_OK) == 0)
        skip();
    put_file("config.yml", "extra_config_files: /etc/xivo-auth/conf.d/\n");
    assert_int_equal(load_cli(cli, &c, NULL), XA_OK);
}

/* A name that only begins like the usual one is some other folder. */
static void
test_load__wants_every_other_folder(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free) struct xa_config *c = NULL;
    struct xa_config_cli cli = {0};
    struct xa_err err = XA_ERR_NONE;

    put_file("config.yml", "extra_config_files: /etc/xivo-auth/conf.d/no\n");
    assert_int_equal(load_cli(cli, &c, &err), XA_E_CONFIG);
    assert_non_null(strstr(err.text, "cannot read "
                                     "\"/etc/xivo-auth/conf.d/no\": "));
}

static void
test_load__names_a_file_without_slashes_too_many(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free) struct xa_config *c = NULL;
    struct xa_config_cli cli = {0};
    struct xa_err err = XA_ERR_NONE;
    char text[XA_ERR_MAX];

    snprintf(text, sizeof text, "extra_config_files: %s/conf.d///\n", folder);
    put_file("config.yml", text);
    put_file("conf.d/a.yml", "debug: 7\n");
    assert_int_equal(load_cli(cli, &c, &err), XA_E_CONFIG);
    drop_file("conf.d/a.yml");
    snprintf(text, sizeof text, "%s/conf.d/a.yml:1: debug: ", folder);
    assert_memory_equal(err.text, text, strlen(text));
}

static void
test_load__names_the_file_of_the_folder(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free) struct xa_config *c = NULL;
    struct xa_config_cli cli = {0};
    struct xa_err err = XA_ERR_NONE;
    char why[XA_ERR_MAX];

    put_main("debug: no\n");
    put_file("conf.d/a.yml", "\ndebug: 7\n");
    assert_int_equal(load_cli(cli, &c, &err), XA_E_CONFIG);
    drop_file("conf.d/a.yml");
    snprintf(why, sizeof why,
             "%s/conf.d/a.yml:2: debug: found \"7\", expected true or false",
             folder);
    assert_string_equal(err.text, why);
}

/* Leaks on the way out are for the sanitizer to find. */
static void
test_load__survives_any_failed_allocation(void **state XA_UNUSED)
{
    struct xa_config_cli cli = {.user = "u", .log_level = "info"};
    bool has_failed = true;

    put_main("amqp: 1\nunknown: 2\nconsul: {token: t, prefix: p}\n"
             "enabled_plugins: [a, b]\n");
    put_file("conf.d/a.yml", "uuid: x\nextra_config_files: /x\n");
    for (unsigned n = 1; has_failed; n++) {
        XA_AUTO(xa_config_free) struct xa_config *c = NULL;
        enum xa_rc rc;

        fake_alloc_fail(n);
        rc = load_cli(cli, &c, NULL);
        has_failed = fake_alloc_has_failed();
        fake_alloc_fail(0);
        assert_int_equal(rc, has_failed ? XA_E_NOMEM : XA_OK);
        assert_true(n < 5000);
    }
    drop_file("conf.d/a.yml");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults__are_those_of_the_manual),
        cmocka_unit_test(test_defaults__of_stores_and_daemons),
        cmocka_unit_test(test_load__gives_backends_their_defaults),
        cmocka_unit_test(test_load__reads_numbers_words_and_lists),
        cmocka_unit_test(test_load__makes_lists_of_texts),
        cmocka_unit_test(test_load__takes_verify_as_boolean),
        cmocka_unit_test(test_load__refuses_with_place_key_found_and_expected),
        cmocka_unit_test(test_load__refuses_more_acls_than_an_identity_holds),
        cmocka_unit_test(test_load__refuses_a_file_that_is_no_mapping),
        cmocka_unit_test(test_load__command_line_folder_file_defaults),
        cmocka_unit_test(test_load__command_line_decides_the_level),
        cmocka_unit_test(test_load__names_the_command_line),
        cmocka_unit_test(test_load__takes_uuid_and_path_of_the_environment),
        cmocka_unit_test(test_load__refuses_files_that_are_not_there),
        cmocka_unit_test(test_load__does_without_the_usual_folder),
        cmocka_unit_test(test_load__wants_every_other_folder),
        cmocka_unit_test(test_load__names_a_file_without_slashes_too_many),
        cmocka_unit_test(test_load__names_the_file_of_the_folder),
        cmocka_unit_test(test_load__survives_any_failed_allocation),
    };

    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
