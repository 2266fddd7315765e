/* ldap_socket.h - the socket below libldap and its TLS. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libldap's own timeouts end where a message has begun to arrive, and do not
 * reach into a handshake of TLS in every version.  Here each read and write
 * knows when it must be over.
 *
 * libldap builds a message, a password in it, in memory that it frees as it
 * is and shows to nobody but who writes it.  So above TLS there is a second
 * layer, which overwrites what has been written.
 */
#ifndef LDAP_SOCKET_H
#define LDAP_SOCKET_H

#include <stddef.h>

#include "ldap_net.h"

struct xa_ldap_socket {
    int fd;
    struct xa_ldap_limit limit; /* of the operation in hand */
    size_t received;            /* bytes; there is an end to them, too */
};

/*
 * Let libldap read and write through it.
 *
 *   sock     stays the caller's, who closes it after libldap is done
 *   sockbuf  a Sockbuf of libldap's
 *
 * 0, or -1: out of memory.
 */
int xa_ldap_socket_attach(struct xa_ldap_socket *sock, void *sockbuf);

#endif
