/* config.h - the configuration: files in, one constant struct out. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * config.yml first; then the files *.yml of the directory
 * extra_config_files, hidden ones skipped.  A value in that directory wins
 * over config.yml; between two files there the first in alphabetical order
 * wins; mappings merge key by key.  Precedence: command line, directory,
 * file, defaults.  One table (config_table.c) has a row per key.
 */
#ifndef XA_SUPPORT_CONFIG_H
#define XA_SUPPORT_CONFIG_H

/* In this folder "config.h" means this file: configure's must not be lost. */
#include <config.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/err.h"
#include "core/base/log.h"
#include "core/base/str.h"
#include "core/support/path_acl.h"
#include "core/support/yaml.h"

struct xa_config_notes;

/* Of default_user_acls: as many ACLs as an identity holds, and their bytes. */
#define XA_USER_ACLS_MAX 1024
#define XA_USER_ACLS_BYTES 32768

/* Built once by xa_config_load(), constant from then on.  Every pointer is
 * owned by it.  Names follow the keys; times carry their unit. */
struct xa_config {
    char *path;               /* the config.yml that was read */
    struct xa_node *root;     /* all files merged; for backends */
    struct xa_config_notes *notes;

    char *extra_config_files;
    char *user; /* may be NULL */
    bool debug;
    enum xa_level log_level;
    char *log_filename; /* or "stderr", "syslog" */
    uint32_t default_token_lifetime_s;
    uint32_t max_token_lifetime_s;
    char *uuid; /* the key, else XIVO_UUID of the environment, else NULL */
    struct xa_strlist enabled_plugins;
    char *backend_dir;
    struct xa_strlist default_user_acls;
    struct {
        uint32_t max_body_size;
        uint32_t read_timeout_ms;
        uint32_t drain_timeout_ms;
        uint32_t max_connections;
        struct {
            bool enabled;
            struct xa_strlist origins;
            struct xa_strlist methods;
            struct xa_strlist allow_headers;
            struct xa_strlist expose_headers;
            bool supports_credentials;
            uint32_t max_age_s;
        } cors;
    } rest_api;
    struct {
        char *type;       /* "lmdb" or "consul" */
        char *token_keys; /* "sha256" or "plain" */
        struct {
            char *path;
            uint64_t max_size; /* bytes */
            bool sync;
        } lmdb;
    } store;
    struct {
        struct xa_path_rules paths;
    } authorize;
    struct {
        char *scheme;
        struct xa_strlist hosts; /* consul.host: a text or a list */
        uint32_t port;
        char *token; /* may be NULL; a secret */
        char *verify; /* "true", "false" or the path of a CA file */
        char *cert;   /* may be NULL, like key */
        char *key;
        uint32_t timeout_ms;
        char *prefix;
        char *datacenter; /* may be NULL */
        char *consistency;
        uint32_t stale_max_s;
    } consul;
    struct {
        uint32_t interval_ms;
        uint32_t look_back_s;
        uint32_t txn_operations;
        uint32_t clock_grace_s;
    } expiry;
    struct {
        bool enabled;
        char *socket;
        char *advertise_address;
        char *advertise_address_interface;
        uint32_t advertise_port;
        uint32_t ttl_interval_s;
        uint32_t refresh_interval_s;
        uint32_t retry_interval_s;
        struct xa_strlist extra_tags;
    } service_discovery;
};

/* What the command line says; it wins over every file. */
struct xa_config_cli {
    const char *path;      /* -c; NULL: $XIVO_AUTH_CONFIG, else the built-in */
    const char *user;      /* -u; NULL: not given */
    const char *log_level; /* -l; NULL: not given */
    bool debug;            /* -d: log_level debug */
};

/*
 * Read, merge, check.
 *
 *   out  set on XA_OK only; release with xa_config_free()
 *
 * XA_E_CONFIG: err names file, key, what was found and what is expected.
 * XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_config_load(const struct xa_config_cli *cli,
                          struct xa_config **out, struct xa_err *err);

/* The defaults alone, for tests.  XA_E_NOMEM. */
XA_MUST_CHECK
enum xa_rc xa_config_defaults(struct xa_config **out, struct xa_err *err);

void xa_config_free(struct xa_config **config); /* wipes secrets */

/*
 * What is worth a line but no refusal: unknown keys (warning), keys of the
 * Python service that mean nothing here (info, once), secrets in a file that
 * others can read (warning), what an old file was taken to mean (info).
 * They are kept, because the log opens after the configuration is read;
 * this writes them to the log.
 */
void xa_config_log_notes(const struct xa_config *config);
size_t xa_config_note_count(const struct xa_config *config);
const char *xa_config_note(const struct xa_config *config, size_t i,
                           enum xa_level *out_level);

/* The merged configuration as YAML, with the file that each value comes from
 * as a comment, secrets hidden (xivo-authctl config show). */
void xa_config_print(const struct xa_config *config, FILE *to);

#endif
