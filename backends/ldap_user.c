/* ldap_user.c - users of an LDAP directory, found in XiVO by email. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Three ways to the user's DN: search as ldap.bind_dn, search as nobody, or,
 * with neither, put it together from the login.  Then bind as the user, on a
 * connection of its own, and read the email: who has it in XiVO is who logs
 * in.
 *
 * An unknown user costs the same two connections, the second with a bind
 * that cannot succeed.  What a directory itself tells by the time of a bind,
 * of a slow hash say, cannot be hidden here.
 *
 * What keeps everybody out is no refusal: a service account that is refused,
 * a base DN that is not there, a certificate that is not trusted and a
 * server that is away are all XA_UNAVAILABLE, with the cause in the log.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xivo-auth/backend.h>

#include "ldap_conn.h"
#include "ldap_text.h"
#include "xivo_db.h"

#define BASE_DN_MAX 4096
#define FILTER_MAX 2048

struct backend {
    const struct xa_host *host;
    struct xivo_db *db;
    struct xa_ldap_servers servers;
    const char *bind_dn; /* lent by the host, like the rest; NULL: nobody */
    const char *bind_password;
    int does_search; /* else the DN is put together */
    const char *base_dn;
    const char *login_attribute;
    const char *email_attribute;
    struct xa_ldap_why trouble; /* of the last call, "" when there was none */
};

/* --- configuration -------------------------------------------------------- */

static const struct xa_node *
option(const struct xa_host *host, const char *key)
{
    return host->get(host->get(host->config(host), "ldap"), key);
}

/* NULL for an empty one, too. */
static const char *
text_option(const struct xa_host *host, const char *key)
{
    const char *text = host->text(option(host, key));

    return text && *text ? text : NULL;
}

static int
is_set(const struct xa_host *host, const char *key)
{
    int value = 0;

    return host->boolean(option(host, key), &value) == 0 && value;
}

static int
is_configured(const struct xa_host *host)
{
    return text_option(host, "uri") != NULL;
}

static int
complain(const struct xa_host *host, const char *what)
{
    host->log(host, XA_HOST_ERROR, "%s", what);
    return -1;
}

static int
read_servers(struct backend *self)
{
    const struct xa_host *host = self->host;
    struct xa_ldap_servers *servers = &self->servers;
    char why[XA_LDAP_WHY_MAX];

    servers->host = host;
    servers->start_tls = is_set(host, "start_tls");
    servers->ca_cert = text_option(host, "ca_cert");
    servers->count = xa_ldap_read_uris(text_option(host, "uri"), servers->list,
                                       why, sizeof why);
    if (servers->count == 0)
        return complain(host, why);
    for (size_t i = 0; i < servers->count; i++)
        if (!servers->list[i].is_tls && !servers->start_tls &&
            !xa_ldap_is_local(&servers->list[i]))
            host->log(host, XA_HOST_WARNING,
                      "%s: passwords travel unencrypted; set ldap.start_tls "
                      "or use ldaps://",
                      servers->list[i].uri);
    return 0;
}

static int
read_attribute(const struct xa_host *host, const char *key,
               const char *if_unset, const char **out)
{
    const char *name = text_option(host, key);

    *out = name ? name : if_unset;
    if (xa_ldap_is_attribute(*out))
        return 0;
    host->log(host, XA_HOST_ERROR, "ldap.%s is no name of an attribute", key);
    return -1;
}

/* bind_dn and bind_password go together, as they always did. */
static void
read_way(struct backend *self)
{
    const struct xa_host *host = self->host;
    int is_anonymous = is_set(host, "bind_anonymous");

    self->bind_dn = text_option(host, "bind_dn");
    self->bind_password = text_option(host, "bind_password");
    if (!self->bind_dn || !self->bind_password) {
        if (self->bind_dn || self->bind_password)
            host->log(host, XA_HOST_WARNING,
                      "ldap.bind_dn and ldap.bind_password go together; one "
                      "alone is not used");
        self->bind_dn = NULL;
    }
    self->does_search = self->bind_dn || is_anonymous;
    host->log(host, XA_HOST_INFO, "users are %s",
              self->bind_dn  ? "searched for as ldap.bind_dn"
              : is_anonymous ? "searched for as nobody"
                             : "named by login and ldap.user_base_dn");
}

