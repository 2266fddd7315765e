/* test_router.c - which handler answers, and that the papers say so. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/support/yaml.h"
#include "fcgi/api_yml.h"
#include "fcgi/router.h"
#include "tests/unit/unit.h"

#define SERVER "/0.1" /* the document's paths are below it */

static const struct {
    const char *path;
    enum xa_method method;
    xa_handler_fn *handle;
    const char *allow;
    const char *token;
} matches[] = {
    {"/0.1/token", XA_POST, xa_handle_token_create, "POST", NULL},
    {"/0.1/token", XA_GET, NULL, "POST", NULL},
    {"/0.1/token/x", XA_GET, xa_handle_token_show, "GET, HEAD, DELETE", "x"},
    {"/0.1/token/x", XA_HEAD, xa_handle_token_show, "GET, HEAD, DELETE", "x"},
    {"/0.1/token/x", XA_DELETE, xa_handle_token_revoke, "GET, HEAD, DELETE",
     "x"},
    {"/0.1/token/x", XA_POST, NULL, "GET, HEAD, DELETE", "x"},
    {"/0.1/token/x", XA_OTHER_METHOD, NULL, "GET, HEAD, DELETE", "x"},
    {"/0.1/token/{token}", XA_GET, xa_handle_token_show, "GET, HEAD, DELETE",
     "{token}"},
    {"/0.1/authorize", XA_HEAD, xa_handle_authorize, "GET, HEAD", NULL},
    {"/0.1/backends", XA_GET, xa_handle_backends, "GET, HEAD", NULL},
    {"/0.1/status", XA_GET, xa_handle_status, "GET, HEAD", NULL},
    {"/0.1/api/api.yml", XA_GET, xa_handle_api, "GET, HEAD", NULL},
    {"/0.1/api/api.yml", XA_DELETE, NULL, "GET, HEAD", NULL},

    {"/", XA_GET, NULL, "", NULL},
    {"/0.1", XA_GET, NULL, "", NULL},
    {"/0.1/token/", XA_GET, NULL, "", NULL},
    {"/0.1/token/x/", XA_GET, NULL, "", NULL},
    {"/0.1/token/x/y", XA_GET, NULL, "", NULL},
    {"/0.1/tokens", XA_POST, NULL, "", NULL},
    {"/0.1/Token", XA_POST, NULL, "", NULL},
    {"/0.2/token", XA_POST, NULL, "", NULL},
    {"/0.1/status/", XA_GET, NULL, "", NULL},
    {"/0.1/./status", XA_GET, NULL, "", NULL},
    {"x/0.1/status", XA_GET, NULL, "", NULL},
};

static void
test_match__finds_the_handler(void **state XA_UNUSED)
{
    for (size_t i = 0; i < XA_COUNT(matches); i++) {
        char allow[XA_ALLOW_TEXT];
        struct xa_match match;

        xa_router_match(matches[i].path, matches[i].method, &match);
        if (match.handle != matches[i].handle)
            fail_msg("case %zu: another handler", i);
        assert_string_equal(xa_router_allow(match.allowed, allow),
                            matches[i].allow);
        if (matches[i].token)
            assert_string_equal(match.token, matches[i].token);
        else
            assert_null(match.token);
        assert_int_equal(match.bare,
                         strcmp(matches[i].path, "/0.1/authorize") == 0);
    }
}

static void
test_allow__has_room_for_every_method(void **state XA_UNUSED)
{
    char allow[XA_ALLOW_TEXT];

    xa_router_allow(XA_GET | XA_HEAD | XA_POST | XA_DELETE, allow);
    assert_string_equal(allow, "GET, HEAD, POST, DELETE");
}

/* --- the document --- */

static const struct {
    const char *key;
    enum xa_method method;
} verbs[] = {
    {"get", XA_GET},       {"head", XA_HEAD},        {"post", XA_POST},
    {"delete", XA_DELETE}, {"put", XA_OTHER_METHOD}, {"patch", XA_OTHER_METHOD},
};

