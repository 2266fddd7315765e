/* breaker.h - when a server is not asked, and what is tried meanwhile. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A state machine without clock or socket: whoever owns it does what it says
 * and tells it what came of it.
 *
 * While it is open at most two probes are under way.  The older is kept for
 * as long as an answer may come, because a server that is slow, or that says
 * after seconds that it has no leader, answers that one.  The younger is
 * replaced often, because the older may hang on a connection that is dead, or
 * on a leader that is gone, when a new one would be answered at once; less and
 * less often when it has reached its machine, because a server that is frozen
 * finds them all when it wakes, and resets more than 200 from one address.
 */
#ifndef XA_TOKEN_CONSUL_BREAKER_H
#define XA_TOKEN_CONSUL_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

#define XA_BREAKER_PROBES 2
#define XA_BREAKER_YOUNG_MS 500    /* then another is sent beside it */
#define XA_BREAKER_PATIENT_MS 2000 /* the same, at most, if it was received */
#define XA_BREAKER_OLD_MS 10000    /* Consul says "no leader" after 7.5 s */

struct xa_breaker {
    bool is_open;
    struct xa_err reason; /* why: of the call that opened it, then of the
                             probe that ended last */
    struct {
        bool is_used;
        bool is_received;
        int64_t since_ms;
    } probes[XA_BREAKER_PROBES];
    int64_t patience_ms; /* with a younger probe that was received */
};
#define XA_BREAKER_CLOSED                                                      \
    {                                                                          \
        .is_open = false                                                       \
    }

/* Open it; the next probe is due at once.  Nothing when it is open. */
void xa_breaker_open(struct xa_breaker *breaker, const struct xa_err *reason);

/*
 * The slot in which a probe is to be started now, -1: none.  One that is
 * under way there is to be given up first.
 */
int xa_breaker_due(const struct xa_breaker *breaker, int64_t now_ms);

void xa_breaker_began(struct xa_breaker *breaker, int slot, int64_t now_ms);

/* A probe has reached the machine of its server. */
void xa_breaker_received(struct xa_breaker *breaker, int slot);

/* A probe was answered: closed, and no probe counts any more. */
void xa_breaker_answered(struct xa_breaker *breaker);

/* A probe failed.  reason NULL: it was given up. */
void xa_breaker_failed(struct xa_breaker *breaker, int slot,
                       const struct xa_err *reason);

/* Whether any probe is under way. */
bool xa_breaker_is_probing(const struct xa_breaker *breaker);

#endif