static int
read_options(struct backend *self)
{
    const struct xa_host *host = self->host;

    self->base_dn = text_option(host, "user_base_dn");
    if (!self->base_dn)
        return complain(host, "ldap.user_base_dn is not set");
    if (strlen(self->base_dn) > BASE_DN_MAX || !xa_ldap_is_dn(self->base_dn))
        return complain(host, "ldap.user_base_dn is no DN");
    if (!xivo_db_is_configured(host))
        return complain(host, "db_uri is not set: XiVO's users are there");
    if (read_attribute(host, "user_login_attribute", "uid",
                       &self->login_attribute) != 0 ||
        read_attribute(host, "user_email_attribute", "mail",
                       &self->email_attribute) != 0 ||
        read_servers(self) != 0)
        return -1;
    read_way(self);
    if (self->bind_dn && !xa_ldap_is_dn(self->bind_dn))
        host->log(host, XA_HOST_WARNING, "ldap.bind_dn is no DN");
    return 0;
}

static void
stop(void *ptr)
{
    struct backend *self = ptr;

    xivo_db_free(&self->db);
    free(self);
}

static int
start(const struct xa_host *host, void **out)
{
    struct backend *self = calloc(1, sizeof *self);

    if (!self)
        return complain(host, "out of memory");
    self->host = host;
    xa_ldap_prepare();
    if (read_options(self) != 0 || xivo_db_new(host, &self->db) != 0) {
        stop(self);
        return -1;
    }
    *out = self;
    return 0;
}

/* --- a login -------------------------------------------------------------- */

/* A connection as somebody. */
static enum xa_ldap_rc
open_as(struct backend *self, const char *dn, const char *password,
        struct xa_ldap_conn **out, struct xa_ldap_why *why)
{
    struct xa_ldap_conn *conn = NULL;
    enum xa_ldap_rc rc = xa_ldap_open(&self->servers, &conn, why);

    if (rc == XA_LDAP_OK && dn)
        rc = xa_ldap_bind(conn, dn, password, why);
    if (rc == XA_LDAP_OK)
        *out = conn;
    else
        xa_ldap_close(&conn);
    return rc;
}

/* The way of the service account, or of nobody. */
static enum xa_ldap_rc
search_dn(struct backend *self, const char *login, char dn[XA_LDAP_DN_MAX],
          struct xa_ldap_why *why)
{
    struct xa_ldap_conn *conn = NULL;
    char filter[FILTER_MAX];
    enum xa_ldap_rc rc;

    if (xa_ldap_put_filter(self->login_attribute, login, filter,
                           sizeof filter) != 0)
        return XA_LDAP_NONE;
    rc = open_as(self, self->bind_dn, self->bind_password, &conn, why);
    if (rc == XA_LDAP_OK)
        rc = xa_ldap_find(conn, self->base_dn, filter, dn, why);
    xa_ldap_close(&conn);
    /* nobody's password is wrong but the operator's */
    return rc == XA_LDAP_REFUSED ? XA_LDAP_TROUBLE : rc;
}

static enum xa_ldap_rc
find_dn(struct backend *self, const char *login, char dn[XA_LDAP_DN_MAX],
        struct xa_ldap_why *why)
{
    if (self->does_search)
        return search_dn(self, login, dn, why);
    return xa_ldap_put_dn(self->login_attribute, login, self->base_dn, dn,
                          XA_LDAP_DN_MAX) == 0
               ? XA_LDAP_OK
               : XA_LDAP_NONE;
}

/* The work of a user who is there, for one who is not. */
static enum xa_ldap_rc
decoy(struct backend *self, const char *password, struct xa_ldap_why *why)
{
    struct xa_ldap_conn *conn = NULL;
    char dn[XA_LDAP_DN_MAX];
    enum xa_ldap_rc rc;

    snprintf(dn, sizeof dn, "cn=xivo-auth knows nobody,%s", self->base_dn);
    rc = open_as(self, dn, password, &conn, why);
    xa_ldap_close(&conn);
    return rc == XA_LDAP_TROUBLE ? rc : XA_LDAP_REFUSED;
}

