/* test_mask.c - no token in a log, whatever form it takes. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/base/log.h"
#include "core/support/crypto.h"
#include "core/support/sha256.h"
#include "fcgi/access_log.h"
#include "fcgi/mask.h"
#include "tests/unit/unit.h"

#define TOKEN "1823c1ee-6c6a-4cdc-9869-964a7f08a744"
#define UPPER "1823C1EE-6C6A-4CDC-9869-964A7F08A744"

/* First 12 digits of the token key. */
static const char *
key_of(const char *id)
{
    static char key[XA_SHA256_TEXT];

    xa_sha256_hex(id, strlen(id), key);
    key[12] = '\0';
    return key;
}

static void
test_mask__puts_the_key_in_place_of_a_token(void **state XA_UNUSED)
{
    static const struct {
        const char *text;
        const char *masked; /* @: the key of TOKEN */
    } cases[] = {
        {"/0.1/token/" TOKEN, "/0.1/token/@"},
        {"/0.1/token/" UPPER, "/0.1/token/@"},
        {"/api/auth/0.1/token/" TOKEN "/x", "/api/auth/0.1/token/@/x"},
        {"/0.1/token/%31823c1ee-6c6a-4cdc-9869-964a7f08a744", "/0.1/token/@"},
        {"//0.1//" TOKEN "%zz", "//0.1//@%zz"},
        {"/0.1/tokens/" TOKEN, "/0.1/tokens/@"},
        {"token=" TOKEN "&scope=a", "token=@&scope=a"},
        {"a.b." TOKEN ".c", "a.b.@.c"},
        {"x" TOKEN "x", "x@x"},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        char expected[256];
        char out[XA_MASK_TEXT];
        int lead = (int)strcspn(cases[i].masked, "@");

        snprintf(expected, sizeof expected, "%.*s%s%s", lead, cases[i].masked,
                 key_of(TOKEN), cases[i].masked + lead + 1);
        assert_string_equal(xa_mask(cases[i].text, out), expected);
    }
}

static void
test_mask__leaves_what_tells_nothing(void **state XA_UNUSED)
{
    static const char *const cases[] = {
        "",
        "/",
        "/0.1/token",
        "/0.1/token/",
        "/0.1/backends",
        "scope=confd.users.me.read",
        "a=b&c=d-e-f",
        "deadbeef",
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        char out[XA_MASK_TEXT];

        assert_string_equal(xa_mask(cases[i], out), cases[i]);
    }
}

static void
test_mask__decodes_what_can_be_decoded(void **state XA_UNUSED)
{
    char out[XA_MASK_TEXT];

    assert_string_equal(xa_mask(NULL, out), "");
    assert_string_equal(xa_mask("a%20b%0a%zz%00%4", out), "a b\n%zz%00%4");
}

/* The longest run of digits of TOKEN, dashes aside, that text shows. */
static size_t
digits_shown(const char *text)
{
    char digits[33];
    char seen[4096];
    size_t n = 0;
    size_t most = 0;

    for (const char *p = TOKEN; *p; p++)
        if (*p != '-')
            digits[n++] = *p;
    digits[n] = '\0';
    n = 0;
    for (const char *p = text; *p && n < sizeof seen - 1; p++)
        if (*p != '-')
            seen[n++] = (char)tolower((unsigned char)*p);
    seen[n] = '\0';
    for (size_t from = 0; from < 32; from++) {
        for (size_t len = most + 1; from + len <= 32; len++) {
            char part[33];

            snprintf(part, sizeof part, "%.*s", (int)len, digits + from);
            if (strstr(seen, part))
                most = len;
        }
    }
    return most;
}

static void
test_mask__hides_most_of_a_broken_token_too(void **state XA_UNUSED)
{
    static const char *const cases[] = {
        "/0.1/token/1823c1ee-6c6a-4cdc-9869-964a7f08a74",
        "/0.1/token/1823c1ee6c6a4cdc9869964a7f08a744",
        "/0.1/token/-" TOKEN "-ffff",
        "/0.1/token/x" TOKEN,
        "/0.1/tokn/1823c1ee-6c6a-4cdc-9869",
        "/0.1/token/%2531%2538%2532%2533%2563%2531%2565%2565-6c6a-4cdc-9869",
        "/0.1/TOKEN/1823C1EE6C6A4CDC9869964A7F08A744",
        "scope=1823c1ee-6c6a-4cdc-9869-964a7f08a7&x",
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        char out[XA_MASK_TEXT];

        if (digits_shown(xa_mask(cases[i], out)) > 12)
            fail_msg("case %zu: %s", i, out);
    }
}

