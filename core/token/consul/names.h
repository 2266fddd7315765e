/* names.h - the keys below consul.prefix. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   tokens/<key>              the token as JSON
 *   schedule/<when>/<key>     32 digits: the subject
 *   subjects/<subject>/<key>  nothing
 *   expiryd/leader            lock of the working daemon
 *
 * <when> is ten digits of Unix seconds, rounded up, so that text sorts as
 * time; <subject> the first 32 digits of SHA-256 of auth_id; <key> the token
 * key (core/token/token.h), sha256 or plain.
 */
#ifndef XA_TOKEN_CONSUL_NAMES_H
#define XA_TOKEN_CONSUL_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/token/token.h"

#define XA_CONSUL_NAME_MAX 1024 /* bytes; consul.prefix has its own limit */
#define XA_SUBJECT_TEXT 33      /* 32 digits and a NUL */
#define XA_WHEN_TEXT 11         /* ten digits and a NUL */
#define XA_WHEN_MAX INT64_C(9999999999)

/* The second in which a token has expired: expires_us rounded up. */
int64_t xa_consul_when(int64_t expires_us);
void xa_consul_subject(const char *auth_id, char out[XA_SUBJECT_TEXT]);

/* Append a name, prefix included, as it stands in a transaction: not
 * percent-encoded.  when is from 0 to XA_WHEN_MAX. */
void xa_consul_put_token(struct xa_buf *out, const char *prefix,
                         const struct xa_key *key);
void xa_consul_put_schedule(struct xa_buf *out, const char *prefix,
                            int64_t when, const struct xa_key *key);
void xa_consul_put_subject(struct xa_buf *out, const char *prefix,
                           const char subject[XA_SUBJECT_TEXT],
                           const struct xa_key *key);

/* A name as part of a URL: what is not unreserved (RFC 3986 section 2.3) or
 * "/" percent-encoded. */
void xa_consul_put_escaped(struct xa_buf *out, const char *name);

/*
 * Read a name back, as a listing gives it.  false: not one of ours, or not in
 * the one spelling of it.
 */
bool xa_consul_read_token(const char *name, const char *prefix,
                          struct xa_key *out);
bool xa_consul_read_schedule(const char *name, const char *prefix,
                             int64_t *out_when, struct xa_key *out);
bool xa_consul_read_subject(const char *name, const char *prefix,
                            char out_subject[XA_SUBJECT_TEXT],
                            struct xa_key *out);

/*
 * Decimal prefixes that together cover the seconds from..to (both included)
 * and nothing else, in the order of time: 17954432, 179544330, ...
 */
struct xa_cover {
    int64_t next; /* the first second that is not covered yet */
    int64_t to;
};

/* from and to from 0 to XA_WHEN_MAX. */
void xa_cover_begin(struct xa_cover *cover, int64_t from, int64_t to);

/* The next prefix, 0 to 10 digits; false: all is covered. */
bool xa_cover_next(struct xa_cover *cover, char out[XA_WHEN_TEXT]);

#endif