static enum xa_ldap_rc
read_email(struct backend *self, const char *dn, const char *password,
           char email[XA_LDAP_EMAIL_MAX], struct xa_ldap_why *why)
{
    struct xa_ldap_conn *conn = NULL;
    enum xa_ldap_rc rc;

    rc = open_as(self, dn, password, &conn, why);
    if (rc == XA_LDAP_OK)
        rc = xa_ldap_read(conn, dn, self->email_attribute, email, why);
    if (rc == XA_LDAP_NONE)
        self->host->log(self->host, XA_HOST_INFO,
                        "right password, but no %s that can be used",
                        self->email_attribute);
    xa_ldap_close(&conn);
    return rc;
}

static enum xa_ldap_rc
ask_directory(struct backend *self, const char *login, const char *password,
              char email[XA_LDAP_EMAIL_MAX], struct xa_ldap_why *why)
{
    char dn[XA_LDAP_DN_MAX];
    enum xa_ldap_rc rc;

    rc = find_dn(self, login, dn, why);
    if (rc == XA_LDAP_OK)
        return read_email(self, dn, password, email, why);
    if (rc == XA_LDAP_MANY)
        self->host->log(self->host, XA_HOST_WARNING,
                        "more than one entry for a login");
    return rc == XA_LDAP_TROUBLE ? rc : decoy(self, password, why);
}

/* What goes on is said when it begins; the host says when it ends.  Who was
 * asked first is asked last from now on: it may listen and not answer. */
static void
note(struct backend *self, enum xa_ldap_rc rc, const struct xa_ldap_why *why)
{
    if (rc != XA_LDAP_TROUBLE) {
        self->trouble.text[0] = '\0';
        return;
    }
    self->servers.first = (self->servers.first + 1) % self->servers.count;
    if (strcmp(self->trouble.text, why->text) == 0)
        return;
    self->trouble = *why;
    self->host->log(self->host, XA_HOST_ERROR, "%s", why->text);
}

static enum xa_verdict
grant(const struct xa_host *host, const char *uuid, const struct xa_sink *to)
{
    const struct xa_node *acls =
        host->get(host->config(host), "default_user_acls");
    int rc = to->auth_id(to, uuid);

    if (rc == 0)
        rc = to->xivo_user_uuid(to, uuid);
    for (size_t i = 0; rc == 0 && i < host->count(acls); i++)
        rc = to->acl(to, host->text(host->item(acls, i, NULL)));
    return rc == 0 ? XA_GRANTED : XA_FAILED;
}

static enum xa_verdict
authenticate(void *ptr, const char *login, const char *password,
             const struct xa_sink *to)
{
    struct backend *self = ptr;
    struct xa_ldap_why why = {""};
    char email[XA_LDAP_EMAIL_MAX];
    char uuid[XIVO_DB_ID_MAX];
    enum xa_verdict verdict;
    enum xa_ldap_rc rc;

    if (!*login || !*password)
        return XA_DENIED;
    rc = ask_directory(self, login, password, email, &why);
    note(self, rc, &why);
    if (rc != XA_LDAP_OK)
        return rc == XA_LDAP_TROUBLE ? XA_UNAVAILABLE : XA_DENIED;
    verdict = xivo_db_uuid_of_email(self->db, email, uuid);
    if (verdict == XA_DENIED)
        self->host->log(self->host, XA_HOST_INFO,
                        "right password, but not one user of XiVO with that "
                        "%s",
                        self->email_attribute);
    return verdict == XA_GRANTED ? grant(self->host, uuid, to) : verdict;
}

XA_BACKEND_EXPORT const struct xa_backend xa_backend = {
    XA_BACKEND_HEAD, .configured = is_configured,
    .start = start,  .authenticate = authenticate,
    .stop = stop,
};
