/* ldap_servers.c - the servers of ldap.uri. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ldap_servers.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static int
complain(char *why, size_t why_size, const char *uri, size_t len,
         const char *what)
{
    snprintf(why, why_size, "ldap.uri: %.*s: %s", len > 100 ? 100 : (int)len,
             uri, what);
    return -1;
}

/* A port from 1 to 65535 in decimal, without signs or blanks. */
static int
is_port(const char *text, size_t len)
{
    unsigned value = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    return len > 0 && len <= 5 && value >= 1 && value <= 65535;
}

/* Names, IPv4 and, in brackets, IPv6. */
static int
is_host(const char *text, size_t len, int in_brackets)
{
    const char *allowed = in_brackets
                              ? "0123456789abcdefABCDEF:."
                              : "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

    for (size_t i = 0; i < len; i++)
        if (!strchr(allowed, text[i]))
            return 0;
    return len > 0 && len < XA_LDAP_HOST_MAX;
}

/* One URI of len bytes, which are no blanks. */
static int
read_uri(const char *uri, size_t len, struct xa_ldap_server *out, char *why,
         size_t why_size)
{
    int is_tls = len > 8 && strncasecmp(uri, "ldaps://", 8) == 0;
    const char *host = uri + (is_tls ? 8 : 7);
    const char *end = uri + len;
    const char *slash;
    const char *tail;
    int in_brackets;

    if (!is_tls && (len <= 7 || strncasecmp(uri, "ldap://", 7) != 0))
        return complain(why, why_size, uri, len,
                        "expected ldap://host or ldaps://host");
    slash = memchr(host, '/', (size_t)(end - host));
    end = slash ? slash : end;
    in_brackets = host < end && *host == '[';
    host += in_brackets;
    tail = memchr(host, in_brackets ? ']' : ':', (size_t)(end - host));
    if (in_brackets && !tail)
        return complain(why, why_size, uri, len, "no ] behind the address");
    tail = tail ? tail : end;
    if (!is_host(host, (size_t)(tail - host), in_brackets))
        return complain(why, why_size, uri, len, "no name of a host");
    snprintf(out->host, sizeof out->host, "%.*s", (int)(tail - host), host);
    tail += in_brackets;
    if (tail < end &&
        (*tail != ':' || !is_port(tail + 1, (size_t)(end - tail - 1))))
        return complain(why, why_size, uri, len, "no port, 1 to 65535");
    out->is_tls = is_tls;
    snprintf(out->port, sizeof out->port, "%.*s",
             tail < end ? (int)(end - tail - 1) : 3,
             tail < end ? tail + 1
             : is_tls   ? "636"
                        : "389");
    snprintf(out->uri, sizeof out->uri, in_brackets ? "%s[%s]:%s" : "%s%s:%s",
             is_tls ? "ldaps://" : "ldap://", out->host, out->port);
    return 0;
}

size_t
xa_ldap_read_uris(const char *text,
                  struct xa_ldap_server out[XA_LDAP_SERVERS_MAX], char *why,
                  size_t why_size)
{
    static const char between[] = " \t,";
    size_t count = 0;
    size_t len;

    for (text += strspn(text, between); *text; text += strspn(text, between)) {
        len = strcspn(text, between);
        if (count == XA_LDAP_SERVERS_MAX) {
            complain(why, why_size, text, len, "too many servers");
            return 0;
        }
        if (read_uri(text, len, &out[count++], why, why_size) != 0)
            return 0;
        text += len;
    }
    if (count == 0)
        complain(why, why_size, "", 0, "no server");
    return count;
}

int
xa_ldap_is_local(const struct xa_ldap_server *server)
{
    return strcasecmp(server->host, "localhost") == 0 ||
           strncmp(server->host, "127.", 4) == 0 ||
           strcmp(server->host, "::1") == 0;
}

const char *
xa_ldap_system_ca(void)
{
    static const char *const files[] = {
        "/etc/ssl/certs/ca-certificates.crt", /* Debian, Arch, Alpine */
        "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora and kin */
        "/etc/ssl/ca-bundle.pem",             /* SUSE */
        "/etc/ssl/cert.pem",
    };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (access(files[i], R_OK) == 0)
            return files[i];
    return NULL;
}
