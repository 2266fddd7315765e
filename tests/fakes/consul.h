/* consul.h - a Consul in memory. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Linked in place of core/token/consul/client.c: keys and values, listings,
 * transactions, sessions and locks, with the limits and the words of
 * Consul 1.8.  All clients of a process see the same one.
 */
#ifndef XA_TESTS_FAKES_CONSUL_H
#define XA_TESTS_FAKES_CONSUL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/token/consul/client.h"

/* Sees each request first.  Returns whether it has been answered here, by
 * *answer or by *rc. */
typedef bool fake_consul_hook(void *ctx,
                              const struct xa_consul_request *request,
                              struct xa_consul_answer *answer, enum xa_rc *rc);

/* What tests may set and look at; fake_consul_reset() makes it new. */
extern struct fake_consul {
    size_t operations_max;  /* of a transaction: 64 */
    size_t answer_max;      /* XA_CONSUL_ANSWER_MAX */
    bool denies_writes;     /* the token may only read */
    bool denies_reads;      /* the token sees nothing, and is not told */
    fake_consul_hook *hook; /* or NULL */
    void *ctx;
    unsigned requests; /* how many came */
    unsigned listings; /* of these, listings */
} fake_consul;

/* Empty, without sessions, and as it says above. */
void fake_consul_reset(void);

/* The keys themselves; names are whole.  get lends, NULL: there is none. */
void fake_consul_set(const char *name, const char *value);
const char *fake_consul_get(const char *name);
void fake_consul_delete(const char *name);
size_t fake_consul_count(const char *prefix);

#endif
