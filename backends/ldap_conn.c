/* ldap_conn.c - what ldap_user does with an LDAP server. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ldap_conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <ldap.h>
#include <openldap.h>

#include "ldap_socket.h"
#include "ldap_text.h"

#define OPERATION_MS 2000
#define SEARCH_S 2 /* the same, as the server is told */

struct xa_ldap_conn {
    LDAP *ld;
    const struct xa_ldap_servers *servers;
    const struct xa_ldap_server *server;
    struct xa_ldap_socket socket; /* with the limit of what is in hand */
};

/* --- libldap as a whole --- */

/*
 * LDAPNOINIT is read at the first call of the library and has no other form,
 * so it is set for that one call; start() has the process to itself.  Should
 * somebody else have been there first, nothing is lost: open_handle() leaves
 * no option to a file.
 */
void
xa_ldap_prepare(void)
{
    LDAPAPIInfo info = {.ldapai_info_version = LDAP_API_INFO_VERSION};
    int was_set = getenv("LDAPNOINIT") != NULL;

    setenv("LDAPNOINIT", "1", 0);
    if (ldap_get_option(NULL, LDAP_OPT_API_INFO, &info) == LDAP_OPT_SUCCESS) {
        ldap_memfree(info.ldapai_vendor_name);
        ber_memvfree((void **)info.ldapai_extensions);
    }
    if (!was_set)
        unsetenv("LDAPNOINIT");
}

