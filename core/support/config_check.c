/* config_check.c - rules that need more than one key. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/config_check.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "core/base/buf.h"
#include "core/support/config_cors.h"
#include "core/support/config_notes.h"
#include "core/support/config_value.h"

#define EXPECTED_MAX 200

static enum xa_rc
check_lifetimes(struct xa_config *config, struct xa_err *err)
{
    const char *key = "default_token_lifetime";
    const char *max_key = "max_token_lifetime";
    char where[XA_WHERE_MAX];
    char expected[XA_WHERE_MAX + EXPECTED_MAX];

    if (config->default_token_lifetime_s <= config->max_token_lifetime_s)
        return XA_OK;
    snprintf(expected, sizeof expected, "at most %s, which is %u (%s)", max_key,
             config->max_token_lifetime_s,
             xa_node_where(xa_node_get(config->root, max_key), where));
    return xa_complain(xa_node_get(config->root, key), key, false, expected,
                       err);
}

static enum xa_rc
note(struct xa_config *config, const char *event, const char *key,
     const char *why, struct xa_err *err)
{
    char where[XA_WHERE_MAX];

    xa_node_where(xa_node_at(config->root, key), where);
    return xa_notes_add(&config->notes, XA_WARNING, event, where, key, why,
                        err);
}

static enum xa_rc
check_backends(struct xa_config *config, struct xa_err *err)
{
    if (config->enabled_plugins.count > 0)
        return XA_OK;
    return note(config, "config.no_backends", "enabled_plugins",
                "is empty, so nobody can log in", err);
}

/* Whoever gets them by a login must be able to hold them. */
static enum xa_rc
check_user_acls(struct xa_config *config, struct xa_err *err)
{
    static const char key[] = "default_user_acls";
    const struct xa_strlist *acls = &config->default_user_acls;
    char expected[EXPECTED_MAX];
    size_t bytes = 0;

    for (size_t i = 0; i < acls->count; i++)
        bytes += strlen(acls->items[i]);
    if (acls->count <= XA_USER_ACLS_MAX && bytes <= XA_USER_ACLS_BYTES)
        return XA_OK;
    snprintf(expected, sizeof expected, "at most %d ACLs of %d bytes in all",
             XA_USER_ACLS_MAX, XA_USER_ACLS_BYTES);
    return xa_complain(xa_node_at(config->root, key), key, false, expected,
                       err);
}

/* They must be of use to connect(2), and to those who look the service up. */
static enum xa_rc
check_discovery_values(struct xa_config *config, struct xa_err *err)
{
    static const char socket_key[] = "service_discovery.socket";
    static const char address_key[] = "service_discovery.advertise_address";
    const struct sockaddr_un *peer = NULL;
    const char *address = config->service_discovery.advertise_address;

    if (strlen(config->service_discovery.socket) >= sizeof peer->sun_path)
        return xa_complain(xa_node_at(config->root, socket_key), socket_key,
                           false, "a path of at most 107 bytes", err);
    if (*address == '\0' || address[strcspn(address, " /\t\r\n")] != '\0')
        return xa_complain(xa_node_at(config->root, address_key), address_key,
                           false, "a name, an address or auto", err);
    return XA_OK;
}

static enum xa_rc
check_discovery(struct xa_config *config, struct xa_err *err)
{
    enum xa_rc rc;

    if (!config->service_discovery.enabled)
        return XA_OK;
    rc = check_discovery_values(config, err);
    if (rc == XA_OK && strcmp(config->store.type, "consul") != 0)
        return note(config, "config.no_discovery", "service_discovery.enabled",
                    "has no effect, because store.type is not consul", err);
    if (rc == XA_OK && config->service_discovery.refresh_interval_s >=
                           config->service_discovery.ttl_interval_s)
        rc = note(config, "config.slow_refresh",
                  "service_discovery.refresh_interval",
                  "is not less than service_discovery.ttl_interval, so Consul "
                  "will call the service down between two refreshes",
                  err);
    return rc;
}

/* Consul tidies such a path up in a URL, not in a transaction: what is written
 * could never be read. */
static bool
is_untidy(const char *path)
{
    size_t len;

    for (; *path; path += len + (path[len] == '/')) {
        len = strcspn(path, "/");
        if (len == 0 || (len == 1 && path[0] == '.') ||
            (len == 2 && memcmp(path, "..", 2) == 0))
            return true;
    }
    return false;
}

/* Keys are built by appending to the prefix. */
static enum xa_rc
end_prefix(struct xa_config *config, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf buf = XA_BUF(1024);
    char *ended = NULL;
    enum xa_rc rc;

    if (is_untidy(config->consul.prefix))
        return xa_complain(xa_node_at(config->root, "consul.prefix"),
                           "consul.prefix", false,
                           "a path like xivo/xivo-auth/, without a slash at "
                           "its head, empty parts, . and ..",
                           err);
    if (config->consul.prefix[strlen(config->consul.prefix) - 1] == '/')
        return XA_OK;
    xa_buf_putf(&buf, "%s/", config->consul.prefix);
    rc = xa_buf_check(&buf, err);
    if (rc == XA_OK)
        rc = xa_str_dup(xa_buf_text(&buf), &ended, err);
    if (rc != XA_OK)
        return rc;
    xa_str_free(&config->consul.prefix);
    config->consul.prefix = ended;
    return XA_OK;
}

enum xa_rc
xa_config_check(struct xa_config *config, struct xa_err *err)
{
    enum xa_rc rc;

    rc = check_lifetimes(config, err);
    if (rc == XA_OK)
        rc = xa_config_check_cors(config, err);
    if (rc == XA_OK)
        rc = check_backends(config, err);
    if (rc == XA_OK)
        rc = check_user_acls(config, err);
    if (rc == XA_OK)
        rc = check_discovery(config, err);
    if (rc == XA_OK)
        rc = end_prefix(config, err);
    if (rc == XA_OK)
        rc = xa_path_rules_read(xa_node_at(config->root, "authorize.paths"),
                                &config->authorize.paths, err);
    return rc;
}
