/* config_table.c - a row for each key of the configuration. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/config_table.h"

#include <string.h>

#include "core/base/auto.h"
#include "core/support/config.h"

#define AT(member) offsetof(struct xa_config, member)
#define DAY 86400
#define TEN_YEARS 315360000 /* seconds */
#define MIB 1048576
#define TIB (INT64_C(1) << 40)
#define NAME_MAX_LEN 255
#define ID_MAX_LEN 256
#define TEXT_MAX_LEN 4096

static const char default_user_acls[] =
    "[confd.users.me.read, confd.users.me.update,"
    " confd.users.me.funckeys.*, confd.users.me.funckeys.*.*,"
    " \"confd.users.me.#.read\", confd.users.me.services.*.*,"
    " confd.users.me.forwards.*.*, \"ctid-ng.users.me.#\","
    " ctid-ng.users.*.presences.read, ctid-ng.lines.*.presences.read,"
    " ctid-ng.transfers.*.read, ctid-ng.transfers.*.delete,"
    " ctid-ng.transfers.*.complete.update, \"dird.#.me.read\","
    " \"dird.directories.favorites.#\", dird.directories.lookup.*.headers.read,"
    " dird.directories.lookup.*.read, dird.directories.personal.*.read,"
    " \"dird.personal.#\", events.calls.me, events.transfers.me,"
    " events.chat.message.*.me, events.statuses.*, events.switchboards,"
    " \"events.users.me.#\", \"events.config.users.me.#\", websocketd]";

