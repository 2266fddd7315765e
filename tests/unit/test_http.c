/* test_http.c - an HTTP client for servers that we depend on. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netdb.h>
#include <unistd.h>

#include <curl/curl.h>

#include "core/base/clock.h"
#include "core/support/http.h"
#include "tests/unit/http_server.h"
#include "tests/unit/unit.h"

#define OK "HTTP/1.1 200 OK\r\n"
#define EMPTY OK "Content-Length: 0\r\n\r\n"
#define PATIENCE_MS 10000 /* of calls that are to be answered */
#define SECRET "0a1b2c3d-secret"

void __real_curl_slist_free_all(struct curl_slist *list);
void __wrap_curl_slist_free_all(struct curl_slist *list);

static unsigned freed_lines;

void
__wrap_curl_slist_free_all(struct curl_slist *list)
{
    for (struct curl_slist *line = list; line; line = line->next) {
        assert_string_equal(line->data, "");
        freed_lines++;
    }
    __real_curl_slist_free_all(list);
}

/* A name server that is silent until it is told to speak: libcurl's look-up
 * comes here, in whatever thread it likes. */
static int name_server[2];

__attribute__((visibility("default"))) int
getaddrinfo(const char *node XA_UNUSED, const char *service XA_UNUSED,
            const struct addrinfo *hints XA_UNUSED,
            struct addrinfo **out XA_UNUSED)
{
    char word;

    return read(name_server[0], &word, 1) == 1 ? EAI_NONAME : EAI_FAIL;
}

struct fixture {
    struct server server;
    struct xa_http *http;
    struct xa_http_wanted wanted[2];
    struct xa_http_answer answer;
    struct xa_err err;
    char url[96];
};

static void
open_client(struct fixture *f, const struct xa_http_setup *setup)
{
    *f = (struct fixture){.wanted = {{"X-One", ""}, {"X-Two", ""}},
                          .answer = XA_HTTP_ANSWER(NULL, 2)};
    f->answer.wanted = f->wanted;
    assert_int_equal(xa_http_new(setup, &f->http, &f->err), XA_OK);
}

static void
open_all(struct fixture *f, const struct step *steps, size_t count)
{
    static const struct xa_http_setup setup = {
        .verify = true,
        .secret_name = "X-Secret",
        .secret_value = SECRET,
    };

    open_client(f, &setup);
    server_begin(&f->server, steps, count);
    snprintf(f->url, sizeof f->url, "http://127.0.0.1:%u/v1/kv/key?raw",
             f->server.port);
}

static void
close_client(struct fixture *f)
{
    xa_http_answer_done(&f->answer);
    xa_http_free(&f->http);
    assert_null(f->http);
}

/* How many connections there were. */
static int
close_all(struct fixture *f)
{
    close_client(f);
    return server_end(&f->server);
}

static struct xa_http_request
get(const struct fixture *f)
{
    return (struct xa_http_request){
        .method = "GET",
        .url = f->url,
        .answer_max = 1000,
        .deadline_ms = xa_clock_mono_ms() + PATIENCE_MS,
    };
}

static enum xa_rc
ask(struct fixture *f)
{
    struct xa_http_request request = get(f);

    return xa_http_ask(f->http, &request, &f->answer, &f->err);
}

static void
test_ask__keeps_one_connection(void **state XA_UNUSED)
{
    static const struct step steps[] = {
        {STEP_ANSWER, OK "X-One: 17\r\nContent-Length: 5\r\n\r\nfirst"},
        {STEP_ANSWER, "HTTP/1.1 404 Not Found\r\nX-Two: b\r\n"
                      "Content-Length: 0\r\n\r\n"},
        {STEP_ANSWER, OK "Transfer-Encoding: chunked\r\n\r\n"
                         "3\r\nthi\r\n2\r\nrd\r\n0\r\n\r\n"},
        {STEP_ANSWER, "HTTP/1.1 204 No Content\r\n\r\n"},
    };
    struct fixture f;

    open_all(&f, steps, XA_COUNT(steps));
    assert_int_equal(ask(&f), XA_OK);
    assert_int_equal(f.answer.status, 200);
    assert_string_equal(xa_buf_text(&f.answer.body), "first");
    assert_string_equal(f.wanted[0].value, "17");
    assert_string_equal(f.wanted[1].value, "");
    assert_int_equal(ask(&f), XA_OK);
    assert_int_equal(f.answer.status, 404);
    assert_string_equal(xa_buf_text(&f.answer.body), "");
    assert_string_equal(f.wanted[0].value, "");
    assert_string_equal(f.wanted[1].value, "b");
    assert_int_equal(ask(&f), XA_OK);
    assert_string_equal(xa_buf_text(&f.answer.body), "third");
    assert_int_equal(ask(&f), XA_OK);
    assert_int_equal(f.answer.status, 204);
    assert_int_equal(close_all(&f), 1);
}

