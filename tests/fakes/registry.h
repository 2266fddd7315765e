/* registry.h - backends that need no modules. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TESTS_FAKES_REGISTRY_H
#define XA_TESTS_FAKES_REGISTRY_H

#include "core/service/registry.h"

/*
 * Linked in place of core/service/registry.c: `mock` knows foo with the
 * password bar, who has the ACLs foo and bar; `directory` does not answer;
 * `broken` failed at its start.
 */

/* How often somebody was asked who this is. */
unsigned fake_registry_calls(const struct xa_registry *registry);

#endif
