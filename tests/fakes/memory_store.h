/* memory_store.h - a store in memory that fails when told to. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TESTS_FAKES_MEMORY_STORE_H
#define XA_TESTS_FAKES_MEMORY_STORE_H

#include "core/token/store.h"

#define MEMORY_STORE_MAX 64 /* tokens */

/* Make one; close it with xa_store_close(). */
struct xa_store *memory_store_new(void);

/* From now on every call fails with this code; XA_OK ends it. */
void memory_store_fail(struct xa_store *store, enum xa_rc code);

/* How many calls reached the store, and how many tokens it holds. */
unsigned memory_store_calls(const struct xa_store *store);
unsigned memory_store_count(const struct xa_store *store);

#endif