/* The second request meets a connection that has ended. */
static void
test_connections__counts_what_libcurl_replaces(void **state XA_UNUSED)
{
    static const struct step steps[] = {
        {STEP_ANSWER, OK "Content-Length: 5\r\n\r\nfirst"},
        {STEP_CLOSE, ""},
        {STEP_ANSWER, OK "Content-Length: 5\r\n\r\nagain"},
        {STEP_ANSWER, OK "Content-Length: 5\r\n\r\nthird"},
    };
    struct fixture f;

    open_all(&f, steps, XA_COUNT(steps));
    assert_int_equal(xa_http_connections(f.http), 0);
    assert_int_equal(ask(&f), XA_OK);
    assert_int_equal(xa_http_connections(f.http), 1);
    assert_int_equal(ask(&f), XA_OK);
    assert_string_equal(xa_buf_text(&f.answer.body), "again");
    assert_int_equal(xa_http_connections(f.http), 2);
    assert_int_equal(ask(&f), XA_OK);
    assert_int_equal(xa_http_connections(f.http), 2);
    assert_int_equal(close_all(&f), 2);
}

/* The whole request, so that whatever libcurl adds is seen. */
static void
assert_sent(const struct fixture *f, const char *line, const char *rest)
{
    char expected[512];

    snprintf(expected, sizeof expected,
             "%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nX-Secret: " SECRET "\r\n%s",
             line, f->server.port, rest);
    assert_string_equal(xa_buf_text(&f->answer.body), expected);
}

static void
test_ask__sends_nothing_that_was_not_asked_for(void **state XA_UNUSED)
{
    static const struct step steps[] = {{STEP_ECHO, ""},
                                        {STEP_ECHO, ""},
                                        {STEP_ECHO, ""},
                                        {STEP_ECHO, ""},
                                        {STEP_ECHO, ""}};
    struct xa_http_request request;
    struct fixture f;

    open_all(&f, steps, XA_COUNT(steps));
    assert_int_equal(ask(&f), XA_OK);
    assert_sent(&f, "GET /v1/kv/key?raw", "\r\n");
    request = get(&f);
    request.method = "PUT";
    request.body = "a\0b";
    request.body_len = 3;
    assert_int_equal(xa_http_ask(f.http, &request, &f.answer, &f.err), XA_OK);
    assert_memory_equal(f.answer.body.data + f.answer.body.len - 3, "a\0b", 3);
    f.answer.body.data[f.answer.body.len - 3] = '\0';
    assert_sent(&f, "PUT /v1/kv/key?raw", "Content-Length: 3\r\n\r\n");
    request.body = NULL;
    request.body_len = 0;
    assert_int_equal(xa_http_ask(f.http, &request, &f.answer, &f.err), XA_OK);
    assert_sent(&f, "PUT /v1/kv/key?raw", "Content-Length: 0\r\n\r\n");
    request.method = "DELETE";
    assert_int_equal(xa_http_ask(f.http, &request, &f.answer, &f.err), XA_OK);
    assert_sent(&f, "DELETE /v1/kv/key?raw", "\r\n");
    assert_int_equal(ask(&f), XA_OK); /* nothing of them is left */
    assert_sent(&f, "GET /v1/kv/key?raw", "\r\n");
    assert_int_equal(close_all(&f), 1);
}

/* A large body goes out without a question first. */
static void
test_ask__sends_a_large_body_at_once(void **state XA_UNUSED)
{
    static const struct step steps[] = {{STEP_ANSWER, EMPTY}};
    static char body[50000];
    struct xa_http_request request;
    struct fixture f;

    memset(body, 'x', sizeof body);
    open_all(&f, steps, XA_COUNT(steps));
    request = get(&f);
    request.method = "PUT";
    request.body = body;
    request.body_len = sizeof body;
    assert_int_equal(xa_http_ask(f.http, &request, &f.answer, &f.err), XA_OK);
    assert_int_equal(close_all(&f), 1);
}

