/* trust.c - when a leader's word is taken without proof. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/consul/trust.h"

void
xa_trust_lose(struct xa_trust *trust)
{
    trust->is_proven = false;
}

void
xa_trust_look(struct xa_trust *trust, uint64_t connections)
{
    if (connections == trust->connections)
        return;
    trust->connections = connections;
    xa_trust_lose(trust);
}

bool
xa_trust_is_calm(const struct xa_trust *trust, int64_t now_ms)
{
    return trust->is_proven &&
           now_ms - trust->proven_at_ms >= XA_TRUST_GUARD_MS;
}

bool
xa_trust_holds(const struct xa_trust *trust, int64_t now_ms)
{
    return xa_trust_is_calm(trust, now_ms) &&
           now_ms - trust->known_at_ms < XA_TRUST_QUIET_MS;
}

bool
xa_trust_believes(struct xa_trust *trust, bool is_sure, int64_t begun_ms,
                  int64_t now_ms)
{
    if (!is_sure && !xa_trust_holds(trust, now_ms))
        return false;
    if (!trust->is_proven)
        trust->proven_at_ms = now_ms;
    trust->is_proven = true;
    trust->known_at_ms = begun_ms;
    return true;
}
