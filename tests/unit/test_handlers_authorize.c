/* test_handlers_authorize.c - what the guard of another server asks. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/fakes/memory_store.h"
#include "tests/unit/handlers_fixture.h"

static const struct {
    const char *extra[4]; /* @ stands for a valid token */
    const char *query;
    unsigned status;
} asks[] = {
    {{"HTTP_X_AUTH_TOKEN=@"}, NULL, 204},
    {{"HTTP_AUTHORIZATION=Bearer @"}, NULL, 204},
    {{"HTTP_AUTHORIZATION=bearer @"}, NULL, 204},
    {{"HTTP_X_AUTH_TOKEN=@", "HTTP_AUTHORIZATION=Basic x"}, NULL, 204},
    {{"HTTP_X_AUTH_TOKEN=@"}, "scope=foo", 204},
    {{"HTTP_X_AUTH_TOKEN=@", "XIVO_AUTH_SCOPE=foo"}, NULL, 204},
    {{"HTTP_X_AUTH_TOKEN=@", "XIVO_AUTH_SCOPE=foo"}, "scope=baz", 204},
    {{"HTTP_X_AUTH_TOKEN=@", "XIVO_AUTH_SCOPE=foo"}, "scope=%", 204},
    {{"HTTP_X_AUTH_TOKEN=@", "XIVO_AUTH_SCOPE=foo"}, "scope=a&scope=b", 204},

    {{NULL}, NULL, 401},
    {{"HTTP_X_AUTH_TOKEN="}, NULL, 401},
    {{"HTTP_X_AUTH_TOKEN=" UNKNOWN}, NULL, 401},
    {{"HTTP_X_AUTH_TOKEN=" UNKNOWN}, "scope=foo", 401},
    {{"HTTP_X_AUTH_TOKEN=x", "HTTP_AUTHORIZATION=Bearer @"}, NULL, 401},
    {{"HTTP_X_AUTH_TOKEN=@, @"}, NULL, 401},
    {{"HTTP_X_AUTH_TOKEN=@", "HTTP_X_AUTH_TOKEN=@"}, NULL, 401},
    {{"HTTP_AUTHORIZATION=Bearer @", "HTTP_AUTHORIZATION=Bearer @"}, NULL, 401},
    {{"HTTP_AUTHORIZATION=Bearer  @"}, NULL, 401},
    {{"HTTP_AUTHORIZATION=Bearer @, Bearer @"}, NULL, 401},
    {{"HTTP_AUTHORIZATION=Basic @"}, NULL, 401},
    {{"HTTP_AUTHORIZATION=@"}, NULL, 401},

    {{"HTTP_X_AUTH_TOKEN=@"}, "scope=baz", 403},
    {{"HTTP_X_AUTH_TOKEN=@"}, "scope=", 403},
    {{"HTTP_X_AUTH_TOKEN=@", "XIVO_AUTH_SCOPE=baz"}, "scope=foo", 403},
    {{"HTTP_X_AUTH_TOKEN=@", "XIVO_AUTH_SCOPE="}, "scope=foo", 403},
    {{"HTTP_X_AUTH_TOKEN=@", "XIVO_AUTH_LATER=foo"}, NULL, 403},

    {{"HTTP_X_AUTH_TOKEN=@"}, "scope=foo&scope=foo", 400},
    {{"HTTP_X_AUTH_TOKEN=@", "XIVO_AUTH_SCOPE=\xff"}, NULL, 400},
    {{"HTTP_X_AUTH_TOKEN=@", "XIVO_AUTH_SCOPE=foo", "XIVO_AUTH_SCOPE=foo"},
     NULL,
     400},
};

static void
test_authorize__answers_by_status_alone(void **state)
{
    struct fixture *f = *state;
    char id[XA_UUID_TEXT];

    make_token(f, id);
    for (size_t i = 0; i < XA_COUNT(asks); i++) {
        struct ask ask = {.path = "/0.1/authorize", .query = asks[i].query};
        char text[4][256];

        for (size_t k = 0; k < 4 && asks[i].extra[k]; k++) {
            const char *from = asks[i].extra[k];
            char *to = text[k];

            for (; *from; from++)
                to += sprintf(to, *from == '@' ? "%s" : "%.1s",
                              *from == '@' ? id : from);
            *to = '\0';
            ask.extra[k] = text[k];
        }
        for (int head = 0; head < 2; head++) {
            const char *answer;

            ask.method = head ? "HEAD" : "GET";
            answer = send_request(f, &ask);
            if (f->reply.status != asks[i].status)
                fail_msg("case %zu: %s", i, answer);
            assert_string_equal(body_of(answer), "");
            assert_int_equal(strstr(answer, "WWW-Authenticate: Bearer\r\n") !=
                                 NULL,
                             asks[i].status == 401);
        }
    }
}

static void
test_authorize__tells_who_it_is(void **state)
{
    struct fixture *f = *state;
    struct xa_identity who = XA_IDENTITY_EMPTY;
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    char header[64];
    struct ask ask = {"GET", "/0.1/authorize", NULL, NULL, {header}};

    assert_int_equal(xa_identity_set_auth_id(&who, "l\xc3\xa9 100%", NULL),
                     XA_OK);
    assert_int_equal(xa_identity_set_user_uuid(&who, "a uuid", NULL), XA_OK);
    assert_int_equal(
        xa_token_manager_issue(f->app.manager, &who, 60, NOW_US, &token, NULL),
        XA_OK);
    xa_identity_done(&who);
    snprintf(header, sizeof header, "HTTP_X_AUTH_TOKEN=%s", xa_token_id(token));
    assert_string_equal(send_request(f, &ask),
                        "Status: 204 No Content\r\n"
                        "Cache-Control: no-store\r\n"
                        "X-Content-Type-Options: nosniff\r\n"
                        "X-Auth-Id: l%C3%A9 100%25\r\n"
                        "X-Auth-User-Uuid: a uuid\r\n\r\n");
}

static void
test_authorize__is_500_when_the_store_is_down(void **state)
{
    struct fixture *f = *state;
    struct ask ask = {
        "GET", "/0.1/authorize", NULL, NULL, {"HTTP_X_AUTH_TOKEN=" UNKNOWN}};

    memory_store_fail(f->app.store, XA_E_TIMEOUT);
    assert_string_equal(body_of(send_request(f, &ask)), "");
    assert_int_equal(f->reply.status, 500);
    assert_non_null(strstr(xa_buf_text(&f->wire), "Retry-After: "));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HANDLER_TEST(test_authorize__answers_by_status_alone),
        HANDLER_TEST(test_authorize__tells_who_it_is),
        HANDLER_TEST(test_authorize__is_500_when_the_store_is_down),
    };

    return cmocka_run_group_tests(tests, handlers_init, NULL);
}