static struct xa_node *
read_document(void)
{
    struct xa_err err = XA_ERR_NONE;
    struct xa_node *document = NULL;

    if (xa_yaml_parse("api.yml", (const char *)xa_api_yml, xa_api_yml_len,
                      XA_YAML_NODES_MAX, &document, &err) != XA_OK)
        fail_msg("%s", err.text);
    return document;
}

static void
test_table__stands_in_the_document(void **state XA_UNUSED)
{
    XA_AUTO(xa_node_free) struct xa_node *document = read_document();
    const struct xa_node *paths = xa_node_get(document, "paths");
    size_t count;
    const struct xa_route *table = xa_router_table(&count);

    for (size_t i = 0; i < count; i++) {
        const struct xa_node *path;

        assert_memory_equal(table[i].path, SERVER, sizeof SERVER - 1);
        path = xa_node_get(paths, table[i].path + sizeof SERVER - 1);
        if (!path)
            fail_msg("%s is not in the document", table[i].path);
        for (size_t k = 0; k < XA_COUNT(verbs); k++)
            if (table[i].methods & verbs[k].method &&
                !xa_node_get(path, verbs[k].key))
                fail_msg("%s %s is not in the document", verbs[k].key,
                         table[i].path);
    }
}

static void
test_document__says_nothing_that_the_table_does_not(void **state XA_UNUSED)
{
    XA_AUTO(xa_node_free) struct xa_node *document = read_document();
    const struct xa_node *paths = xa_node_get(document, "paths");

    assert_true(xa_node_count(paths) > 0);
    for (size_t i = 0; i < xa_node_count(paths); i++) {
        const char *name;
        const struct xa_node *path = xa_node_item(paths, i, &name);
        char full[256];
        struct xa_match match;

        snprintf(full, sizeof full, SERVER "%s", name);
        for (size_t k = 0; k < XA_COUNT(verbs); k++) {
            xa_router_match(full, verbs[k].method, &match);
            if (xa_node_get(path, verbs[k].key) && !match.handle)
                fail_msg("no route for %s %s", verbs[k].key, full);
        }
        if (!xa_node_get(path, "options")) /* fcgi/app.c, for each route */
            fail_msg("OPTIONS %s is not in the document", full);
    }
}

/* Follow "#/components/schemas/Token". */
static const struct xa_node *
follow(const struct xa_node *document, const char *reference)
{
    const struct xa_node *node = document;
    char step[64];
    size_t len;

    assert_memory_equal(reference, "#/", 2);
    for (reference++; node && *reference == '/'; reference += len) {
        len = strcspn(++reference, "/");
        assert_true(len < sizeof step);
        memcpy(step, reference, len);
        step[len] = '\0';
        node = xa_node_get(node, step);
    }
    return node;
}

static void
check_references(const struct xa_node *document, const struct xa_node *node)
{
    const char *key;

    for (size_t i = 0; i < xa_node_count(node); i++) {
        const struct xa_node *item = xa_node_item(node, i, &key);

        if (key && strcmp(key, "$ref") == 0 &&
            !follow(document, xa_node_text(item)))
            fail_msg("%s leads nowhere", xa_node_text(item));
        check_references(document, item);
    }
}

static void
test_document__refers_to_what_it_has(void **state XA_UNUSED)
{
    XA_AUTO(xa_node_free) struct xa_node *document = read_document();

    assert_string_equal(xa_node_text(xa_node_get(document, "openapi")),
                        "3.0.3");
    check_references(document, document);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match__finds_the_handler),
        cmocka_unit_test(test_allow__has_room_for_every_method),
        cmocka_unit_test(test_table__stands_in_the_document),
        cmocka_unit_test(test_document__says_nothing_that_the_table_does_not),
        cmocka_unit_test(test_document__refers_to_what_it_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
