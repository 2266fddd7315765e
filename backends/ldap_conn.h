/* ldap_conn.h - what ldap_user does with an LDAP server. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A connection serves one login and is closed.  Every call ends in time,
 * whatever the server does: libldap reads and writes through functions of
 * ours that know the limit, in the handshake of TLS too, which its own
 * timeouts do not reach.
 */
#ifndef LDAP_CONN_H
#define LDAP_CONN_H

#include <stddef.h>

#include <xivo-auth/backend.h>

#include "ldap_net.h"

#define XA_LDAP_DN_MAX 8192 /* bytes of a DN, with the NUL */
#define XA_LDAP_EMAIL_MAX 320
#define XA_LDAP_WHY_MAX 384

enum xa_ldap_rc {
    XA_LDAP_OK,
    XA_LDAP_REFUSED, /* the server's word on these credentials */
    XA_LDAP_NONE,    /* there is no such thing, or not for us to see */
    XA_LDAP_MANY,    /* more than one */
    XA_LDAP_TROUBLE  /* the server, the way to it or the configuration */
};

/* Why: set with XA_LDAP_TROUBLE, the same text for the same trouble; it holds
 * neither a password nor, of a search for a user, the login. */
struct xa_ldap_why {
    char text[XA_LDAP_WHY_MAX];
};

/* Where the servers are and how to talk to them. */
struct xa_ldap_servers {
    const struct xa_host *host;
    struct xa_ldap_server list[XA_LDAP_SERVERS_MAX];
    size_t count;
    size_t first;        /* the one to try first: who answered last */
    int start_tls;       /* for those that are not ldaps */
    const char *ca_cert; /* NULL: the system's */
};

struct xa_ldap_conn; /* opaque */

/*
 * Make libldap ready, before any other call and once in a process: it reads
 * no ldap.conf, ldaprc or variable, whoever runs the service.
 */
void xa_ldap_prepare(void);

/* Whether text is a DN, and not the empty one. */
int xa_ldap_is_dn(const char *text);

/*
 * Connect to the first server that answers, and encrypt the connection where
 * that is asked for, or fail.  XA_LDAP_OK: out is set, release it with
 * xa_ldap_close().  XA_LDAP_TROUBLE.
 */
enum xa_ldap_rc xa_ldap_open(struct xa_ldap_servers *servers,
                             struct xa_ldap_conn **out,
                             struct xa_ldap_why *why);

/* NULL inside is allowed; NULL is left behind. */
void xa_ldap_close(struct xa_ldap_conn **conn);

/*
 * A simple bind.  Neither text may be empty: to most servers that is an
 * anonymous bind, which succeeds; it is XA_LDAP_REFUSED here.  XA_LDAP_OK,
 * XA_LDAP_REFUSED, XA_LDAP_TROUBLE.
 */
enum xa_ldap_rc xa_ldap_bind(struct xa_ldap_conn *conn, const char *dn,
                             const char *password, struct xa_ldap_why *why);

/*
 * The DN of the one entry below base that matches.  XA_LDAP_OK, XA_LDAP_NONE,
 * XA_LDAP_MANY, XA_LDAP_TROUBLE: also when there is no entry base.
 */
enum xa_ldap_rc xa_ldap_find(struct xa_ldap_conn *conn, const char *base,
                             const char *filter, char out_dn[XA_LDAP_DN_MAX],
                             struct xa_ldap_why *why);

/*
 * An attribute of an entry, of several values the first that the server
 * sends.  XA_LDAP_OK, XA_LDAP_NONE (also: not plain text, or too long),
 * XA_LDAP_TROUBLE.
 */
enum xa_ldap_rc xa_ldap_read(struct xa_ldap_conn *conn, const char *dn,
                             const char *attribute, char out[XA_LDAP_EMAIL_MAX],
                             struct xa_ldap_why *why);

#endif
