/* status_json.h - what works and what does not, as JSON. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SERVICE_STATUS_JSON_H
#define XA_SERVICE_STATUS_JSON_H

#include "core/base/buf.h"
#include "core/service/registry.h"

/*
 * Append an object: the store, each backend, why those that fail do, and the
 * version of this program.
 *
 *   store_type    as xa_store_type() says
 *   store_reason  why the store does not work; NULL: it does
 */
void xa_status_put_json(struct xa_buf *out, const struct xa_registry *registry,
                        const char *store_type, const char *store_reason);

#endif
