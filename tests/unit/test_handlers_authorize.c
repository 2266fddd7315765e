/* test_handlers_authorize.c - what the guard of another server asks. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/fakes/memory_store.h"
#include "tests/unit/handlers_fixture.h"

static const struct {
    const char *extra[EXTRA_MAX]; /* @ stands for a valid token */
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

/* What is sent, with a token in place of @. */
static void
put_token(const char *const *from_list, const char *id, char text[][256],
          struct ask *ask)
{
    for (size_t k = 0; k < EXTRA_MAX && from_list[k]; k++) {
        const char *from = from_list[k];
        char *to = text[k];

        for (; *from; from++)
            to += sprintf(to, *from == '@' ? "%s" : "%.1s",
                          *from == '@' ? id : from);
        *to = '\0';
        ask->extra[k] = text[k];
    }
}

static void
test_authorize__answers_by_status_alone(void **state)
{
    struct fixture *f = *state;
    char id[XA_UUID_TEXT];

    make_token(f, id);
    for (size_t i = 0; i < XA_COUNT(asks); i++) {
        struct ask ask = {.path = "/0.1/authorize", .query = asks[i].query};
        char text[EXTRA_MAX][256];

        put_token(asks[i].extra, id, text, &ask);
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

/* A token of one who may the ACLs below. */
static void
make_holder(struct fixture *f, const char *acl, const char *auth_id,
            const char *user_uuid, char id[XA_UUID_TEXT])
{
    struct xa_identity who = XA_IDENTITY_EMPTY;
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;

    assert_int_equal(xa_identity_set_auth_id(&who, auth_id, NULL), XA_OK);
    if (user_uuid)
        assert_int_equal(xa_identity_set_user_uuid(&who, user_uuid, NULL),
                         XA_OK);
    assert_int_equal(xa_identity_add_acl(&who, acl, NULL), XA_OK);
    assert_int_equal(xa_identity_add_acl(&who, "fixed", NULL), XA_OK);
    assert_int_equal(
        xa_token_manager_issue(f->app.manager, &who, 60, NOW_US, &token, NULL),
        XA_OK);
    xa_identity_done(&who);
    snprintf(id, XA_UUID_TEXT, "%s", xa_token_id(token));
}

#define MAY "confd.users.42.read"
#define T "HTTP_X_AUTH_TOKEN=@"
#define CONFD "XIVO_AUTH_SCOPE_PREFIX=confd"
#define TRUST "XIVO_AUTH_TRUST_FORWARDED=1"
#define O_GET "HTTP_X_ORIGINAL_METHOD=GET"
#define O_URI "HTTP_X_ORIGINAL_URI="
#define F_GET "HTTP_X_FORWARDED_METHOD=GET"
#define F_URI "HTTP_X_FORWARDED_URI="
#define MINE "/users/42"

/* In the RESPONDER role: what is asked comes from headers, if at all. */
static const struct {
    const char *extra[EXTRA_MAX];
    const char *query;
    unsigned status;
} forwards[] = {
    {{T, CONFD, TRUST, O_GET, O_URI MINE}, NULL, 204},
    {{T, CONFD, TRUST, F_GET, F_URI MINE}, NULL, 204},
    {{T, CONFD, TRUST, F_GET, F_URI MINE "?x=1"}, NULL, 204},
    {{T, CONFD, TRUST, F_GET, F_URI MINE}, "scope=%&scope=x", 204},
    {{T, CONFD, "XIVO_AUTH_TRUST_FORWARDED=on", F_GET, F_URI MINE}, NULL, 204},
    {{T, CONFD, "XIVO_AUTH_TRUST_FORWARDED=True", F_GET, F_URI MINE},
     NULL, 204},
    {{T, CONFD, TRUST, F_GET, F_URI MINE, O_URI, "HTTP_X_ORIGINAL_METHOD="},
     NULL,
     204},
    {{T, "XIVO_AUTH_SCOPE=fixed", CONFD, TRUST, F_GET, F_URI "/x"}, NULL, 204},

    {{CONFD, TRUST, F_GET, F_URI MINE}, NULL, 401},
    {{"HTTP_X_AUTH_TOKEN=" UNKNOWN, CONFD, TRUST, F_GET, F_URI MINE},
     NULL,
     401},

    /* another path, another method, another rule */
    {{T, CONFD, TRUST, F_GET, F_URI "/users/43"}, NULL, 403},
    {{T, CONFD, TRUST, "HTTP_X_FORWARDED_METHOD=DELETE", F_URI MINE},
     NULL,
     403},
    {{T, CONFD, TRUST, "HTTP_X_FORWARDED_METHOD=OPTIONS", F_URI MINE},
     NULL,
     403},
    {{T, CONFD, TRUST, F_GET, F_URI "/x/.." MINE}, NULL, 403},
    {{T, "XIVO_AUTH_SCOPE=x", CONFD, TRUST, F_GET, F_URI MINE}, NULL, 403},
    {{T, "XIVO_AUTH_SCOPE=", CONFD, TRUST, F_GET, F_URI MINE}, NULL, 403},
    {{T, "XIVO_AUTH_SCOPE_PREFIX=", TRUST, F_GET, F_URI MINE}, NULL, 403},
    {{T, "XIVO_AUTH_SCOPE_PREFIX=other", TRUST, F_GET, F_URI MINE}, NULL, 403},

    /* nobody vouches for the headers */
    {{T, CONFD, F_GET, F_URI MINE}, NULL, 403},
    {{T, CONFD, O_GET, O_URI MINE}, NULL, 403},
    {{T, CONFD, "XIVO_AUTH_TRUST_FORWARDED=", F_GET, F_URI MINE}, NULL, 403},
    {{T, CONFD, "XIVO_AUTH_TRUST_FORWARDED=0", F_GET, F_URI MINE}, NULL, 403},
    {{T, CONFD, "XIVO_AUTH_TRUST_FORWARDED=Off", F_GET, F_URI MINE}, NULL, 403},
    {{T, CONFD, "XIVO_AUTH_TRUST_FORWARDED=FALSE", F_GET, F_URI MINE},
     NULL, 403},
    {{T, CONFD, "XIVO_AUTH_TRUST_FORWARDED= 1", F_GET, F_URI MINE}, NULL, 403},
    {{T, CONFD, "HTTP_XIVO_AUTH_TRUST_FORWARDED=1", F_GET, F_URI MINE},
     NULL,
     403},
    {{T, CONFD, "REQUEST_URI=" MINE}, NULL, 403},

    /* they leave a doubt */
    {{T, CONFD, TRUST}, NULL, 403},
    {{T, CONFD, TRUST, F_GET}, NULL, 403},
    {{T, CONFD, TRUST, F_URI MINE}, NULL, 403},
    {{T, CONFD, TRUST, O_GET, F_URI MINE}, NULL, 403},
    {{T, CONFD, TRUST, F_GET, F_URI "/x", O_GET, O_URI MINE}, NULL, 403},
    {{T, CONFD, TRUST, O_GET, O_URI "/x", F_URI MINE}, NULL, 403},
    {{T, CONFD, TRUST, F_GET, F_URI MINE, F_URI MINE}, NULL, 403},
    {{T, CONFD, TRUST, F_GET, F_GET, F_URI MINE}, NULL, 403},
    {{T, CONFD, TRUST, F_GET, F_URI MINE ", /x"}, NULL, 403},
    {{T, CONFD, TRUST, "HTTP_X_FORWARDED_METHOD=GET, GET", F_URI MINE},
     NULL,
     403},
    {{T, CONFD, TRUST, F_GET, F_URI MINE, "XIVO_AUTH_LATER=1"}, NULL, 403},

    /* a visitor's query, and headers that look like a server's */
    {{T, CONFD}, "scope=fixed", 403},
    {{T, CONFD, TRUST, F_GET, F_URI "/x", "HTTP_XIVO_AUTH_SCOPE=fixed"},
     "scope=fixed",
     403},
    {{T, CONFD, TRUST, F_GET, F_URI "/x?scope=fixed"}, "scope=fixed", 403},

    {{T, CONFD, CONFD, TRUST, F_GET, F_URI MINE}, NULL, 400},
    {{T, CONFD, TRUST, TRUST, F_GET, F_URI MINE}, NULL, 400},
};

static void
test_authorize__asks_for_what_the_path_says(void **state)
{
    struct fixture *f = *state;
    char id[XA_UUID_TEXT];

    make_holder(f, MAY, "holder", NULL, id);
    for (size_t i = 0; i < XA_COUNT(forwards); i++) {
        struct ask ask = {"GET", "/0.1/authorize", forwards[i].query};
        char text[EXTRA_MAX][256];
        const char *answer;

        put_token(forwards[i].extra, id, text, &ask);
        answer = send_request(f, &ask);
        if (f->reply.status != forwards[i].status)
            fail_msg("case %zu: %s", i, answer);
        assert_string_equal(body_of(answer), "");
    }
}

static void
test_authorize__shapes_paths_by_rows(void **state)
{
    struct fixture *f = *state;
    char path[] = "/confd/1.1";
    char words[] = "";
    struct xa_path_rule row = {path, words};
    struct ask ask = {"GET", "/0.1/authorize", NULL, NULL, {NULL}};
    const char *extra[EXTRA_MAX] = {T, CONFD, TRUST, F_GET,
                                    F_URI "/confd/1.1/users/42"};
    char text[EXTRA_MAX][256];
    char id[XA_UUID_TEXT];

    make_holder(f, MAY, "holder", NULL, id);
    put_token(extra, id, text, &ask);
    send_request(f, &ask);
    assert_int_equal(f->reply.status, 403);
    f->config.authorize.paths = (struct xa_path_rules){&row, 1};
    send_request(f, &ask);
    assert_int_equal(f->reply.status, 204);
}

#define GET "REQUEST_METHOD=GET"
#define URI "REQUEST_URI="

/* In the AUTHORIZER role. */
static const struct {
    const char *extra[EXTRA_MAX];
    const char *query;
    unsigned status;
} verdicts[] = {
    {{T, "XIVO_AUTH_SCOPE=fixed"}, NULL, 200},
    {{"HTTP_AUTHORIZATION=Bearer @", "XIVO_AUTH_SCOPE=fixed"}, NULL, 200},
    {{T, "XIVO_AUTH_SCOPE=fixed", "REQUEST_METHOD=BREW", URI "%%%"},
     "scope=%&scope=x",
     200},
    {{T, "XIVO_AUTH_SCOPE=fixed", "CONTENT_LENGTH=nothing"}, NULL, 200},
    {{T, CONFD, GET, URI MINE}, NULL, 200},
    {{T, CONFD, "REQUEST_METHOD=HEAD", URI MINE "?scope=x"}, "scope=x", 200},
    {{T, CONFD, GET, URI MINE, F_GET, F_URI "/x"}, NULL, 200},
    {{T, CONFD, TRUST, GET, URI "/x", F_GET, F_URI MINE}, NULL, 200},

    {{"XIVO_AUTH_SCOPE=fixed"}, NULL, 401},
    {{"HTTP_X_AUTH_TOKEN=" UNKNOWN, CONFD, GET, URI MINE}, NULL, 401},
    {{T, T, "XIVO_AUTH_SCOPE=fixed"}, NULL, 401},

    {{T, GET, URI MINE}, NULL, 403}, /* no rule */
    {{T, GET, URI MINE}, "scope=fixed", 403},
    {{T, "HTTP_XIVO_AUTH_SCOPE=fixed", GET, URI MINE}, NULL, 403},
    {{T, "XIVO_AUTH_SCOPE="}, "scope=fixed", 403},
    {{T, "XIVO_AUTH_SCOPE=x"}, "scope=fixed", 403},
    {{T, "XIVO_AUTH_SCOPE=\xff"}, NULL, 403},
    {{T, "XIVO_AUTH_SCOPE=fixed", "XIVO_AUTH_SCOPE=fixed"}, NULL, 403},
    {{T, "XIVO_AUTH_SCOPE=fixed", "XIVO_AUTH_LATER=1"}, NULL, 403},
    {{T, CONFD, GET, URI "/x"}, NULL, 403},
    {{T, CONFD, GET, URI "/x", F_GET, F_URI MINE}, NULL, 403},
    {{T, CONFD, GET, URI "/x", O_GET, O_URI MINE}, NULL, 403},
    {{T, CONFD, TRUST, GET, URI MINE}, NULL, 403},
    {{T, CONFD, "REQUEST_METHOD=POST", URI MINE}, NULL, 403},
    {{T, CONFD, "REQUEST_METHOD=OPTIONS", URI MINE}, NULL, 403},
    {{T, CONFD, GET}, NULL, 403},
    {{T, CONFD, URI MINE}, NULL, 403},
    {{T, CONFD, GET, URI MINE, URI MINE}, NULL, 403},
    {{T, CONFD, GET, GET, URI MINE}, NULL, 403},
    {{T, CONFD, GET, URI "/x%2f.." MINE}, NULL, 403},
};

static void
test_authorizer__gives_a_verdict(void **state)
{
    struct fixture *f = *state;
    char id[XA_UUID_TEXT];

    make_holder(f, MAY, "holder", NULL, id);
    for (size_t i = 0; i < XA_COUNT(verdicts); i++) {
        struct ask ask = {.query = verdicts[i].query, .authorizer = true};
        char text[EXTRA_MAX][256];
        const char *answer;

        put_token(verdicts[i].extra, id, text, &ask);
        answer = send_request(f, &ask);
        if (f->reply.status != verdicts[i].status)
            fail_msg("case %zu: %s", i, answer);
        assert_string_equal(body_of(answer), "");
        assert_int_equal(strstr(answer, "WWW-Authenticate: Bearer\r\n") != NULL,
                         verdicts[i].status == 401);
        if (verdicts[i].status == 200)
            assert_string_equal(answer, "Status: 200 OK\r\n"
                                        "Variable-AUTH_ID: holder\r\n\r\n");
    }
}

static void
test_authorizer__tells_who_it_is(void **state)
{
    struct fixture *f = *state;
    const char *extra[EXTRA_MAX] = {T, "XIVO_AUTH_SCOPE=a"};
    struct ask ask = {.authorizer = true};
    char text[EXTRA_MAX][256];
    char id[XA_UUID_TEXT];

    make_holder(f, "#", "l\xc3\xa9", "a uuid", id);
    put_token(extra, id, text, &ask);
    assert_string_equal(send_request(f, &ask),
                        "Status: 200 OK\r\n"
                        "Variable-AUTH_ID: l%C3%A9\r\n"
                        "Variable-USER_UUID: a uuid\r\n\r\n");
}

static void
test_authorizer__is_500_when_the_store_is_down(void **state)
{
    struct fixture *f = *state;
    struct ask ask = {
        .extra = {"HTTP_X_AUTH_TOKEN=" UNKNOWN, "XIVO_AUTH_SCOPE=a"},
        .authorizer = true};

    memory_store_fail(f->app.store, XA_E_UNAVAILABLE);
    assert_string_equal(body_of(send_request(f, &ask)), "");
    assert_int_equal(f->reply.status, 500);
    assert_non_null(strstr(xa_buf_text(&f->wire), "Cache-Control: no-store"));
}

static void
test_authorizer_only__believes_no_forwarded_path(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *extra[EXTRA_MAX];
        unsigned status;
    } cases[] = {
        {{T, CONFD, GET, URI MINE}, 200},
        {{T, CONFD, GET, URI MINE, F_GET, F_URI "/x"}, 200},
        {{T, CONFD, TRUST, F_GET, F_URI MINE}, 403},
        {{T, CONFD, TRUST, GET, URI MINE}, 403},
        {{T, "XIVO_AUTH_SCOPE=fixed", TRUST}, 403},
    };
    char id[XA_UUID_TEXT];

    make_holder(f, MAY, "holder", NULL, id);
    f->app.authorizer_only = true;
    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        struct ask ask = {.authorizer = true};
        char text[EXTRA_MAX][256];

        put_token(cases[i].extra, id, text, &ask);
        send_request(f, &ask);
        if (f->reply.status != cases[i].status)
            fail_msg("case %zu: %u", i, f->reply.status);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HANDLER_TEST(test_authorize__answers_by_status_alone),
        HANDLER_TEST(test_authorize__tells_who_it_is),
        HANDLER_TEST(test_authorize__is_500_when_the_store_is_down),
        HANDLER_TEST(test_authorize__asks_for_what_the_path_says),
        HANDLER_TEST(test_authorize__shapes_paths_by_rows),
        HANDLER_TEST(test_authorizer__gives_a_verdict),
        HANDLER_TEST(test_authorizer__tells_who_it_is),
        HANDLER_TEST(test_authorizer__is_500_when_the_store_is_down),
        HANDLER_TEST(test_authorizer_only__believes_no_forwarded_path),
    };

    return cmocka_run_group_tests(tests, handlers_init, NULL);
}
