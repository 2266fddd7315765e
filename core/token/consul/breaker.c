/* breaker.c - when a server is not asked, and what is tried meanwhile. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/consul/breaker.h"

#include <string.h>

void
xa_breaker_open(struct xa_breaker *breaker, const struct xa_err *reason)
{
    if (breaker->is_open)
        return;
    memset(breaker, 0, sizeof *breaker);
    breaker->is_open = true;
    breaker->reason = *reason;
    breaker->patience_ms = XA_BREAKER_YOUNG_MS;
}

static bool
is_young(const struct xa_breaker *breaker, int slot, int64_t now_ms)
{
    int64_t limit_ms = breaker->probes[slot].is_received ? breaker->patience_ms
                                                         : XA_BREAKER_YOUNG_MS;

    return now_ms - breaker->probes[slot].since_ms < limit_ms;
}

int
xa_breaker_due(const struct xa_breaker *breaker, int64_t now_ms)
{
    int older =
        breaker->probes[0].since_ms <= breaker->probes[1].since_ms ? 0 : 1;
    int younger = 1 - older;

    if (!breaker->is_open)
        return -1;
    if (!xa_breaker_is_probing(breaker))
        return 0;
    for (int slot = 0; slot < XA_BREAKER_PROBES; slot++)
        if (!breaker->probes[slot].is_used)
            younger = 1 - slot;
    if (is_young(breaker, younger, now_ms))
        return -1;
    if (!breaker->probes[1 - younger].is_used)
        return 1 - younger;
    if (now_ms - breaker->probes[older].since_ms >= XA_BREAKER_OLD_MS)
        return older;
    return younger;
}

void
xa_breaker_began(struct xa_breaker *breaker, int slot, int64_t now_ms)
{
    bool was_received =
        breaker->probes[slot].is_used && breaker->probes[slot].is_received;

    if (was_received && breaker->patience_ms < XA_BREAKER_PATIENT_MS)
        breaker->patience_ms *= 2;
    breaker->probes[slot].is_used = true;
    breaker->probes[slot].is_received = false;
    breaker->probes[slot].since_ms = now_ms;
}

void
xa_breaker_received(struct xa_breaker *breaker, int slot)
{
    breaker->probes[slot].is_received = true;
}

void
xa_breaker_answered(struct xa_breaker *breaker)
{
    memset(breaker, 0, sizeof *breaker);
}

void
xa_breaker_failed(struct xa_breaker *breaker, int slot,
                  const struct xa_err *reason)
{
    breaker->probes[slot].is_used = false;
    if (reason)
        breaker->reason = *reason;
}

bool
xa_breaker_is_probing(const struct xa_breaker *breaker)
{
    for (int slot = 0; slot < XA_BREAKER_PROBES; slot++)
        if (breaker->probes[slot].is_used)
            return true;
    return false;
}
