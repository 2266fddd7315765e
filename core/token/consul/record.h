/* record.h - a token as the JSON that Consul keeps. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The fields of the HTTP interface, without `token` unless keys are plain.
 * The Python service writes records of the same form: perhaps without the
 * utc_ fields (then the local times count, by TZ), without xivo_uuid, and
 * with times that have no fraction.
 */
#ifndef XA_TOKEN_CONSUL_RECORD_H
#define XA_TOKEN_CONSUL_RECORD_H

#include <stdbool.h>

#include "core/token/token.h"

/* Bytes of a record: what one transaction of Consul's takes, in base64. */
#define XA_CONSUL_RECORD_MAX 393216

#define XA_CONSUL_RECORD_FORMAT 1

/* with_id: whether the token itself goes into the record. */
void xa_consul_encode(const struct xa_token *token, bool with_id,
                      struct xa_buf *out);

/*
 * Read a record back.  A record without an expiry, or one whose expiry is
 * not after its issue or beyond what a schedule can say, is refused; so is
 * one that holds another token than its key says.  Fields that this version
 * does not know are passed over, unless the field `format` is there and says
 * that the record is of another form: who reads only part of it could allow
 * what it forbids.  It is not written as long as the form is the first.
 *
 *   key  a plain one is the token's text, even if the record is without it
 *
 * XA_E_STORE: not a record that this version understands.  XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_consul_decode(const void *record, size_t len,
                            const struct xa_key *key, struct xa_token **out,
                            struct xa_err *err);

#endif