static void
test_mask__cuts_long_text_before_a_token(void **state XA_UNUSED)
{
    for (size_t lead = 1; lead < 2 * XA_MASK_TEXT; lead++) {
        char text[3 * XA_MASK_TEXT];
        char out[XA_MASK_TEXT];

        memset(text, 'x', lead);
        snprintf(text + lead, sizeof text - lead, "%s/tail", TOKEN);
        assert_true(strlen(xa_mask(text, out)) < XA_MASK_TEXT);
        if (digits_shown(out) > 4) /* what a key may share by chance */
            fail_msg("lead %zu: %s", lead, out);
    }
}

static void
test_mask__never_outgrows_its_room(void **state XA_UNUSED)
{
    char text[4 * XA_MASK_TEXT];
    char out[XA_MASK_TEXT];

    /* A segment of one byte becomes twelve: the most that it can grow. */
    for (size_t i = 0; i + 9 < sizeof text; i += 8)
        memcpy(text + i, "/token/x", 9);
    assert_true(strlen(xa_mask(text, out)) < XA_MASK_TEXT);
}

/* --- the line --- */

struct capture {
    unsigned lines;
    enum xa_level level;
    char line[XA_LOG_LINE_MAX];
};

static void
keep_line(void *ctx, enum xa_level level, const char *line)
{
    struct capture *capture = ctx;

    capture->lines++;
    capture->level = level;
    snprintf(capture->line, sizeof capture->line, "%s", line);
}

static void
log_request(const char *const *params, unsigned status, const char *cause,
            enum xa_level level, struct capture *out)
{
    XA_AUTO(xa_request_done) struct xa_request req = XA_REQUEST_EMPTY;
    struct xa_reply reply;

    memset(out, 0, sizeof *out);
    xa_reply_init(&reply);
    xa_request_init(&req, &(struct xa_cgi){.params = params}, 0);
    reply.status = status;
    snprintf(reply.err.text, sizeof reply.err.text, "%s", cause);
    xa_log_capture(keep_line, out, level);
    xa_access_log(&req, &reply, 1234567);
    xa_log_capture(NULL, NULL, XA_INFO);
    xa_reply_done(&reply);
}

static void
test_access_log__tells_the_request_without_its_token(void **state XA_UNUSED)
{
    static const char *const params[] = {
        "REMOTE_ADDR=192.0.2.1", "REQUEST_METHOD=GET",
        "PATH_INFO=/0.1/token/" TOKEN, "QUERY_STRING=scope=a%20%22b%0a", NULL};
    char expected[512];
    struct capture got;

    log_request(params, 404, "no such token", XA_INFO, &got);
    snprintf(expected, sizeof expected,
             "INFO request.done remote=\"192.0.2.1\" status=404 ms=1234.567 "
             "method=\"GET\" path=\"/0.1/token/%s\" "
             "query=\"scope=a \\\"b\\x0a\"",
             key_of(TOKEN));
    assert_string_equal(got.line, expected);
    assert_int_equal(got.level, XA_INFO);
}

