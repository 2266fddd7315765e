/* expiry.h - removing what is due, in batches, paced. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SERVICE_EXPIRY_H
#define XA_SERVICE_EXPIRY_H

#include <signal.h>

#include "core/token/store.h"

struct xa_expiry; /* opaque: counters and the clock guard; no schedule */

/* The clocks at one moment, so that tests own them. */
struct xa_moment {
    int64_t now_us;  /* wall clock */
    int64_t boot_us; /* boot clock */
};

/*
 *   store   borrowed until xa_expiry_free()
 *   config  borrowed likewise
 *   read_clocks  called before each batch
 *   pause   sleeps for some milliseconds between batches, or until a signal
 */
struct xa_expiry_env {
    void *ctx;
    struct xa_moment (*read_clocks)(void *ctx);
    void (*pause)(void *ctx, int ms);
};
XA_MUST_CHECK
enum xa_rc xa_expiry_new(struct xa_store *store,
                         const struct xa_config *config,
                         const struct xa_expiry_env *env,
                         struct xa_expiry **out, struct xa_err *err);
void xa_expiry_free(struct xa_expiry **expiry);

/*
 * One tick: remove everything that is due, in batches, until nothing is due
 * or *stop is set; then say in the log how many, how long it took and how
 * late the latest was, unless it was none.  A wall clock that jumped against
 * the boot clock by more than 5 s pauses removal for expiry.clock_grace.
 *
 * Store failures as the store gives them; what was removed stays removed.
 */
XA_MUST_CHECK
enum xa_rc xa_expiry_tick(struct xa_expiry *expiry,
                          const volatile sig_atomic_t *stop,
                          struct xa_err *err);

#endif