/* Keys of one section stand together, for printing. */
const struct xa_option xa_options[] = {
    {"extra_config_files", XA_OPTION_PATH, AT(extra_config_files),
     .def = "\"" XA_SYSCONFDIR "/conf.d\"",
     .help = "Its *.yml win over this file, the first most."},
    {"user", XA_OPTION_TEXT, AT(user), .max = NAME_MAX_LEN,
     .help = "User to run as, when started by root."},
    {"debug", XA_OPTION_BOOL, AT(debug), .def = "false",
     .help = "Write everything to the log, whatever log_level says."},
    {"log_level", XA_OPTION_LEVEL, AT(log_level), .def = "info",
     .help = "critical, error, warning, info or debug."},
    {"log_filename", XA_OPTION_LOG_FILE, AT(log_filename),
     .def = "/var/log/xivo-auth.log",
     .help = "Path of the log, or stderr, or syslog."},
    {"default_token_lifetime", XA_OPTION_SECONDS, AT(default_token_lifetime_s),
     .min = 1, .max = TEN_YEARS, .unit = "seconds", .def = "7200",
     .help = "Life of a token when none is asked for."},
    {"max_token_lifetime", XA_OPTION_SECONDS, AT(max_token_lifetime_s),
     .min = 1, .max = TEN_YEARS, .unit = "seconds", .def = "315360000",
     .help = "Longest life that may be asked for."},
    {"uuid", XA_OPTION_TEXT, AT(uuid), .max = ID_MAX_LEN,
     .help = "UUID of this XiVO; else $XIVO_UUID."},
    {"enabled_plugins", XA_OPTION_NAMES, AT(enabled_plugins),
     .def = "[users_file]",
     .help = "Backends that may say who somebody is."},
    {"backend_dir", XA_OPTION_PATH, AT(backend_dir),
     .def = "\"" XA_BACKENDDIR "\"",
     .help = "Folder with the backends, NAME.so each."},
    {"default_user_acls", XA_OPTION_TEXTS, AT(default_user_acls),
     .def = default_user_acls,
     .help = "ACLs of a user for whom the backend has none of its own."},

    {"users_file.path", XA_OPTION_PATH, XA_OPTION_NO_FIELD,
     .def = "\"" XA_SYSCONFDIR "/users.yml\"",
     .help = "Users and their password hashes, for users_file."},

    {"rest_api.max_body_size", XA_OPTION_U32, AT(rest_api.max_body_size),
     .min = 1, .max = MIB, .unit = "bytes", .def = "16384",
     .help = "Most bytes of a request's body."},
    {"rest_api.read_timeout", XA_OPTION_MS, AT(rest_api.read_timeout_ms),
     .min = 100, .max = 3600000, .unit = "seconds", .def = "5",
     .help = "Seconds in which a request must have arrived whole."},
    {"rest_api.drain_timeout", XA_OPTION_MS, AT(rest_api.drain_timeout_ms),
     .min = 0, .max = 3600000, .unit = "seconds", .def = "5",
     .help = "Seconds to end what is open when told to stop."},
    {"rest_api.max_connections", XA_OPTION_U32, AT(rest_api.max_connections),
     .min = 1, .max = 65535, .unit = "connections", .def = "1000",
     .help = "Most connections that one process keeps open."},
    {"rest_api.cors.enabled", XA_OPTION_BOOL, AT(rest_api.cors.enabled),
     .def = "false",
     .help = "Let pages of other origins call the service."},
    {"rest_api.cors.origins", XA_OPTION_TEXTS, AT(rest_api.cors.origins),
     .def = "\"*\"",
     .help = "Origins that may, https://example.org say."},
    {"rest_api.cors.methods", XA_OPTION_TEXTS, AT(rest_api.cors.methods),
     .def = "[DELETE, GET, HEAD, OPTIONS, POST]",
     .help = "Methods they may use."},
    {"rest_api.cors.allow_headers", XA_OPTION_TEXTS,
     AT(rest_api.cors.allow_headers),
     .def = "\"Content-Type, authorization, x-auth-token\"",
     .help = "Headers they may send."},
    {"rest_api.cors.expose_headers", XA_OPTION_TEXTS,
     AT(rest_api.cors.expose_headers),
     .help = "Headers of an answer that they may read."},
    {"rest_api.cors.supports_credentials", XA_OPTION_BOOL,
     AT(rest_api.cors.supports_credentials), .def = "false",
     .help = "May they send credentials; not with origins \"*\"."},
    {"rest_api.cors.max_age", XA_OPTION_SECONDS, AT(rest_api.cors.max_age_s),
     .min = 0, .max = TEN_YEARS, .unit = "seconds", .def = "600",
     .help = "Seconds that a browser remembers this."},

    {"store.type", XA_OPTION_WORD, AT(store.type), .unit = "lmdb or consul",
     .def = "lmdb",
     .help = "lmdb (this machine) or consul (a cluster)."},
    {"store.token_keys", XA_OPTION_WORD, AT(store.token_keys),
     .unit = "sha256 or plain", .def = "sha256",
     .help = "Key of a token in the store; plain to share with Python."},
    {"store.lmdb.path", XA_OPTION_PATH, AT(store.lmdb.path),
     .def = "/var/lib/xivo-auth",
     .help = "Folder of the embedded store."},
    {"store.lmdb.max_size", XA_OPTION_U64, AT(store.lmdb.max_size),
     .min = MIB, .max = 16 * TIB, .unit = "bytes", .def = "8589934592",
     .help = "Most bytes it may grow to."},
    {"store.lmdb.sync", XA_OPTION_BOOL, AT(store.lmdb.sync), .def = "true",
     .help = "Whether a write waits for the disk."},

    {"authorize.paths", XA_OPTION_LIST, XA_OPTION_NO_FIELD,
     .help = "How the path of a guarded request becomes an ACL."},

    {"consul.scheme", XA_OPTION_WORD, AT(consul.scheme),
     .unit = "http or https", .def = "http",
     .help = "http or https."},
    {"consul.host", XA_OPTION_HOSTS, AT(consul.hosts), .min = 1,
     .def = "localhost",
     .help = "Agent's host; of a list, the next on failure."},
    {"consul.port", XA_OPTION_U32, AT(consul.port), .min = 1, .max = 65535,
     .def = "8500",
     .help = "Port of the agent."},
    {"consul.token", XA_OPTION_TEXT, AT(consul.token), .max = TEXT_MAX_LEN,
     .is_secret = true,
     .help = "Token of Consul's ACL system."},
    {"consul.verify", XA_OPTION_VERIFY, AT(consul.verify), .def = "true",
     .help = "Check its certificate: true, false, a CA file."},
    {"consul.cert", XA_OPTION_PATH, AT(consul.cert),
     .help = "Client certificate."},
    {"consul.key", XA_OPTION_PATH, AT(consul.key),
     .help = "Key of the client certificate."},
    {"consul.timeout", XA_OPTION_MS, AT(consul.timeout_ms), .min = 100,
     .max = 2500, .unit = "seconds", .def = "1",
     .help = "Seconds that one request may spend on Consul in all."},
    {"consul.prefix", XA_OPTION_TEXT, AT(consul.prefix), .max = NAME_MAX_LEN,
     .def = "xivo/xivo-auth/",
     .help = "Where our keys stand in its key/value store."},
    {"consul.datacenter", XA_OPTION_TEXT, AT(consul.datacenter),
     .max = NAME_MAX_LEN,
     .help = "Data centre, when it is not the agent's own."},
    {"consul.consistency", XA_OPTION_WORD, AT(consul.consistency),
     .unit = "default, consistent or stale", .def = "default",
     .help = "How a read is answered: default, consistent or stale."},
    {"consul.stale_max", XA_OPTION_SECONDS, AT(consul.stale_max_s), .min = 0,
     .max = 3600, .unit = "seconds", .def = "10",
     .help = "Oldest stale read that may accept a token; 0: none may."},

    {"expiry.interval", XA_OPTION_MS, AT(expiry.interval_ms), .min = 100,
     .max = 3600000, .unit = "seconds", .def = "1",
     .help = "Seconds between two looks for what is due."},
    {"expiry.look_back", XA_OPTION_SECONDS, AT(expiry.look_back_s), .min = 0,
     .max = DAY, .unit = "seconds", .def = "300",
     .help = "Seconds that each look reaches back, for slow clocks."},
    {"expiry.txn_operations", XA_OPTION_U32, AT(expiry.txn_operations),
     .min = 4, .max = 128, .unit = "operations", .def = "64",
     .help = "Most operations in one transaction of Consul."},
    {"expiry.clock_grace", XA_OPTION_SECONDS, AT(expiry.clock_grace_s),
     .min = 0, .max = DAY, .unit = "seconds", .def = "60",
     .help = "Seconds without removals after the clock jumped."},

    {"service_discovery.enabled", XA_OPTION_BOOL,
     AT(service_discovery.enabled), .def = "false",
     .help = "Register the service with the Consul agent."},
    {"service_discovery.socket", XA_OPTION_PATH, AT(service_discovery.socket),
     .def = "/run/xivo-auth/check.sock",
     .help = "Socket of the pool whose health is told."},
    {"service_discovery.advertise_address", XA_OPTION_TEXT,
     AT(service_discovery.advertise_address), .max = NAME_MAX_LEN,
     .def = "auto",
     .help = "Address for others; auto: the interface's."},
    {"service_discovery.advertise_address_interface", XA_OPTION_TEXT,
     AT(service_discovery.advertise_address_interface), .max = NAME_MAX_LEN,
     .def = "eth0",
     .help = "Interface whose address is told when it is auto."},
    {"service_discovery.advertise_port", XA_OPTION_U32,
     AT(service_discovery.advertise_port), .min = 1, .max = 65535,
     .def = "9497",
     .help = "Port that others shall use."},
    {"service_discovery.ttl_interval", XA_OPTION_SECONDS,
     AT(service_discovery.ttl_interval_s), .min = 1, .max = DAY,
     .unit = "seconds", .def = "30",
     .help = "Silence after which Consul calls it down."},
    {"service_discovery.refresh_interval", XA_OPTION_SECONDS,
     AT(service_discovery.refresh_interval_s), .min = 1, .max = DAY,
     .unit = "seconds", .def = "27",
     .help = "Seconds between two signs of life."},
    {"service_discovery.retry_interval", XA_OPTION_SECONDS,
     AT(service_discovery.retry_interval_s), .min = 1, .max = DAY,
     .unit = "seconds", .def = "2",
     .help = "The same while it is not healthy."},
    {"service_discovery.extra_tags", XA_OPTION_TEXTS,
     AT(service_discovery.extra_tags), .def = "[]",
     .help = "Tags beside the UUID and xivo-auth."},

    {"db_uri", XA_OPTION_TEXT, XA_OPTION_NO_FIELD, .max = TEXT_MAX_LEN,
     .is_secret = true,
     .help = "PostgreSQL database of XiVO, for xivo_* and ldap_user."},

    {"ldap.uri", XA_OPTION_TEXT, XA_OPTION_NO_FIELD, .max = TEXT_MAX_LEN,
     .help = "Server for ldap_user, ldaps://host say."},
    {"ldap.bind_dn", XA_OPTION_TEXT, XA_OPTION_NO_FIELD, .max = TEXT_MAX_LEN,
     .help = "Who searches for users."},
    {"ldap.bind_password", XA_OPTION_TEXT, XA_OPTION_NO_FIELD,
     .max = TEXT_MAX_LEN, .is_secret = true,
     .help = "Password of bind_dn."},
    {"ldap.bind_anonymous", XA_OPTION_BOOL, XA_OPTION_NO_FIELD, .def = "false",
     .help = "Search for users as nobody."},
    {"ldap.user_base_dn", XA_OPTION_TEXT, XA_OPTION_NO_FIELD,
     .max = TEXT_MAX_LEN,
     .help = "Where users stand."},
    {"ldap.user_login_attribute", XA_OPTION_TEXT, XA_OPTION_NO_FIELD,
     .max = NAME_MAX_LEN, .def = "uid",
     .help = "Attribute that holds the login."},
    {"ldap.user_email_attribute", XA_OPTION_TEXT, XA_OPTION_NO_FIELD,
     .max = NAME_MAX_LEN, .def = "mail",
     .help = "Attribute by which XiVO knows the user."},
    {"ldap.start_tls", XA_OPTION_BOOL, XA_OPTION_NO_FIELD, .def = "false",
     .help = "Encrypt an ldap:// connection with StartTLS."},
    {"ldap.ca_cert", XA_OPTION_PATH, XA_OPTION_NO_FIELD,
     .help = "CA file; else the system's."},

    {"pam.service", XA_OPTION_TEXT, XA_OPTION_NO_FIELD, .max = NAME_MAX_LEN,
     .def = "xivo-auth",
     .help = "PAM service of backend pam."},
};

