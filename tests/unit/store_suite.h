/* store_suite.h - what every kind of store has to do. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TESTS_STORE_SUITE_H
#define XA_TESTS_STORE_SUITE_H

#include "core/token/store.h"
#include "tests/unit/unit.h"

/* One kind of store. */
struct store_kind {
    const char *name;
    int64_t grain_us; /* how exactly it knows when a token is due */
    /* Make an empty place for a store, and take it away again. */
    void (*make)(void);
    void (*wipe)(void);
    /* Open the store there; several times one after the other. */
    struct xa_store *(*open)(void);
};

/*
 * Run the suite and the tests of one kind as one group, because a program
 * that prints TAP has one plan; returns the number of failures.
 */
int store_suite_run(const struct store_kind *kind,
                    const struct CMUnitTest *more, size_t more_count);

/* --- for tests of one kind --- */

/* Fail the test, with the sentence, unless rc is XA_OK. */
void suite_must(enum xa_rc rc, const struct xa_err *err);

/* A token of auth_id that ends at expires_us, with a few ACLs. */
struct xa_token *suite_token(const char *auth_id, int64_t expires_us);

/* Its key: SHA-256 of the token, or number n as a plain one. */
struct xa_key suite_key(const struct xa_token *token);
struct xa_key suite_plain_key(unsigned n);

/* Make such a token and write it; returns its key. */
struct xa_key suite_create(struct xa_store *store, const char *auth_id,
                           int64_t expires_us);

/* Whether the store has it; fails the test when it cannot tell. */
bool suite_has(struct xa_store *store, const struct xa_key *key);

/* xa_store_lead() and xa_store_expire(), as it must be possible. */
struct xa_expired suite_expire(struct xa_store *store, int64_t now_us,
                               uint32_t max);

/* How many tokens a query finds, page by page. */
unsigned suite_count(struct xa_store *store, const struct xa_query *query);

#endif
