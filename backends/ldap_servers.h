/* ldap_servers.h - the servers of ldap.uri. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LDAP_SERVERS_H
#define LDAP_SERVERS_H

#include <stddef.h>

#define XA_LDAP_SERVERS_MAX 16
#define XA_LDAP_HOST_MAX 256

/* One of the servers of ldap.uri. */
struct xa_ldap_server {
    int is_tls; /* ldaps: TLS from the first byte */
    char host[XA_LDAP_HOST_MAX];
    char port[6];
    char uri[XA_LDAP_HOST_MAX + 16]; /* all of it again, for libldap */
};

/*
 * Read a list of URIs, ldap://host[:port] or ldaps://host[:port] with blanks
 * or commas between; what follows a host and a `/` is not looked at.
 *
 *   why  the complaint, on failure
 *
 * The number of servers, from 1, or 0.
 */
size_t xa_ldap_read_uris(const char *text,
                         struct xa_ldap_server out[XA_LDAP_SERVERS_MAX],
                         char *why, size_t why_size);

/* Whether all bytes to a server stay within this machine. */
int xa_ldap_is_local(const struct xa_ldap_server *server);

/* The file with the CAs that this system trusts, or NULL.  libldap over
 * GnuTLS trusts nobody unless it is given a file. */
const char *xa_ldap_system_ca(void);

#endif
