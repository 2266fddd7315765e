/* ldap_text.c - text from outside, made fit for LDAP. SPDX-License-Identifier: GPL-3.0-or-later */
#include "ldap_text.h"

#include <stdio.h>
#include <string.h>

#include <xivo-auth/backend.h>

#define ESCAPED_LOGIN (XA_BACKEND_LOGIN_MAX * XA_LDAP_ESCAPED_MAX + 1)

/* Whether a byte has a meaning; is_first and is_last: where it stands. */
typedef int has_meaning_fn(unsigned char byte, int is_first, int is_last);

static int
is_control(unsigned char byte)
{
    return byte < 0x20 || byte == 0x7f;
}

/* RFC 4515 section 3: what is no `normal` byte. */
static int
means_in_filter(unsigned char byte, int is_first, int is_last)
{
    (void)is_first;
    (void)is_last;
    return is_control(byte) || memchr("*()\\", byte, 4) != NULL;
}

/* RFC 4514 section 2.4.  `=` may be escaped but need not; it is here for
 * servers that split a DN at each. */
static int
means_in_dn(unsigned char byte, int is_first, int is_last)
{
    if (byte == ' ')
        return is_first || is_last;
    if (byte == '#')
        return is_first;
    return is_control(byte) || memchr("\"+,;<=>\\", byte, 8) != NULL;
}

static ptrdiff_t
escape(has_meaning_fn *has_meaning, const char *value, size_t len, char *out,
       size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t at = 0;

    if (size == 0)
        return -1;
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)value[i];
        int escaped = has_meaning(byte, i == 0, i + 1 == len);

        if (at + (escaped ? XA_LDAP_ESCAPED_MAX : 1) >= size) {
            out[0] = '\0';
            return -1;
        }
        if (escaped) {
            out[at++] = '\\';
            out[at++] = digits[byte >> 4];
            out[at++] = digits[byte & 15];
        } else {
            out[at++] = (char)byte;
        }
    }
    out[at] = '\0';
    return (ptrdiff_t)at;
}

ptrdiff_t
xa_ldap_escape_filter(const char *value, size_t len, char *out, size_t size)
{
    return escape(means_in_filter, value, len, out, size);
}

ptrdiff_t
xa_ldap_escape_dn(const char *value, size_t len, char *out, size_t size)
{
    return escape(means_in_dn, value, len, out, size);
}

/* What snprintf() says of text for `size` bytes. */
static int
fitted(int written, char *out, size_t size)
{
    if (written >= 0 && (size_t)written < size)
        return 0;
    if (size > 0)
        out[0] = '\0';
    return -1;
}

int
xa_ldap_put_filter(const char *attribute, const char *login, char *out,
                   size_t size)
{
    char escaped[ESCAPED_LOGIN];

    if (xa_ldap_escape_filter(login, strlen(login), escaped, sizeof escaped) <
        0)
        return fitted(-1, out, size);
    return fitted(snprintf(out, size, "(%s=%s)", attribute, escaped), out,
                  size);
}

int
xa_ldap_put_dn(const char *attribute, const char *login, const char *base,
               char *out, size_t size)
{
    char escaped[ESCAPED_LOGIN];

    if (xa_ldap_escape_dn(login, strlen(login), escaped, sizeof escaped) < 0)
        return fitted(-1, out, size);
    return fitted(snprintf(out, size, "%s=%s,%s", attribute, escaped, base),
                  out, size);
}

int
xa_ldap_is_attribute(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.;";

    return *name && !strchr("-.;", *name) &&
           name[strspn(name, letters)] == '\0';
}

/* Bytes of the UTF-8 character at the head of a value (RFC 3629); 0: none. */
static size_t
utf8_len(const unsigned char *head, size_t len)
{
    static const struct {
        unsigned char low, high;   /* of the first byte */
        unsigned char from, until; /* of the second */
        size_t len;
    } forms[] = {
        {0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    size_t i = 0;

    while (i < sizeof forms / sizeof *forms && head[0] > forms[i].high)
        i++;
    if (i == sizeof forms / sizeof *forms || head[0] < forms[i].low ||
        forms[i].len > len)
        return 0;
    if (forms[i].len > 1 &&
        (head[1] < forms[i].from || head[1] > forms[i].until))
        return 0;
    for (size_t k = 2; k < forms[i].len; k++)
        if ((head[k] & 0xc0) != 0x80)
            return 0;
    return forms[i].len;
}

int
xa_ldap_is_plain(const char *value, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)value;
    size_t step;

    for (size_t i = 0; i < len; i += step) {
        step = utf8_len(bytes + i, len - i);
        if (step == 0 || is_control(bytes[i]))
            return 0;
    }
    return len > 0;
}