const size_t xa_option_count = XA_COUNT(xa_options);

static const char *const old_keys[] = {
    "amqp",
    "backend_policies",
    "config_file",
    "confd",
    "foreground",
    "ldap.bind_dn_format",
    "ldap.domain",
    "pid_filename",
    "rest_api.certificate",
    "rest_api.ciphers",
    "rest_api.cors.always_send",
    "rest_api.cors.automatic_options",
    "rest_api.cors.intercept_exceptions",
    "rest_api.cors.resources",
    "rest_api.cors.send_wildcard",
    "rest_api.cors.vary_header",
    "rest_api.http",
    "rest_api.https",
    "rest_api.listen",
    "rest_api.max_threads",
    "rest_api.port",
    "rest_api.private_key",
    "service_config_dir",
    "services",
    "token_cleanup_interval",
};

const struct xa_option *
xa_option_find(const char *key)
{
    for (size_t i = 0; i < xa_option_count; i++)
        if (strcmp(xa_options[i].key, key) == 0)
            return &xa_options[i];
    return NULL;
}

bool
xa_option_is_section(const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < xa_option_count; i++)
        if (strncmp(xa_options[i].key, key, len) == 0 &&
            xa_options[i].key[len] == '.')
            return true;
    return false;
}

bool
xa_option_is_old(const char *key)
{
    for (size_t i = 0; i < XA_COUNT(old_keys); i++)
        if (strcmp(old_keys[i], key) == 0)
            return true;
    return false;
}

void
xa_option_put_key(struct xa_buf *buf, const char *previous, const char *key)
{
    bool is_shared = true;
    int depth = 0;

    for (;;) {
        size_t len = strcspn(key, ".");

        is_shared = is_shared && key[len] == '.' &&
                    strncmp(previous, key, len + 1) == 0;
        if (!is_shared)
            xa_buf_putf(buf, "%*s%.*s:", depth * 2, "", (int)len, key);
        if (!key[len])
            return;
        if (!is_shared)
            xa_buf_putc(buf, '\n');
        else
            previous += len + 1;
        key += len + 1;
        depth++;
    }
}
