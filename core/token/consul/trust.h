/* trust.h - when a leader's word is taken without proof. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A server that begins to lead answers for a while from a state that lacks
 * the last writes, with all the marks of a leader: after a restart it leads
 * before it has read its log again (seen with Consul 1.8).  Only a consistent
 * read waits for the end of that, at the cost of one more round between the
 * servers.
 *
 * So reads are consistent until one was answered and for XA_TRUST_GUARD_MS
 * more, each time when
 *
 *   - a host did not answer, or not as Consul does,
 *   - a connection was made: the server at its end may be another by now,
 *     also when libcurl made it silently in place of one that was dead.
 *
 * And a single one is, when nothing was known for XA_TRUST_QUIET_MS: behind
 * an agent a leader can come and go without a sign for those who did not ask.
 * No sign tells those who do ask of a leader that hands over on purpose, behind
 * an agent: for the milliseconds until the next one has applied the last writes
 * only consul.consistency "consistent" is right.
 * An answer that was not asked for consistently, and turns out to have come by
 * one of these ways, is not to be used.
 *
 * A state machine without clock or socket, as the breaker is.
 */
#ifndef XA_TOKEN_CONSUL_TRUST_H
#define XA_TOKEN_CONSUL_TRUST_H

#include <stdbool.h>
#include <stdint.h>

/* After 5 s without a word of the leader, as Consul is configured by default,
 * servers elect another: by then all of them know who leads. */
#define XA_TRUST_GUARD_MS 5000

/* Half of the shortest time, raft_multiplier 1, after which they do. */
#define XA_TRUST_QUIET_MS 500

/* All zero: nothing is known yet. */
struct xa_trust {
    bool is_proven;       /* a consistent read was answered since the last
                             sign of trouble */
    int64_t proven_at_ms; /* the first that was */
    int64_t known_at_ms;  /* when the latest answer was asked for that could
                             be relied on */
    uint64_t connections; /* that had been made by the last look */
};

/* A host did not answer as it should. */
void xa_trust_lose(struct xa_trust *trust);

/* So many connections have been made by now; one more than at the last look
 * is a sign of trouble. */
void xa_trust_look(struct xa_trust *trust, uint64_t connections);

/* Whether a read need not be consistent. */
bool xa_trust_holds(const struct xa_trust *trust, int64_t now_ms);

/* The same for a read that need not come from a leader: what others did
 * meanwhile makes no difference. */
bool xa_trust_is_calm(const struct xa_trust *trust, int64_t now_ms);

/*
 * A read was answered; xa_trust_look() comes before.
 *
 *   is_sure   whether it was consistent
 *   begun_ms  when it was asked
 *
 * Whether the answer can be relied on; else ask again, consistently.
 */
bool xa_trust_believes(struct xa_trust *trust, bool is_sure, int64_t begun_ms,
                       int64_t now_ms);

#endif
