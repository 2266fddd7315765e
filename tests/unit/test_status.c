/* test_status.c - every refusal, its status and its public words. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>

#include "fcgi/status.h"
#include "tests/unit/unit.h"

static void
test_problem__has_the_words_of_the_interface(void **state XA_UNUSED)
{
    static const struct {
        enum xa_problem problem;
        unsigned status;
        const char *reason;
    } cases[] = {
        {XA_BAD_ENCODING, 400, "Invalid encoding in request"},
        {XA_BAD_SCOPE_TWICE, 400, "Duplicate scope"},
        {XA_BAD_JSON, 400, "Request body is not valid JSON"},
        {XA_BAD_JSON_KIND, 400, "Request body must be a JSON object"},
        {XA_BAD_JSON_DEPTH, 400, "Request body is nested too deeply"},
        {XA_BAD_NO_BACKEND, 400, "Missing backend"},
        {XA_BAD_BACKEND, 400, "Invalid backend"},
        {XA_BAD_EXPIRATION, 400, "Invalid expiration"},
        {XA_BAD_BODY_LENGTH, 400, "Incomplete request body"},
        {XA_BAD_CREDENTIALS, 401, "Authentication Failed"},
        {XA_NOT_ALLOWED, 403, "Unauthorized for "},
        {XA_NO_TOKEN, 404, "No such token"},
        {XA_NO_ROUTE, 404, "Not found"},
        {XA_NO_METHOD, 405, "Method not allowed"},
        {XA_TOO_LARGE, 413, "Request body too large"},
        {XA_NOT_JSON_TYPE, 415, "Content-Type must be application/json"},
        {XA_STORE_REFUSED, 500, "Connection to consul failed"},
        {XA_STORE_SILENT, 500, "Connection to consul timedout"},
        {XA_STORE_FAILED, 500, "Token store failed"},
        {XA_BACKEND_DOWN, 503, "Authentication backend unavailable"},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        assert_int_equal(xa_problem_status(cases[i].problem), cases[i].status);
        assert_string_equal(xa_problem_reason(cases[i].problem),
                            cases[i].reason);
    }
}

static void
test_problem__each_has_a_status_line_and_words(void **state XA_UNUSED)
{
    for (int i = 0; i < XA_PROBLEMS; i++) {
        unsigned status = xa_problem_status((enum xa_problem)i);
        char number[16];

        snprintf(number, sizeof number, "%u ", status);
        assert_memory_equal(xa_status_line(status), number, 4);
        if (i != XA_FINE)
            assert_true(xa_problem_reason((enum xa_problem)i)[0] != '\0');
    }
}

static void
test_problem__asks_for_credentials_with_401_only(void **state XA_UNUSED)
{
    for (int i = 0; i < XA_PROBLEMS; i++) {
        bool asks = xa_problem_challenge((enum xa_problem)i) != NULL;

        assert_int_equal(asks, xa_problem_status((enum xa_problem)i) == 401);
    }
    assert_string_equal(xa_problem_challenge(XA_BAD_CREDENTIALS),
                        "Basic realm=\"xivo-auth\", charset=\"UTF-8\"");
    assert_string_equal(xa_problem_challenge(XA_BAD_BEARER), "Bearer");
}

static void
test_problem_of__knows_who_failed(void **state XA_UNUSED)
{
    static const struct {
        enum xa_rc rc;
        enum xa_problem token;
        enum xa_problem login;
    } cases[] = {
        {XA_OK, XA_FINE, XA_FINE},
        {XA_E_NOMEM, XA_INTERNAL, XA_INTERNAL},
        {XA_E_INVALID, XA_INTERNAL, XA_INTERNAL},
        {XA_E_DENIED, XA_INTERNAL, XA_BAD_CREDENTIALS},
        {XA_E_FORBIDDEN, XA_NOT_ALLOWED, XA_INTERNAL},
        {XA_E_NOTFOUND, XA_NO_TOKEN, XA_INTERNAL},
        {XA_E_UNAVAILABLE, XA_STORE_REFUSED, XA_BACKEND_DOWN},
        {XA_E_TIMEOUT, XA_STORE_SILENT, XA_BACKEND_DOWN},
        {XA_E_STORE, XA_STORE_FAILED, XA_INTERNAL},
        {XA_E_CONFIG, XA_STORE_FAILED, XA_INTERNAL},
    };

    for (size_t i = 0; i < XA_COUNT(cases); i++) {
        assert_int_equal(xa_problem_of_token(cases[i].rc), cases[i].token);
        assert_int_equal(xa_problem_of_login(cases[i].rc), cases[i].login);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_problem__has_the_words_of_the_interface),
        cmocka_unit_test(test_problem__each_has_a_status_line_and_words),
        cmocka_unit_test(test_problem__asks_for_credentials_with_401_only),
        cmocka_unit_test(test_problem_of__knows_who_failed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
