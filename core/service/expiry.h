/* expiry.h - removing what is due, in batches, paced. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_SERVICE_EXPIRY_H
#define XA_SERVICE_EXPIRY_H

#include <signal.h>
#include <stdbool.h>

#include "core/token/store.h"

struct xa_expiry; /* opaque: counters and the clock guard; no schedule */

/* The clocks at one moment, so that tests own them. */
struct xa_moment {
    int64_t now_us;  /* wall clock */
    int64_t boot_us; /* boot clock */
};

/* What a rule may not do itself. */
struct xa_expiry_env {
    void *ctx; /* handed to both */
    /* Called before and after each batch. */
    struct xa_moment (*read_clocks)(void *ctx);
    /* Sleep for some milliseconds between batches, or until a signal. */
    void (*pause)(void *ctx, int ms);
};

/*
 *   store, config, env  borrowed until xa_expiry_free()
 *   out                 set on XA_OK only
 *
 * XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_expiry_new(struct xa_store *store, const struct xa_config *config,
                         const struct xa_expiry_env *env,
                         struct xa_expiry **out, struct xa_err *err);
void xa_expiry_free(struct xa_expiry **expiry);

/*
 * One tick: remove everything that is due, in batches, until nothing is due
 * or *stop is set; then say in the log how many, how long it took and how
 * late the latest was, unless it was none.  A wall clock that jumped against
 * the boot clock by more than 5 s pauses removal for expiry.clock_grace.
 *
 * Of several daemons on a shared store one leads, and the others do nothing:
 * that is XA_OK.  The log says when this one takes the lead, loses it, or
 * begins to wait for it.
 *
 * Store failures as the store gives them; what was removed stays removed.
 * The log says when they begin and when they end, not each time.
 */
XA_MUST_CHECK
enum xa_rc xa_expiry_tick(struct xa_expiry *expiry,
                          const volatile sig_atomic_t *stop,
                          struct xa_err *err);

/* Whether this process leads, as the latest tick saw it. */
bool xa_expiry_leads(const struct xa_expiry *expiry);

/* Between two ticks that are further apart than a lead lasts: go on leading.
 * A failure is left to the next tick. */
void xa_expiry_keep_lead(struct xa_expiry *expiry);

#endif
