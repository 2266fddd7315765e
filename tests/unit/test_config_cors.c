/* test_config_cors.c - what rest_api.cors may be. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tests/unit/config_files.h"

#include "core/support/config_cors.h"

/* In line 1: rest_api; in line 2: its first key. */
#define CORS "rest_api: {cors: {enabled: yes,\n "
#define ORIGIN                                                                 \
    "expected \"*\", or origins as browsers send them, such as "               \
    "https://example.org or http://localhost:8080"
#define A "origins: 'https://a.org', "

static const struct {
    const char *text;
    const char *why; /* behind "PATH:2: rest_api.cors." */
} refusals[] = {
    {"supports_credentials: yes",
     "supports_credentials: found \"yes\", expected false as long as "
     "rest_api.cors.origins has \"*\""},
    {"supports_credentials: yes, origins: [https://a.org, '*']",
     "supports_credentials: found \"yes\", expected false as long as "
     "rest_api.cors.origins has \"*\""},
    {A "supports_credentials: yes, allow_headers: '*'",
     "supports_credentials: found \"yes\", expected false as long as "
     "rest_api.cors.allow_headers has \"*\""},
    {A "supports_credentials: yes, expose_headers: ['*']",
     "supports_credentials: found \"yes\", expected false as long as "
     "rest_api.cors.expose_headers has \"*\""},
    {"origins: [https://a.org, https://b.org/]",
     "origins: found \"https://b.org/\", " ORIGIN},
    {"origins: 'null'", "origins: found \"null\", " ORIGIN},
    {"origins: https://A.org", "origins: found \"https://A.org\", " ORIGIN},
    {"origins: 'https://*.b.org'",
     "origins: found \"https://*.b.org\", " ORIGIN},
    {"origins: '.*'", "origins: found \".*\", " ORIGIN},
    {"origins: 'https://.*'", "origins: found \"https://.*\", " ORIGIN},
    {"origins: 'http://a:80'", "origins: found \"http://a:80\", " ORIGIN},
    {"origins: 'https://a:443'", "origins: found \"https://a:443\", " ORIGIN},
    {"origins: 'https://a:0'", "origins: found \"https://a:0\", " ORIGIN},
    {"origins: 'https://a:65536'",
     "origins: found \"https://a:65536\", " ORIGIN},
    {"origins: 'https://a:'", "origins: found \"https://a:\", " ORIGIN},
    {"origins: 'https://[]'", "origins: found \"https://[]\", " ORIGIN},
    {"origins: 'https://'", "origins: found \"https://\", " ORIGIN},
    {"origins: '://a'", "origins: found \"://a\", " ORIGIN},
    {"origins: 'https:/a'", "origins: found \"https:/a\", " ORIGIN},
    {"origins: 'https://u@a'", "origins: found \"https://u@a\", " ORIGIN},
    {"origins: a.org", "origins: found \"a.org\", " ORIGIN},
    {"origins: \"https://a\\r\\nX: y\"",
     "origins: found \"https://a??X: y\", expected a text or a list of "
     "texts"},
    {A "methods: [GET, 'GET POST']",
     "methods: found \"GET POST\", expected names of methods, such as GET"},
    {A "methods: '*'",
     "methods: found \"*\", expected names of methods, such as GET"},
    {A "allow_headers: 'X-A, X:B'",
     "allow_headers: found \"X-A, X:B\", expected names of headers, such as "
     "X-Auth-Token"},
    {A "expose_headers: [\"X-A\\r\"]",
     "expose_headers: found \"X-A?\", expected a text or a list of texts"},
    {A "expose_headers: [X A]",
     "expose_headers: found \"X A\", expected names of headers, such as "
     "X-Auth-Id"},
};

static void
test_check__refuses_what_cannot_be_meant(void **state XA_UNUSED)
{
    for (size_t i = 0; i < XA_COUNT(refusals); i++) {
        XA_AUTO(xa_config_free) struct xa_config *config = NULL;
        struct xa_config_cli cli = {0};
        struct xa_err err = XA_ERR_NONE;
        char path[PATH_MAX_LEN];
        char text[512];
        char why[XA_ERR_MAX];

        snprintf(text, sizeof text, CORS "%s}}\n", refusals[i].text);
        put_main(text);
        if (load_cli(cli, &config, &err) != XA_E_CONFIG)
            fail_msg("%s was taken", refusals[i].text);
        snprintf(why, sizeof why, "%s:2: rest_api.cors.%s",
                 path_of("config.yml", path), refusals[i].why);
        assert_string_equal(err.text, why);
    }
}

static void
test_check__takes_what_browsers_send(void **state XA_UNUSED)
{
    static const char *const texts[] = {
        "origins: ''",
        "origins: []",
        "origins: [https://a.org, 'http://localhost:8080', 'https://a:80']",
        "origins: 'http://[::1]:3000, http://192.0.2.1, http://a:443'",
        "origins: [chrome-extension://abcdefgh, 'app://x_y.z']",
        A "allow_headers: '*', expose_headers: ['*']",
        A "allow_headers: \"X-A!#$%&'*+.^_`|~0\"",
        A "supports_credentials: yes, methods: [GET, M-SEARCH]",
    };

    for (size_t i = 0; i < XA_COUNT(texts); i++) {
        XA_AUTO(xa_config_free) struct xa_config *config = NULL;
        char text[512];

        snprintf(text, sizeof text, CORS "%s}}\n", texts[i]);
        config = load(text);
        assert_true(config->rest_api.cors.enabled);
    }
}

static void
test_check__writes_methods_as_http_does(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free)
    struct xa_config *config = load(CORS "methods: [get, Post]}}\n");

    assert_string_equal(config->rest_api.cors.methods.items[0], "GET");
    assert_string_equal(config->rest_api.cors.methods.items[1], "POST");
}

static void
test_check__looks_at_nothing_that_is_off(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free)
    struct xa_config *config = load(
        "rest_api: {cors: {supports_credentials: yes, origins: '.*, *'}}\n");

    assert_false(config->rest_api.cors.enabled);
}

static void
test_check__bounds_the_headers(void **state XA_UNUSED)
{
    XA_AUTO(xa_config_free) struct xa_config *config = NULL;
    struct xa_config_cli cli = {0};
    struct xa_err err = XA_ERR_NONE;
    char names[XA_CORS_LINE_MAX + 1] = "";
    char text[sizeof names + 100];

    for (size_t len = 0; len + 16 < sizeof names; len += 16)
        strcpy(names + len, "X-0123456789ab, ");
    snprintf(text, sizeof text, CORS "allow_headers: '%s'}}\n", names);
    XA_AUTO(xa_config_free) struct xa_config *full = load(text);
    assert_int_equal(full->rest_api.cors.allow_headers.count, 128);

    names[strlen(names) - 2] = 'y'; /* one byte more */
    names[strlen(names) - 1] = 'y';
    snprintf(text, sizeof text, CORS "allow_headers: '%s'}}\n", names);
    put_main(text);
    assert_int_equal(load_cli(cli, &config, &err), XA_E_CONFIG);
    assert_non_null(strstr(err.text, "expected at most 2048 bytes of names"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check__refuses_what_cannot_be_meant),
        cmocka_unit_test(test_check__takes_what_browsers_send),
        cmocka_unit_test(test_check__writes_methods_as_http_does),
        cmocka_unit_test(test_check__looks_at_nothing_that_is_off),
        cmocka_unit_test(test_check__bounds_the_headers),
    };

    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
