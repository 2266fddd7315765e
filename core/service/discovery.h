/* discovery.h - telling Consul's agent that the service is here, and well. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The service is registered under a random id, with a check that Consul calls
 * critical when nobody has passed it for service_discovery.ttl_interval.  It
 * is passed while GET /0.1/status succeeds on the pool's socket.  An agent
 * that has forgotten the service hears of it again.
 *
 * Nothing here waits, but for xa_discovery_leave(): the daemon's work is to
 * remove tokens.
 */
#ifndef XA_SERVICE_DISCOVERY_H
#define XA_SERVICE_DISCOVERY_H

#include <stdint.h>

#include "core/base/err.h"
#include "core/support/config.h"

struct xa_discovery; /* opaque */

#define XA_DISCOVERY_LOOK_MS 20 /* between two looks at what is under way */
#define XA_DISCOVERY_LEAVE_MS 1000

/*
 *   config  borrowed until xa_discovery_free()
 *   out     NULL when service_discovery is off or the store is not Consul;
 *           set on XA_OK only
 *
 * XA_E_CONFIG: a certificate or key cannot be read.  XA_E_NOMEM.
 * XA_E_UNAVAILABLE: no random bytes.
 */
XA_MUST_CHECK
enum xa_rc xa_discovery_new(const struct xa_config *config,
                            struct xa_discovery **out, struct xa_err *err);
void xa_discovery_free(struct xa_discovery **discovery);

/*
 * Do what can be done now, and say what began or ended in the log.
 *
 *   discovery  may be NULL
 *   now_ms     monotonic
 *
 * Returns when to call it again, monotonic; before is fine.
 */
int64_t xa_discovery_step(struct xa_discovery *discovery, int64_t now_ms);

/* Take the service out of the catalogue, if it was ever registered; for at
 * most XA_DISCOVERY_LEAVE_MS, and best effort.  discovery may be NULL. */
void xa_discovery_leave(struct xa_discovery *discovery);

#endif
