/* ldap_net.h - connections to LDAP servers that end in time. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LDAP_NET_H
#define LDAP_NET_H

#include <stddef.h>
#include <sys/types.h>

#include <xivo-auth/backend.h>

#include "ldap_servers.h"

/*
 * When an operation must be over.  The host's time for the call in hand runs
 * down; the operation ends when no more than floor_ms are left of it.
 */
struct xa_ldap_limit {
    const struct xa_host *host;
    int floor_ms;
};

/* In `ms` milliseconds, or a little before the call itself ends. */
struct xa_ldap_limit xa_ldap_limit_in(const struct xa_host *host, int ms);

/* Milliseconds until then; 0: it is over. */
int xa_ldap_left_ms(const struct xa_ldap_limit *limit);

/*
 * Connect: the first address of its name that answers.  The look-up of a name
 * waits one second for a DNS server, and asks as many of them as there is time
 * for.
 *
 * A socket that does not block, or -1.
 */
int xa_ldap_dial(const struct xa_ldap_server *server,
                 const struct xa_ldap_limit *limit, char *why, size_t why_size);

/* As recv(2) and send(2), waiting; -1 with ETIMEDOUT when it is over. */
ssize_t xa_ldap_receive(int fd, void *bytes, size_t len,
                        const struct xa_ldap_limit *limit);
ssize_t xa_ldap_send(int fd, const void *bytes, size_t len,
                     const struct xa_ldap_limit *limit);

#endif