static void
test_ask__obeys_no_answer_and_no_environment(void **state XA_UNUSED)
{
    static const struct step steps[] = {
        {STEP_ANSWER, "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\n"
                      "Content-Length: 0\r\n\r\n"},
        {STEP_ANSWER, OK "Set-Cookie: a=b\r\nContent-Encoding: gzip\r\n"
                         "Content-Length: 3\r\n\r\nraw"},
        {STEP_ANSWER, "HTTP/1.1 100 Continue\r\n\r\n"
                      "HTTP/1.1 401 No\r\nX-One: 1\r\n"
                      "WWW-Authenticate: Basic realm=\"a\"\r\n"
                      "Content-Length: 0\r\n\r\n"},
        {STEP_ECHO, ""},
    };
    struct fixture f;

    setenv("http_proxy", "http://127.0.0.1:1/", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
    open_all(&f, steps, XA_COUNT(steps));
    assert_int_equal(ask(&f), XA_OK);
    assert_int_equal(f.answer.status, 301);
    assert_int_equal(ask(&f), XA_OK);
    assert_string_equal(xa_buf_text(&f.answer.body), "raw");
    assert_int_equal(ask(&f), XA_OK);
    assert_int_equal(f.answer.status, 401);
    assert_string_equal(f.wanted[0].value, "1");
    assert_int_equal(ask(&f), XA_OK);
    assert_sent(&f, "GET /v1/kv/key?raw", "\r\n");
    assert_int_equal(close_all(&f), 1);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
}

static void
test_ask__tells_what_went_wrong(void **state XA_UNUSED)
{
    static const struct {
        struct step step;
        enum xa_rc rc;
        const char *sentence;
    } table[] = {
        {{STEP_CLOSE, ""},
         XA_E_UNAVAILABLE,
         "closed the connection without an answer"},
        {{STEP_RESET, ""}, XA_E_UNAVAILABLE, "the connection broke: "},
        {{STEP_CLOSE, OK "Content-Length: 9\r\n\r\nhalf"},
         XA_E_UNAVAILABLE,
         "the answer breaks off"},
        {{STEP_CLOSE, OK "Transfer-Encoding: chunked\r\n\r\n9\r\nhalf"},
         XA_E_UNAVAILABLE,
         "the answer breaks off"},
        {{STEP_CLOSE, OK "X-One: 1\r\n\r\nfor ever"},
         XA_E_UNAVAILABLE,
         "the answer, status 200, does not say where it ends"},
        {{STEP_CLOSE, "SSH-2.0-OpenSSH_9.2\r\n"},
         XA_E_UNAVAILABLE,
         "the answer is no HTTP"},
        {{STEP_CLOSE, OK "Content-Length: 1001\r\n\r\nx"},
         XA_E_INVALID,
         "the answer is larger than 1000 bytes"},
        {{STEP_CLOSE, OK "Content-Length: 99999999999999999999\r\n\r\nx"},
         XA_E_INVALID,
         "the answer is larger than 1000 bytes"},
    };

    for (size_t i = 0; i < XA_COUNT(table); i++) {
        struct fixture f;
        enum xa_rc rc;

        open_all(&f, &table[i].step, 1);
        rc = ask(&f);
        if (rc != table[i].rc || !strstr(f.err.text, table[i].sentence))
            fail_msg("%zu: %s: %s", i, xa_rc_name(rc), f.err.text);
        assert_null(strstr(f.err.text, "kv"));
        assert_null(strstr(f.err.text, SECRET));
        assert_int_equal(close_all(&f), 1);
    }
}

/* As much as is allowed is read, the next byte ends it; the header counts
 * all the same. */
static void
test_ask__stops_at_the_ceiling(void **state XA_UNUSED)
{
    static char whole[1200] = OK "X-One: 7\r\nTransfer-Encoding: chunked\r\n"
                                 "\r\n3e8\r\n";
    static char more[1200] = OK "X-One: 7\r\nTransfer-Encoding: chunked\r\n"
                                "\r\n3e9\r\n";
    const struct step steps[] = {{STEP_ANSWER, whole}, {STEP_ANSWER, more}};
    struct fixture f;

    memset(whole + strlen(whole), 'x', 1000);
    strcat(whole, "\r\n0\r\n\r\n");
    memset(more + strlen(more), 'x', 1001);
    strcat(more, "\r\n0\r\n\r\n");
    open_all(&f, steps, XA_COUNT(steps));
    assert_int_equal(ask(&f), XA_OK);
    assert_int_equal(f.answer.body.len, 1000);
    assert_int_equal(ask(&f), XA_E_INVALID);
    assert_int_equal(f.answer.status, 200);
    assert_string_equal(f.wanted[0].value, "7");
    assert_int_equal(close_all(&f), 1);
}

/* Content-Length tells it before a byte of the body has come. */
static void
test_ask__does_not_wait_for_a_body_that_is_too_large(void **state XA_UNUSED)
{
    static const struct step steps[] = {
        {STEP_ANSWER, OK "X-One: 7\r\nContent-Length: 1001\r\n\r\n"}};
    struct fixture f;

    open_all(&f, steps, XA_COUNT(steps));
    assert_int_equal(ask(&f), XA_E_INVALID);
    assert_string_equal(f.wanted[0].value, "7");
    assert_int_equal(close_all(&f), 1);
}

static void
test_ask__ends_at_the_deadline(void **state XA_UNUSED)
{
    static const struct step steps[] = {
        {STEP_SILENT, ""}, {STEP_ANSWER, OK "Content-Length: 5\r\n\r\nhal"}};
    struct xa_http_request request;
    struct fixture f;

    open_all(&f, steps, XA_COUNT(steps));
    for (size_t i = 0; i < XA_COUNT(steps); i++) {
        int64_t begun_ms = xa_clock_mono_ms();

        request = get(&f);
        request.deadline_ms = begun_ms + 150;
        assert_int_equal(xa_http_ask(f.http, &request, &f.answer, &f.err),
                         XA_E_TIMEOUT);
        assert_true(xa_clock_mono_ms() >= begun_ms + 150);
        assert_non_null(strstr(f.err.text, "no answer within "));
    }
    assert_int_equal(close_all(&f), 2); /* a silent connection is not kept */
}

static void
test_ask__tells_a_refusal_from_a_name_without_address(void **state XA_UNUSED)
{
    static const struct xa_http_setup setup = {.verify = true};
    struct fixture f;

    open_client(&f, &setup);
    snprintf(f.url, sizeof f.url, "http://127.0.0.1:%u/path", unused_port());
    assert_int_equal(ask(&f), XA_E_UNAVAILABLE);
    assert_non_null(strstr(f.err.text, "connection refused"));
    strcpy(f.url, "http://[::1/path");
    assert_int_equal(ask(&f), XA_E_UNAVAILABLE);
    strcpy(f.url, "file:///etc/passwd");
    assert_int_equal(ask(&f), XA_E_UNAVAILABLE);
    close_client(&f);
}

/* Neither the call nor what comes after it waits for the name server. */
static void
test_ask__waits_for_no_name_server(void **state XA_UNUSED)
{
    static const struct xa_http_setup setup = {.verify = true};
    struct xa_http_request request;
    struct fixture f;

    open_client(&f, &setup);
    assert_int_equal(pipe(name_server), 0);
    alarm(20); /* instead of a test that never ends */
    strcpy(f.url, "http://consul.example:8500/path");
    request = get(&f);
    request.deadline_ms = xa_clock_mono_ms() + 50;
    assert_int_equal(xa_http_ask(f.http, &request, &f.answer, &f.err),
                     XA_E_TIMEOUT);
    assert_non_null(strstr(f.err.text, "its name is not found within"));
    close_client(&f);
    alarm(0);
    assert_int_equal(write(name_server[1], "xx", 2), 2);
    open_client(&f, &setup);
    strcpy(f.url, "http://consul.example:8500/path");
    assert_int_equal(ask(&f), XA_E_UNAVAILABLE);
    assert_non_null(strstr(f.err.text, "its name is not found"));
    close_client(&f);
}

static void
test_start__goes_on_while_others_are_asked(void **state XA_UNUSED)
{
    static const struct step slow[] = {{STEP_SILENT, ""}};
    static const struct step quick[] = {
        {STEP_ANSWER, OK "Content-Length: 1\r\n\r\n1"},
        {STEP_ANSWER, OK "Content-Length: 1\r\n\r\n2"}};
    struct xa_http_answer late = XA_HTTP_ANSWER(NULL, 0);
    struct xa_http_answer early = XA_HTTP_ANSWER(NULL, 0);
    struct xa_http_call *silent_call = NULL;
    struct xa_http_call *call = NULL;
    struct xa_http_request request;
    struct server other;
    struct fixture f;
    bool is_done = true;
    char url[64];

    server_begin(&other, slow, 1);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", other.port);
    open_all(&f, quick, XA_COUNT(quick));
    request = get(&f);
    request.url = url;
    assert_int_equal(
        xa_http_start(f.http, &request, &late, &silent_call, &f.err), XA_OK);
    memset(url, 0, sizeof url); /* it was copied */
    request = get(&f);
    assert_int_equal(xa_http_start(f.http, &request, &early, &call, &f.err),
                     XA_OK);
    assert_int_equal(xa_http_look(silent_call, 0, &is_done, &f.err), XA_OK);
    assert_false(is_done);
    assert_int_equal(xa_http_look(call, PATIENCE_MS, &is_done, &f.err), XA_OK);
    assert_true(is_done);
    assert_string_equal(xa_buf_text(&early.body), "1");
    xa_http_call_free(&call);
    assert_null(call);
    assert_int_equal(ask(&f), XA_OK);
    assert_string_equal(xa_buf_text(&f.answer.body), "2");
    assert_int_equal(xa_http_look(silent_call, 0, &is_done, &f.err), XA_OK);
    assert_false(is_done);
    xa_http_call_free(&silent_call); /* ends its connection */
    xa_http_answer_done(&late);
    xa_http_answer_done(&early);
    assert_int_equal(server_end(&other), 1);
    assert_int_equal(close_all(&f), 1);
}

static void
test_free__ends_what_is_under_way(void **state XA_UNUSED)
{
    static const struct step steps[] = {{STEP_SILENT, ""}};
    struct xa_http_call *call = NULL;
    struct xa_http_request request;
    struct fixture f;
    bool is_done = true;

    open_all(&f, steps, 1);
    request = get(&f);
    assert_int_equal(xa_http_start(f.http, &request, &f.answer, &call, &f.err),
                     XA_OK);
    assert_int_equal(xa_http_look(call, 20, &is_done, &f.err), XA_OK);
    assert_false(is_done);
    assert_true(xa_http_is_received(call)); /* loopback confirms at once */
    assert_int_equal(close_all(&f), 1);
}

static void
test_free__wipes_the_secret(void **state XA_UNUSED)
{
    static const struct xa_http_setup setup = {
        .secret_name = "X-Secret",
        .secret_value = SECRET,
    };
    struct fixture f;

    open_client(&f, &setup);
    freed_lines = 0;
    close_client(&f);
    assert_true(freed_lines > 0); /* each was looked at as it was freed */
}

static void
test_new__refuses_files_that_cannot_be_read(void **state XA_UNUSED)
{
    static const struct {
        struct xa_http_setup setup;
        const char *sentence;
    } table[] = {
        {{.ca_file = "/nowhere/ca.pem"}, "/nowhere/ca.pem"},
        {{.cert = "/nowhere/cert.pem"}, "/nowhere/cert.pem"},
        {{.cert = "/dev/null", .key = "/nowhere/key.pem"}, "/nowhere/key.pem"},
        {{.secret_name = "X-Secret", .secret_value = "two\r\nlines"},
         "control character"},
    };

    for (size_t i = 0; i < XA_COUNT(table); i++) {
        struct xa_http *http = NULL;
        struct xa_err err = XA_ERR_NONE;

        assert_int_equal(xa_http_new(&table[i].setup, &http, &err),
                         XA_E_CONFIG);
        assert_null(http);
        assert_non_null(strstr(err.text, table[i].sentence));
        assert_null(strstr(err.text, "lines"));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ask__keeps_one_connection),
        cmocka_unit_test(test_connections__counts_what_libcurl_replaces),
        cmocka_unit_test(test_ask__sends_nothing_that_was_not_asked_for),
        cmocka_unit_test(test_ask__sends_a_large_body_at_once),
        cmocka_unit_test(test_ask__obeys_no_answer_and_no_environment),
        cmocka_unit_test(test_ask__tells_what_went_wrong),
        cmocka_unit_test(test_ask__stops_at_the_ceiling),
        cmocka_unit_test(test_ask__does_not_wait_for_a_body_that_is_too_large),
        cmocka_unit_test(test_ask__ends_at_the_deadline),
        cmocka_unit_test(test_ask__tells_a_refusal_from_a_name_without_address),
        cmocka_unit_test(test_ask__waits_for_no_name_server),
        cmocka_unit_test(test_start__goes_on_while_others_are_asked),
        cmocka_unit_test(test_free__ends_what_is_under_way),
        cmocka_unit_test(test_free__wipes_the_secret),
        cmocka_unit_test(test_new__refuses_files_that_cannot_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
