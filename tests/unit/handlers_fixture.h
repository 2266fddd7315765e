/* handlers_fixture.h - requests to every route, over fakes. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each test has an application of its own: a store in memory, the backends of
 * tests/fakes/registry.h and a clock that stands at NOW_US.
 */
#ifndef XA_TESTS_HANDLERS_FIXTURE_H
#define XA_TESTS_HANDLERS_FIXTURE_H

#include "core/support/uuid.h"
#include "fcgi/app.h"
#include "tests/unit/unit.h"

#define NOW_US INT64_C(1480933018557553)
#define FOO_BAR "HTTP_AUTHORIZATION=Basic Zm9vOmJhcg=="
#define UNKNOWN "1823c1ee-6c6a-4cdc-9869-964a7f08a744"
#define EXTRA_MAX 8

struct fixture {
    struct xa_config config;
    struct xa_app app;
    struct xa_reply reply;
    struct xa_buf wire; /* the last answer */
    int64_t now_us;     /* when the next request comes */
};

/* One request; what is not set is not sent. */
struct ask {
    const char *method;
    const char *path;
    const char *query;
    const char *body; /* its length becomes CONTENT_LENGTH */
    const char *extra[EXTRA_MAX];
    bool authorizer; /* in FastCGI's AUTHORIZER role */
};

/* For the group: local time an hour ahead of UTC, no log. */
int handlers_init(void **state);

#define HANDLER_TEST(test)                                                     \
    cmocka_unit_test_setup_teardown(test, handlers_set_up, handlers_tear_down)
int handlers_set_up(void **state);
int handlers_tear_down(void **state);

/* The whole CGI answer; lent until the next one. */
const char *send_request(struct fixture *f, const struct ask *ask);

/* What stands behind the headers of an answer. */
const char *body_of(const char *answer);

/* The answer to ask is an error of this status and reason. */
void expect_reason(struct fixture *f, const struct ask *ask, unsigned status,
                   const char *reason);

/* A token of foo, who may foo and bar. */
void make_token(struct fixture *f, char id[XA_UUID_TEXT]);

#endif
