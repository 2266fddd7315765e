/* lock.h - which of several daemons works: a session and a lock. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lock saves work, it does not make anything right: each write of the
 * holder is fenced with its session (xa_txn_check_session()), and two who
 * remove the same token do no harm.
 */
#ifndef XA_TOKEN_CONSUL_LOCK_H
#define XA_TOKEN_CONSUL_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/token/consul/client.h"

struct xa_consul_lock; /* opaque */

#define XA_SESSION_TTL_S 10 /* Consul may double it */
#define XA_SESSION_RENEW_MS 3000

/*
 *   name  of the lock's key, prefix included; copied
 *
 * XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_consul_lock_new(struct xa_consul *consul, const char *name,
                              struct xa_consul_lock **out, struct xa_err *err);

/* Releases a lock that is held, then the session, if Consul answers. */
void xa_consul_lock_free(struct xa_consul_lock **lock);

/*
 * Take the lock, or renew what is held when that is due; cheap when it is
 * not.  To be called before each batch of work.
 *
 *   now_ms    monotonic
 *   out_held  whether this process holds it now
 *
 * Failures as xa_consul_ask(); the lock is then no longer counted as held
 * once its session may have ended.  XA_E_FORBIDDEN: no right to it.
 */
XA_MUST_CHECK
enum xa_rc xa_consul_lock_hold(struct xa_consul_lock *lock, int64_t now_ms,
                               bool *out_held, struct xa_err *err);

/* Give it up, so that another takes it at once.  Best effort. */
void xa_consul_lock_release(struct xa_consul_lock *lock);

/* A write said that the session is gone: forget it. */
void xa_consul_lock_lost(struct xa_consul_lock *lock);

/* The session's id while the lock is held, else NULL; lent. */
const char *xa_consul_lock_session(const struct xa_consul_lock *lock);

#endif
