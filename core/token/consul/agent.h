/* agent.h - what is told to the local agent of Consul. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The first host of consul.host is asked, and no other: what stands at one
 * agent is no affair of the next.  One call is under way at a time, and none
 * of them waits, but for the last.
 */
#ifndef XA_TOKEN_CONSUL_AGENT_H
#define XA_TOKEN_CONSUL_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/support/config.h"

#define XA_AGENT_FORGOTTEN_S 600 /* critical so long: the agent drops it */

struct xa_agent; /* opaque */

/*
 *   id      of the service, as long as this process lives; copied
 *   config  borrowed until xa_agent_free()
 *
 * XA_E_CONFIG: a certificate or key cannot be read.  XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_agent_new(const struct xa_config *config, const char *id,
                        struct xa_agent **out, struct xa_err *err);
void xa_agent_free(struct xa_agent **agent);

/*
 * Begin to tell it; a call that is under way ends here.  Registering what
 * stands there already replaces it.
 *
 *   address  for others
 *   why      shown beside the check; UTF-8
 */
XA_MUST_CHECK
enum xa_rc xa_agent_register(struct xa_agent *agent, const char *address,
                             struct xa_err *err);
XA_MUST_CHECK
enum xa_rc xa_agent_pass(struct xa_agent *agent, struct xa_err *err);
XA_MUST_CHECK
enum xa_rc xa_agent_fail(struct xa_agent *agent, const char *why,
                         struct xa_err *err);

/*
 * How the call that was begun stands.
 *
 *   out_done  false: it is under way, and XA_OK is returned
 *
 * XA_E_NOTFOUND: the agent does not know the service.  XA_E_FORBIDDEN.
 * XA_E_UNAVAILABLE: refused, or no answer of an agent's.  XA_E_TIMEOUT.
 */
XA_MUST_CHECK
enum xa_rc xa_agent_look(struct xa_agent *agent, bool *out_done,
                         struct xa_err *err);

/* Take the service away, and wait for that until the deadline at most.  What
 * was not there is no failure. */
XA_MUST_CHECK
enum xa_rc xa_agent_leave(struct xa_agent *agent, int64_t deadline_ms,
                          struct xa_err *err);

#endif