int
xa_ldap_is_dn(const char *text)
{
    LDAPDN dn = NULL;
    int is_dn;

    is_dn = ldap_str2dn(text, &dn, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS &&
            dn && dn[0];
    ldap_dnfree(dn);
    return is_dn;
}

/* --- words for the log ---------------------------------------------------- */

static enum xa_ldap_rc
trouble(const struct xa_ldap_conn *conn, struct xa_ldap_why *why,
        const char *doing, const char *what)
{
    if (!what || xa_ldap_left_ms(&conn->socket.limit) == 0)
        what = "no answer in time";
    snprintf(why->text, sizeof why->text, "%s: %s: %s", conn->server->uri,
             doing, what);
    return XA_LDAP_TROUBLE;
}

/* The server's own words, which say more than the number does. */
static enum xa_ldap_rc
trouble_said(const struct xa_ldap_conn *conn, struct xa_ldap_why *why,
             const char *doing, int code, const char *said)
{
    char what[XA_LDAP_WHY_MAX];

    snprintf(what, sizeof what, "%s (%d)%s%.160s", ldap_err2string(code), code,
             said && *said ? ": " : "", said ? said : "");
    return trouble(conn, why, doing, what);
}

/* --- one operation ------------------------------------------------------- */

static void
begin(struct xa_ldap_conn *conn)
{
    conn->socket.limit = xa_ldap_limit_in(conn->servers->host, OPERATION_MS);
}

/*
 * Wait for what answers a request.  XA_LDAP_OK: the server has answered, with
 * *code; the message goes to *out unless that is NULL.  XA_LDAP_TROUBLE.
 */
static enum xa_ldap_rc
await(struct xa_ldap_conn *conn, const char *doing, int sent, int id, int *code,
      LDAPMessage **out, struct xa_ldap_why *why)
{
    int left_ms = xa_ldap_left_ms(&conn->socket.limit);
    struct timeval timeout = {.tv_sec = left_ms / 1000,
                              .tv_usec = left_ms % 1000 * 1000};
    LDAPMessage *message = NULL;
    char *said = NULL;
    int rc = sent;

    if (sent == LDAP_SUCCESS)
        rc = ldap_result(conn->ld, id, LDAP_MSG_ALL, &timeout, &message);
    if (sent == LDAP_SUCCESS && rc == 0)
        return trouble(conn, why, doing, NULL);
    if (sent == LDAP_SUCCESS)
        rc = rc < 0 ? LDAP_SERVER_DOWN
                    : ldap_parse_result(conn->ld, message, code, NULL, &said,
                                        NULL, NULL, 0);
    if (rc != LDAP_SUCCESS) {
        ldap_msgfree(message);
        return trouble(conn, why, doing, ldap_err2string(rc));
    }
    /* Kept, in case the caller takes it for trouble. */
    trouble_said(conn, why, doing, *code, said);
    ldap_memfree(said);
    if (out)
        *out = message;
    else
        ldap_msgfree(message);
    return XA_LDAP_OK;
}

/* --- opening ----------------------------------------------------------- */

static int
set_number(LDAP *ld, int option, int value)
{
    return ldap_set_option(ld, option, &value);
}

/* A handle on a socket that is connected; nothing is sent yet. */
static enum xa_ldap_rc
open_handle(struct xa_ldap_conn *conn, struct xa_ldap_why *why)
{
    void *sockbuf = NULL;
    int rc;

    rc = ldap_init_fd(conn->socket.fd, LDAP_PROTO_EXT, conn->server->uri,
                      &conn->ld);
    if (rc == LDAP_SUCCESS)
        rc = ldap_get_option(conn->ld, LDAP_OPT_SOCKBUF, &sockbuf);
    if (rc == LDAP_SUCCESS)
        rc = xa_ldap_socket_attach(&conn->socket, sockbuf);
    if (rc == LDAP_SUCCESS)
        rc = set_number(conn->ld, LDAP_OPT_PROTOCOL_VERSION, LDAP_VERSION3);
    if (rc == LDAP_SUCCESS)
        rc = set_number(conn->ld, LDAP_OPT_DEREF, LDAP_DEREF_NEVER);
    if (rc == LDAP_SUCCESS)
        rc = ldap_set_option(conn->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
    if (rc == LDAP_SUCCESS)
        rc = ldap_set_option(conn->ld, LDAP_OPT_RESTART, LDAP_OPT_ON);
    if (rc != LDAP_SUCCESS)
        return trouble(conn, why, "libldap", ldap_err2string(rc));
    return XA_LDAP_OK;
}

/* A certificate for the host's name from a CA of ours, or no connection. */
static enum xa_ldap_rc
set_tls(struct xa_ldap_conn *conn, struct xa_ldap_why *why)
{
    const char *ca = conn->servers->ca_cert;
    int rc;

    ca = ca ? ca : xa_ldap_system_ca();
    rc = set_number(conn->ld, LDAP_OPT_X_TLS_REQUIRE_CERT,
                    LDAP_OPT_X_TLS_DEMAND);
    /* the names in subjectAltName count, the common name if there are none */
    if (rc == LDAP_OPT_SUCCESS)
        rc = set_number(conn->ld, LDAP_OPT_X_TLS_REQUIRE_SAN,
                        LDAP_OPT_X_TLS_TRY);
    if (rc == LDAP_OPT_SUCCESS)
        rc = set_number(conn->ld, LDAP_OPT_X_TLS_PROTOCOL_MIN,
                        LDAP_OPT_X_TLS_PROTOCOL_TLS1_2);
    if (rc == LDAP_OPT_SUCCESS && ca)
        rc = ldap_set_option(conn->ld, LDAP_OPT_X_TLS_CACERTFILE, ca);
    if (rc != LDAP_OPT_SUCCESS)
        return trouble(conn, why, "TLS", "libldap takes no options");
    /* last, as it makes a context of the others */
    if (set_number(conn->ld, LDAP_OPT_X_TLS_NEWCTX, 0) != LDAP_OPT_SUCCESS)
        return trouble(conn, why, "TLS: no CA certificates in",
                       ca ? ca : "the system");
    return XA_LDAP_OK;
}

/* libldap over GnuTLS does not heed the least version, and leaks memory when
 * it is given one as a list of ciphers; so it is looked at before a byte of
 * ours goes that way. */
static enum xa_ldap_rc
check_version(const struct xa_ldap_conn *conn, struct xa_ldap_why *why)
{
    char *version = NULL;
    int is_fit;

    ldap_get_option(conn->ld, LDAP_OPT_X_TLS_VERSION, &version);
    is_fit = version && (strstr(version, "1.2") || strstr(version, "1.3"));
    ldap_memfree(version);
    return is_fit ? XA_LDAP_OK
                  : trouble(conn, why, "TLS", "the server has no TLS 1.2");
}

static enum xa_ldap_rc
secure(struct xa_ldap_conn *conn, struct xa_ldap_why *why)
{
    char *said = NULL;
    int code = 0;
    int id = 0;
    int rc;

    if (set_tls(conn, why) != XA_LDAP_OK)
        return XA_LDAP_TROUBLE;
    if (!conn->server->is_tls) {
        rc = ldap_start_tls(conn->ld, NULL, NULL, &id);
        if (await(conn, "StartTLS", rc, id, &code, NULL, why) != XA_LDAP_OK ||
            code != LDAP_SUCCESS)
            return XA_LDAP_TROUBLE;
    }
    rc = ldap_install_tls(conn->ld);
    if (rc == LDAP_SUCCESS)
        return check_version(conn, why);
    ldap_get_option(conn->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &said);
    trouble_said(conn, why,
                 "TLS: no connection with a certificate for this name from a "
                 "known CA",
                 rc, said);
    ldap_memfree(said);
    return XA_LDAP_TROUBLE;
}

void
xa_ldap_close(struct xa_ldap_conn **conn)
{
    struct xa_ldap_conn *old = *conn;

    *conn = NULL;
    if (!old)
        return;
    if (old->ld)
        ldap_unbind_ext(old->ld, NULL, NULL);
    if (old->socket.fd >= 0)
        close(old->socket.fd);
    free(old);
}

/* One server, within a limit. */
static enum xa_ldap_rc
open_server(const struct xa_ldap_servers *servers,
            const struct xa_ldap_server *server, struct xa_ldap_limit limit,
            struct xa_ldap_conn **out, struct xa_ldap_why *why)
{
    struct xa_ldap_conn *conn = calloc(1, sizeof *conn);
    enum xa_ldap_rc rc = XA_LDAP_OK;

    if (!conn) {
        snprintf(why->text, sizeof why->text, "out of memory");
        return XA_LDAP_TROUBLE;
    }
    conn->servers = servers;
    conn->server = server;
    conn->socket.limit = limit;
    conn->socket.fd =
        xa_ldap_dial(server, &conn->socket.limit, why->text, sizeof why->text);
    if (conn->socket.fd < 0)
        rc = XA_LDAP_TROUBLE;
    if (rc == XA_LDAP_OK)
        rc = open_handle(conn, why);
    if (rc == XA_LDAP_OK && (server->is_tls || servers->start_tls))
        rc = secure(conn, why);
    if (rc == XA_LDAP_OK)
        *out = conn;
    else
        xa_ldap_close(&conn);
    return rc;
}

enum xa_ldap_rc
xa_ldap_open(struct xa_ldap_servers *servers, struct xa_ldap_conn **out,
             struct xa_ldap_why *why)
{
    struct xa_ldap_limit all = xa_ldap_limit_in(servers->host, OPERATION_MS);

    for (size_t i = 0; i < servers->count; i++) {
        size_t at = (servers->first + i) % servers->count;
        /* One that is away leaves the others their share of the time. */
        int share_ms = xa_ldap_left_ms(&all) / (int)(servers->count - i);
        struct xa_ldap_limit limit = xa_ldap_limit_in(servers->host, share_ms);

        if (open_server(servers, &servers->list[at], limit, out, why) ==
            XA_LDAP_OK) {
            servers->first = at;
            return XA_LDAP_OK;
        }
        if (xa_ldap_left_ms(&all) == 0)
            break;
    }
    return XA_LDAP_TROUBLE;
}

/* --- binding ------------------------------------------------------------- */

/* What a server says of credentials, and not of itself.  Some of these stand
 * for a locked or disabled account, or one without a password. */
static int
is_refusal(int code)
{
    static const int codes[] = {
        LDAP_INVALID_CREDENTIALS,  LDAP_INAPPROPRIATE_AUTH,
        LDAP_CONSTRAINT_VIOLATION, LDAP_INSUFFICIENT_ACCESS,
        LDAP_UNWILLING_TO_PERFORM, LDAP_NO_SUCH_OBJECT,
        LDAP_INVALID_DN_SYNTAX,    LDAP_NO_SUCH_ATTRIBUTE,
    };

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (code == codes[i])
            return 1;
    return 0;
}

enum xa_ldap_rc
xa_ldap_bind(struct xa_ldap_conn *conn, const char *dn, const char *password,
             struct xa_ldap_why *why)
{
    struct berval secret;
    int code = 0;
    int id = 0;
    int rc;

    snprintf(why->text, sizeof why->text, "%s: bind: no DN or no password",
             conn->server->uri);
    if (!*dn || !*password)
        return XA_LDAP_REFUSED;
    secret.bv_len = strlen(password);
    secret.bv_val = (char *)(uintptr_t)password; /* which it only reads */
    begin(conn);
    rc = ldap_sasl_bind(conn->ld, dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL,
                        &id);
    if (await(conn, "bind", rc, id, &code, NULL, why) != XA_LDAP_OK)
        return XA_LDAP_TROUBLE;
    if (code == LDAP_SUCCESS)
        return XA_LDAP_OK;
    return is_refusal(code) ? XA_LDAP_REFUSED : XA_LDAP_TROUBLE;
}

/* --- searching ----------------------------------------------------------- */

/* As await(), with the message in *out. */
static enum xa_ldap_rc
search(struct xa_ldap_conn *conn, const char *base, int scope,
       const char *filter, const char *attribute, int *code, LDAPMessage **out,
       struct xa_ldap_why *why)
{
    char *attributes[] = {(char *)(uintptr_t)attribute, NULL};
    struct timeval timeout = {.tv_sec = SEARCH_S};
    int id = 0;
    int rc;

    begin(conn);
    rc = ldap_search_ext(conn->ld, base, scope, filter, attributes, 0, NULL,
                         NULL, &timeout, 2, &id);
    return await(conn, "search", rc, id, code, out, why);
}

static enum xa_ldap_rc
copy_dn(struct xa_ldap_conn *conn, LDAPMessage *entry,
        char out_dn[XA_LDAP_DN_MAX], struct xa_ldap_why *why)
{
    char *dn = ldap_get_dn(conn->ld, entry);
    size_t len = dn ? strlen(dn) : 0;
    enum xa_ldap_rc rc = XA_LDAP_OK;

    if (len == 0 || len >= XA_LDAP_DN_MAX)
        rc = trouble(conn, why, "search", "an entry with a DN of no use");
    else
        memcpy(out_dn, dn, len + 1);
    ldap_memfree(dn);
    return rc;
}

enum xa_ldap_rc
xa_ldap_find(struct xa_ldap_conn *conn, const char *base, const char *filter,
             char out_dn[XA_LDAP_DN_MAX], struct xa_ldap_why *why)
{
    LDAPMessage *found = NULL;
    enum xa_ldap_rc rc;
    int code = 0;
    int count;

    rc = search(conn, base, LDAP_SCOPE_SUBTREE, filter, LDAP_NO_ATTRS, &code,
                &found, why);
    if (rc != XA_LDAP_OK)
        return rc;
    count = ldap_count_entries(conn->ld, found);
    if (code == LDAP_SIZELIMIT_EXCEEDED || count > 1)
        rc = XA_LDAP_MANY;
    else if (code == LDAP_NO_SUCH_OBJECT)
        rc = trouble(conn, why, "search",
                     "ldap.user_base_dn is not there, or not to be seen");
    else if (code != LDAP_SUCCESS || count < 0)
        rc = XA_LDAP_TROUBLE;
    else if (count == 0)
        rc = XA_LDAP_NONE;
    else
        rc = copy_dn(conn, ldap_first_entry(conn->ld, found), out_dn, why);
    ldap_msgfree(found);
    return rc;
}

/* The first value, as a text. */
static enum xa_ldap_rc
copy_value(struct xa_ldap_conn *conn, LDAPMessage *entry, const char *attribute,
           char out[XA_LDAP_EMAIL_MAX])
{
    struct berval **values;
    enum xa_ldap_rc rc = XA_LDAP_NONE;

    values = ldap_get_values_len(conn->ld, entry, attribute);
    if (values && values[0] && values[0]->bv_len < XA_LDAP_EMAIL_MAX &&
        xa_ldap_is_plain(values[0]->bv_val, values[0]->bv_len)) {
        memcpy(out, values[0]->bv_val, values[0]->bv_len);
        out[values[0]->bv_len] = '\0';
        rc = XA_LDAP_OK;
    }
    ldap_value_free_len(values);
    return rc;
}

/* An entry that one may not read is, to many servers, not there. */
enum xa_ldap_rc
xa_ldap_read(struct xa_ldap_conn *conn, const char *dn, const char *attribute,
             char out[XA_LDAP_EMAIL_MAX], struct xa_ldap_why *why)
{
    LDAPMessage *found = NULL;
    LDAPMessage *entry;
    enum xa_ldap_rc rc;
    int code = 0;

    rc = search(conn, dn, LDAP_SCOPE_BASE, "(objectClass=*)", attribute, &code,
                &found, why);
    if (rc != XA_LDAP_OK)
        return rc;
    entry = ldap_first_entry(conn->ld, found);
    if (code == LDAP_NO_SUCH_OBJECT || code == LDAP_INSUFFICIENT_ACCESS)
        rc = XA_LDAP_NONE;
    else if (code != LDAP_SUCCESS)
        rc = XA_LDAP_TROUBLE;
    else
        rc = entry ? copy_value(conn, entry, attribute, out) : XA_LDAP_NONE;
    ldap_msgfree(found);
    return rc;
}
