/* cgi_answer.c - what every answer must be. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tests/fuzz/cgi_answer.h"

#include <stdlib.h>
#include <string.h>

#include <json.h>

#include "core/base/auto.h"
#include "core/support/json.h"

#define JSON_DEPTH 16

struct answer {
    const char *headers; /* behind the status line */
    const char *end;     /* of the last header line */
    const char *body;
    size_t body_len;
    unsigned status;
};

static void
check(bool holds)
{
    if (!holds)
        abort();
}

/* Every line is "Name: value", printable, ended by CR LF. */
static void
check_lines(const char *p, const char *end)
{
    while (p < end) {
        const char *eol = memmem(p, (size_t)(end - p), "\r\n", 2);
        const char *colon = memchr(p, ':', (size_t)(end - p));

        check(eol && colon && colon > p && colon < eol && colon[1] == ' ');
        for (; p < eol; p++)
            check((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f &&
                  (p >= colon || *p != ' '));
        p = eol + 2;
    }
}

/* The value of a header, which must not stand twice; NULL: there is none. */
static const char *
find_header(const struct answer *answer, const char *name, size_t *out_len)
{
    size_t name_len = strlen(name);
    const char *found = NULL;

    for (const char *p = answer->headers; p < answer->end;) {
        const char *eol = memmem(p, (size_t)(answer->end - p), "\r\n", 2);

        if ((size_t)(eol - p) >= name_len + 2 &&
            strncmp(p, name, name_len) == 0 && p[name_len] == ':') {
            check(!found);
            found = p + name_len + 2;
            *out_len = (size_t)(eol - found);
        }
        p = eol + 2;
    }
    return found;
}

static bool
has_header(const struct answer *answer, const char *name, const char *value)
{
    size_t len = 0;
    const char *is = find_header(answer, name, &len);

    return is &&
           (!value || (len == strlen(value) && strncmp(is, value, len) == 0));
}

static void
split(const char *text, size_t len, struct answer *out)
{
    static const char first[] = "Status: ";
    const char *end = memmem(text, len, "\r\n\r\n", 4);
    const char *eol = memmem(text, len, "\r\n", 2);

    check(end && eol && len > sizeof first + 3 &&
          strncmp(text, first, sizeof first - 1) == 0);
    out->status = (unsigned)strtoul(text + sizeof first - 1, NULL, 10);
    out->headers = eol + 2;
    out->end = end + 2;
    out->body = end + 4;
    out->body_len = len - (size_t)(out->body - text);
    check_lines(text, out->end);
}

static void
check_status(const struct answer *answer, const struct cgi_asked *asked)
{
    static const unsigned responder[] = {200, 204, 400, 401, 403, 404,
                                         405, 413, 415, 500, 503};
    static const unsigned authorizer[] = {200, 401, 403, 413, 500};
    const unsigned *table = asked->authorizer ? authorizer : responder;
    size_t count =
        asked->authorizer ? XA_COUNT(authorizer) : XA_COUNT(responder);
    bool is_listed = false;

    for (size_t i = 0; i < count; i++)
        is_listed |= table[i] == answer->status;
    check(is_listed);
    check(answer->status != 500 || asked->may_fail);
}

static void
check_length(const struct answer *answer, const struct cgi_asked *asked)
{
    size_t len = 0;
    const char *told = find_header(answer, "Content-Length", &len);
    bool is_verdict = asked->authorizer && answer->status == 200;

    if (answer->status == 204 || is_verdict) {
        check(!told && answer->body_len == 0);
        return;
    }
    check(told && len > 0);
    if (answer->body_len == 0)
        check(asked->may_be_head || told[0] == '0');
    else
        check(strtoul(told, NULL, 10) == answer->body_len);
    check(answer->body_len == 0 || has_header(answer, "Content-Type", NULL));
}

/* What section 3 of the contract wants each status to carry. */
static void
check_headers(const struct answer *answer, const struct cgi_asked *asked)
{
    unsigned status = answer->status;

    if (!asked->authorizer || status != 200)
        check(has_header(answer, "Cache-Control", "no-store") &&
              has_header(answer, "X-Content-Type-Options", "nosniff"));
    check((status == 500 || status == 503) ==
          has_header(answer, "Retry-After", NULL));
    check((status == 401) == has_header(answer, "WWW-Authenticate", NULL));
    if (status == 405)
        check(has_header(answer, "Allow", NULL));
    if (has_header(answer, "Access-Control-Allow-Origin", NULL))
        check(has_header(answer, "Vary", "Origin") &&
              has_header(answer, "Access-Control-Allow-Origin", CGI_ORIGIN));
}

/* A body of an error says its status and a reason. */
static void
check_error(const struct answer *answer)
{
    XA_AUTO(xa_json_free) struct json_object *json = NULL;
    struct json_object *code;
    struct json_object *reason;

    check(xa_json_parse(answer->body, answer->body_len, JSON_DEPTH, &json) ==
              XA_JSON_FINE &&
          json_object_object_get_ex(json, "status_code", &code) &&
          json_object_get_int64(code) == (int64_t)answer->status &&
          json_object_object_get_ex(json, "reason", &reason) &&
          json_object_is_type(reason, json_type_array) &&
          json_object_array_length(reason) == 1);
}

unsigned
cgi_answer_check(const char *text, size_t len, const struct cgi_asked *asked)
{
    struct answer answer;

    split(text, len, &answer);
    check_status(&answer, asked);
    check_length(&answer, asked);
    check_headers(&answer, asked);
    /* 413 is told before it is known who asks */
    if (asked->authorizer && answer.status != 413)
        check(answer.body_len == 0);
    if (answer.status >= 400 && answer.status != 503 && answer.body_len > 0)
        check_error(&answer);
    return answer.status;
}
