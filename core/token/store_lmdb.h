/* store_lmdb.h - the inside of the embedded store; for store_lmdb*.c only. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TOKEN_STORE_LMDB_H
#define XA_TOKEN_STORE_LMDB_H

#include "core/token/lmdb_env.h"
#include "core/token/store_ops.h"

struct xa_store_lmdb {
    struct xa_store base; /* first, so that the two are one address */
    struct xa_lmdb *lmdb; /* NULL: probed, and there is no store yet */
    int64_t followed_ms;  /* when a read last looked for other files */
};

/* --- names of entries --- */

#define XA_KEY_MAX (XA_SHA256_TEXT - 1) /* characters of a token key */
#define XA_WHEN_LEN 8                   /* bytes of an expiry */
#define XA_SUBJECT_LEN 16               /* bytes of a subject */

/* A name in `schedule` or `subjects`: a fixed head, then the token key. */
struct xa_entry_name {
    unsigned char bytes[XA_SUBJECT_LEN + XA_KEY_MAX];
    size_t len;
};

struct xa_slice xa_slice_of_key(const struct xa_key *key);
struct xa_slice xa_slice_of_name(const struct xa_entry_name *name);
void xa_schedule_name(int64_t expires_us, const struct xa_key *key,
                      struct xa_entry_name *out);
void xa_subject_name(const char *auth_id, const struct xa_key *key,
                     struct xa_entry_name *out);

/* The token key behind `head` bytes of a name; false: the name makes no
 * sense. */
bool xa_key_of_name(struct xa_slice name, size_t head, struct xa_key *out);

/* The expiry in a name of `schedule`, which has XA_WHEN_LEN bytes or more. */
uint64_t xa_when_of_name(struct xa_slice name);

/* --- steps that several calls take --- */

/* The token with this key, as xa_store_get(). */
XA_MUST_CHECK
enum xa_rc xa_lmdb_get_token(const struct xa_lmdb_txn *txn,
                             const struct xa_key *key, struct xa_token **out,
                             struct xa_err *err);

/* Write or remove the schedule and the subject entry of a token. */
XA_MUST_CHECK
enum xa_rc xa_lmdb_put_index(const struct xa_lmdb_txn *txn,
                             const struct xa_key *key,
                             const struct xa_token *token, struct xa_err *err);
XA_MUST_CHECK
enum xa_rc xa_lmdb_delete_index(const struct xa_lmdb_txn *txn,
                                const struct xa_key *key,
                                const struct xa_token *token,
                                struct xa_err *err);

/* --- calls of store.h that have a file of their own --- */

enum xa_rc xa_store_lmdb_expire(struct xa_store *store, int64_t now_us,
                                uint32_t max, struct xa_expired *out,
                                struct xa_err *err);
enum xa_rc xa_store_lmdb_list(struct xa_store *store,
                              const struct xa_query *query,
                              struct xa_page *page, uint32_t limit,
                              xa_visit_fn *visit, void *ctx,
                              struct xa_err *err);
enum xa_rc xa_store_lmdb_audit(struct xa_store *store, enum xa_audit_mode mode,
                               int64_t now_us, xa_audit_progress_fn *progress,
                               void *ctx, struct xa_audit *out,
                               struct xa_err *err);

#endif
