/* xivo_text.h - what the texts of XiVO's database and its address mean. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XIVO_TEXT_H
#define XIVO_TEXT_H

#include <xivo-auth/backend.h>

#define XIVO_ACL_MAX (XA_BACKEND_ACL_MAX + 1) /* of an ACL, with the NUL */

/* What a stored password is. */
enum xivo_stored {
    XIVO_NO_PASSWORD, /* nobody gets in with it: none, empty, locked */
    XIVO_PLAIN,
    XIVO_HASHED /* in the form of crypt(3), not for sure one we accept */
};

/*
 * db_uri as libpq takes it: postgresql:// or postgres://, of
 * postgresql+psycopg2:// the same without the driver, or KEY=VALUE words.
 *
 * An @ or / that somebody left bare in a password would make libpq take a
 * part of it for a host, and tell it in an error; so that is refused.
 *
 *   out  set on success only; to be freed, and wiped before that
 *
 * NULL, or why not: a constant, which holds nothing of db_uri.
 */
const char *xivo_text_uri(const char *db_uri, char **out);

/*
 * Whether each of these hosts, names or addresses with commas between them,
 * is this machine: 1 or 0.  NULL, empty and a folder are its unix socket.
 */
int xivo_text_is_local(const char *hosts);

/*
 * What a stored password is; NULL is none.  What has the form of crypt(3),
 * even of a method nobody accepts any more, is never plain: whoever has seen
 * such a value could log in with it.  So is what a tool puts there to lock
 * an account: `*`, `!`, both before a hash, and crypt's own `*0`.
 */
enum xivo_stored xivo_text_stored(const char *stored);

/*
 * The ACL of an administrator of this entity: dird.tenants.NAME.#.
 *
 * 0, or -1 when NAME could stand for another tenant, too: it is empty, `me`,
 * not short enough, or holds a dot, a wildcard or a control character.
 */
int xivo_text_tenant_acl(const char *entity, char out[XIVO_ACL_MAX]);

#endif
