/* token.h - what a token is, and its record. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TOKEN_TOKEN_H
#define XA_TOKEN_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/support/sha256.h"
#include "core/support/uuid.h"
#include "core/token/identity.h"

#define XA_LIFETIME_MAX_S UINT32_C(315360000) /* ten years */
#define XA_RECORD_MAX 65536                   /* bytes of a record */

struct xa_token; /* opaque: fields live in token.c; never changes once made */

/* --- the key of a token --- */

/* How the store is keyed (store.token_keys). */
enum xa_key_form {
    XA_KEY_SHA256, /* lower-case hexadecimal SHA-256 of the token's text */
    XA_KEY_PLAIN   /* the token's text itself */
};

/* A key as the store uses it. */
struct xa_key {
    char text[XA_SHA256_TEXT];
};

/* Key of a token's text, which is a UUID in lower case. */
void xa_key_of_token(enum xa_key_form form, const char *id, struct xa_key *out);

/*
 * The key as logs, listings and xivo-authctl show it: always the SHA-256,
 * also of a plain key.
 */
void xa_key_shown(const struct xa_key *key, char out[XA_SHA256_TEXT]);

/* --- the life of a token --- */

/*
 * Make a token for `who`, valid for `lifetime_s` seconds after `now_us`.
 *
 *   who         borrowed and copied; auth_id is set
 *   lifetime_s  seconds, 1 to XA_LIFETIME_MAX_S
 *   now_us      Unix time in microseconds; an argument, so tests own time
 *   out         set on XA_OK only; release with xa_token_free()
 *
 * XA_E_INVALID: lifetime_s or now_us out of range, or no auth_id.
 * XA_E_NOMEM.  XA_E_UNAVAILABLE: no random bytes.
 */
XA_MUST_CHECK
enum xa_rc xa_token_new(const struct xa_identity *who, uint32_t lifetime_s,
                        int64_t now_us, struct xa_token **out,
                        struct xa_err *err);

/* What a token is made of when it comes from a record of another form. */
struct xa_token_fields {
    const char *id; /* or NULL */
    const char *auth_id;
    const char *user_uuid; /* or NULL */
    const char *xivo_uuid; /* or NULL */
    int64_t issued_us;
    int64_t expires_us;
    const char *const *acls;
    size_t acl_count;
};

/*
 * Make a token anew that was issued before.
 *
 *   fields  borrowed and copied
 *
 * XA_E_STORE: the expiry is not after the issue, the id is no UUID, or it is
 * all together larger than XA_RECORD_MAX.  XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_token_restore(const struct xa_token_fields *fields,
                            struct xa_token **out, struct xa_err *err);

/* Wipe and free. */
void xa_token_free(struct xa_token **token);

/* The token itself, 36 characters; "" when it was read from a record that
 * does not hold it and xa_token_set_id() was not called. */
const char *xa_token_id(const struct xa_token *token);

/* Tell a token that was read by its key which text it was asked with. */
void xa_token_set_id(struct xa_token *token, const char id[XA_UUID_TEXT]);

const char *xa_token_auth_id(const struct xa_token *token);
const char *xa_token_user_uuid(const struct xa_token *token); /* or NULL */
const char *xa_token_xivo_uuid(const struct xa_token *token); /* or NULL */
int64_t xa_token_issued_us(const struct xa_token *token);
int64_t xa_token_expires_us(const struct xa_token *token);
const char *const *xa_token_acls(const struct xa_token *token,
                                 size_t *out_count);

/* From the microsecond expires_us on a token is no longer valid. */
bool xa_token_is_expired(const struct xa_token *token, int64_t now_us);

/* Whether its ACLs allow `scope` (acl.h). */
bool xa_token_allows(const struct xa_token *token, const char *scope);

/* --- as bytes --- */

/*
 * The record of the embedded store: little, and read without a parser,
 * because every check reads one.
 *
 *   with_id  whether the token itself goes into the record (XA_KEY_PLAIN)
 *
 * Failures show in xa_buf_check(out).
 */
void xa_token_encode(const struct xa_token *token, bool with_id,
                     struct xa_buf *out);

/*
 * Read a record back.  Every length in it is checked; a record without an
 * expiry, or whose expiry is not after its issue, is refused.
 *
 * XA_E_STORE: not a record that this version understands.  XA_E_NOMEM.
 */
XA_MUST_CHECK
enum xa_rc xa_token_decode(const void *record, size_t len,
                           struct xa_token **out, struct xa_err *err);

/*
 * The token as the JSON object of the HTTP interface, without the "data"
 * around it.
 *
 *   with_id  whether "token" is in it; it is not when the id is not known
 */
void xa_token_put_json(const struct xa_token *token, bool with_id,
                       struct xa_buf *out);

#endif
