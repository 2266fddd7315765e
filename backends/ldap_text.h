/* ldap_text.h - text from outside, made fit for LDAP. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LDAP_TEXT_H
#define LDAP_TEXT_H

#include <stddef.h>

#define XA_LDAP_ESCAPED_MAX 3 /* bytes that one byte may become */

/*
 * Write a value so that it stands for itself in a search filter (RFC 4515).
 * What has a meaning there, and control characters, become \XX.
 *
 *   out, size  the place for the result and the NUL behind it
 *
 * The length of the result, or -1, with "" in out, when it does not fit.
 */
ptrdiff_t xa_ldap_escape_filter(const char *value, size_t len, char *out,
                                size_t size);

/* The same for the value of an attribute in a DN (RFC 4514). */
ptrdiff_t xa_ldap_escape_dn(const char *value, size_t len, char *out,
                            size_t size);

/*
 * Write (attribute=login), or attribute=login,base, with the login escaped;
 * the others are the operator's and stand as they are.  0, or -1 as above.
 */
int xa_ldap_put_filter(const char *attribute, const char *login, char *out,
                       size_t size);
int xa_ldap_put_dn(const char *attribute, const char *login, const char *base,
                   char *out, size_t size);

/* Whether this can name an attribute: letters, digits and `-`, the dots of an
 * OID, the `;` of options. */
int xa_ldap_is_attribute(const char *name);

/* Whether a value of len bytes, which may be anything, is UTF-8 without
 * control characters and not empty. */
int xa_ldap_is_plain(const char *value, size_t len);

#endif
