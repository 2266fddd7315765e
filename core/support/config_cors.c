/* config_cors.c - whether rest_api.cors can go out as headers. SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h> /* not the configuration beside this file */

#include "core/support/config_cors.h"

#include <stdio.h>
#include <string.h>

#include "core/support/config_notes.h"
#include "core/support/config_value.h"

#define KEY "rest_api.cors."
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define EXPECTED_MAX 200
#define PORT_MAX 65535

/* Letters, and what the methods of some servers have; no "*": who lists methods
 * says which. */
static bool
is_method(const char *text)
{
    return text[strspn(text, UPPER LOWER "-_")] == '\0';
}

/* RFC 9110 section 5.6.2; "*" is one, too. */
static bool
is_token(const char *text)
{
    return text[strspn(text, UPPER LOWER DIGITS "!#$%&'*+-.^_`|~")] == '\0';
}

/* A host as URLs are serialised: in lower case, or an address in brackets. */
static size_t
host_len(const char *text)
{
    size_t len;

    if (*text != '[')
        return strspn(text, LOWER DIGITS "-._");
    len = strspn(text + 1, "abcdef" DIGITS ":");
    return len > 0 && text[len + 1] == ']' ? len + 2 : 0;
}

/* A browser leaves out the port that the scheme has anyway. */
static bool
is_port(const char *text, const char *origin)
{
    uint64_t port;

    if (*text == '0' || !xa_str_to_u64(text, PORT_MAX, &port))
        return false;
    if (port == 443 && strncmp(origin, "https:", 6) == 0)
        return false;
    return port != 80 || strncmp(origin, "http:", 5) != 0;
}

/* RFC 6454 section 6.2.  "null" is every sandbox's, so nobody's. */
static bool
is_origin(const char *text)
{
    size_t scheme = strspn(text, LOWER DIGITS "+-.");
    const char *host = text + scheme + 3;
    size_t len;

    if (strcmp(text, "*") == 0)
        return true;
    if (scheme == 0 || strncmp(text + scheme, "://", 3) != 0)
        return false;
    len = host_len(host);
    if (len == 0 || (host[len] && host[len] != ':'))
        return false;
    return host[len] == '\0' || is_port(host + len + 1, text);
}

/* A list as the configuration has it, and what its texts may be. */
struct rule {
    const char *key;
    const struct xa_strlist *list;
    bool (*fits)(const char *text);
    const char *expected;
};

/* The node of one text of a list: its own if the value is a list. */
static const struct xa_node *
find_node(const struct xa_config *config, const struct rule *rule, size_t i)
{
    const struct xa_node *node = xa_node_at(config->root, rule->key);

    return xa_node_kind(node) == XA_NODE_LIST ? xa_node_item(node, i, NULL)
                                              : node;
}

static enum xa_rc
check_list(const struct xa_config *config, const struct rule *rule,
           struct xa_err *err)
{
    const struct xa_strlist *list = rule->list;
    char expected[EXPECTED_MAX];
    size_t len = 0;

    for (size_t i = 0; i < list->count; i++) {
        len += strlen(list->items[i]) + strlen(", ");
        if (!rule->fits(list->items[i]))
            return xa_complain(find_node(config, rule, i), rule->key, false,
                               rule->expected, err);
    }
    if (len <= XA_CORS_LINE_MAX || rule->fits == is_origin)
        return XA_OK;
    snprintf(expected, sizeof expected, "at most %d bytes of names in all",
             XA_CORS_LINE_MAX);
    return xa_complain(xa_node_at(config->root, rule->key), rule->key, false,
                       expected, err);
}

/* Any page could then act as whoever is logged in. */
static enum xa_rc
check_credentials(const struct xa_config *config, const struct rule *rule,
                  struct xa_err *err)
{
    const char *key = KEY "supports_credentials";
    char expected[EXPECTED_MAX];

    if (!config->rest_api.cors.supports_credentials ||
        !xa_strlist_has(rule->list, "*"))
        return XA_OK;
    snprintf(expected, sizeof expected, "false as long as %s has \"*\"",
             rule->key);
    return xa_complain(xa_node_at(config->root, key), key, false, expected,
                       err);
}

static void
to_upper(struct xa_strlist *list)
{
    for (size_t i = 0; i < list->count; i++)
        for (char *p = list->items[i]; *p; p++)
            if (*p >= 'a' && *p <= 'z')
                *p = (char)(*p - 'a' + 'A');
}

enum xa_rc
xa_config_check_cors(struct xa_config *config, struct xa_err *err)
{
    const struct rule rules[] = {
        {KEY "origins", &config->rest_api.cors.origins, is_origin,
         "\"*\", or origins as browsers send them, such as "
         "https://example.org or http://localhost:8080"},
        {KEY "methods", &config->rest_api.cors.methods, is_method,
         "names of methods, such as GET"},
        {KEY "allow_headers", &config->rest_api.cors.allow_headers, is_token,
         "names of headers, such as X-Auth-Token"},
        {KEY "expose_headers", &config->rest_api.cors.expose_headers, is_token,
         "names of headers, such as X-Auth-Id"},
    };
    enum xa_rc rc = XA_OK;

    if (!config->rest_api.cors.enabled)
        return XA_OK;
    for (size_t i = 0; i < XA_COUNT(rules) && rc == XA_OK; i++) {
        rc = check_list(config, &rules[i], err);
        if (rc == XA_OK)
            rc = check_credentials(config, &rules[i], err);
    }
    if (rc == XA_OK)
        to_upper(&config->rest_api.cors.methods);
    return rc;
}