/* By whatever form of key the store goes. */
static void
test_access_log__takes_the_key_that_is_known(void **state XA_UNUSED)
{
    static const char *const params[] = {
        "REQUEST_METHOD=HEAD", "PATH_INFO=/0.1/token/" UPPER, NULL};
    XA_AUTO(xa_request_done) struct xa_request req = XA_REQUEST_EMPTY;
    char expected[512];
    struct capture got = {.lines = 0};
    struct xa_reply reply;

    snprintf(expected, sizeof expected,
             "INFO request.done remote=- status=204 ms=0.001 method=\"HEAD\" "
             "path=\"/0.1/token/%s\" query=-",
             key_of(TOKEN));
    xa_reply_init(&reply);
    xa_reply_no_content(&reply);
    xa_request_init(&req, &(struct xa_cgi){.params = params}, 0);
    req.token = req.path + sizeof "/0.1/token/" - 1;
    xa_log_capture(keep_line, &got, XA_INFO);
    for (int form = XA_KEY_SHA256; form <= XA_KEY_PLAIN; form++) {
        xa_key_of_token((enum xa_key_form)form, TOKEN, &reply.key);
        xa_access_log(&req, &reply, 1);
        assert_string_equal(got.line, expected);
    }
    xa_log_capture(NULL, NULL, XA_INFO);
    xa_reply_clear(&reply, 0);
    assert_string_equal(reply.key.text, "");
    xa_reply_done(&reply);
}

static void
test_access_log__tells_the_cause_of_a_500(void **state XA_UNUSED)
{
    static const char *const params[] = {"REQUEST_METHOD=GET",
                                         "PATH_INFO=/0.1/status", NULL};
    struct capture got;

    log_request(params, 500, "disk \"full\"", XA_ERROR, &got);
    assert_string_equal(got.line,
                        "ERROR request.done remote=- status=500 ms=1234.567 "
                        "cause=\"disk \\\"full\\\"\" method=\"GET\" "
                        "path=\"/0.1/status\" query=-");
    assert_int_equal(got.level, XA_ERROR);
}

static void
test_access_log__tells_the_status_before_what_may_be_long(void **state XA_UNUSED)
{
    static char path[1100] = "PATH_INFO=/";
    static char query[1100] = "QUERY_STRING=";
    const char *params[] = {"REQUEST_METHOD=GET", path, query, NULL};
    struct capture got;

    memset(path + strlen(path), 1, 1000);
    memset(query + strlen(query), 1, 1000);
    log_request(params, 500, "no disk", XA_INFO, &got);
    assert_non_null(strstr(got.line, " status=500 "));
    assert_non_null(strstr(got.line, " ms=1234.567 "));
    assert_non_null(strstr(got.line, " cause=\"no disk\" "));
}

static void
test_access_log__is_silent_below_its_level(void **state XA_UNUSED)
{
    static const char *const params[] = {"REQUEST_METHOD=GET", NULL};
    struct capture got;

    log_request(params, 401, "", XA_WARNING, &got);
    assert_int_equal(got.lines, 0);
}

static void
test_access_log__shows_a_refused_path_masked(void **state XA_UNUSED)
{
    static const char *const params[] = {
        "REQUEST_METHOD=" TOKEN, "REMOTE_ADDR=" TOKEN,
        "REQUEST_URI=/0.1/token/" TOKEN "%?scope=" TOKEN,
        "QUERY_STRING=scope=" TOKEN "%", NULL};
    struct capture got;

    log_request(params, 400, "", XA_INFO, &got);
    assert_int_equal(got.lines, 1);
    assert_true(digits_shown(got.line) <= 4);
}

static int
init_crypto(void **state XA_UNUSED)
{
    return xa_crypto_init(NULL) == XA_OK ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mask__puts_the_key_in_place_of_a_token),
        cmocka_unit_test(test_mask__leaves_what_tells_nothing),
        cmocka_unit_test(test_mask__decodes_what_can_be_decoded),
        cmocka_unit_test(test_mask__hides_most_of_a_broken_token_too),
        cmocka_unit_test(test_mask__cuts_long_text_before_a_token),
        cmocka_unit_test(test_mask__never_outgrows_its_room),
        cmocka_unit_test(test_access_log__tells_the_request_without_its_token),
        cmocka_unit_test(test_access_log__takes_the_key_that_is_known),
        cmocka_unit_test(test_access_log__tells_the_cause_of_a_500),
        cmocka_unit_test(
            test_access_log__tells_the_status_before_what_may_be_long),
        cmocka_unit_test(test_access_log__is_silent_below_its_level),
        cmocka_unit_test(test_access_log__shows_a_refused_path_masked),
    };

    return cmocka_run_group_tests(tests, init_crypto, NULL);
}
