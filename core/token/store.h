/* store.h - where tokens and the schedule of their expiry live. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Everything above works with any store.  A token, its schedule and its
 * subject entry are written and removed together or not at all.
 *
 * Failures are the same for every call and every store:
 *   XA_E_STORE        the store cannot be read or written, or is full
 *   XA_E_UNAVAILABLE  its server refuses, or is not ready
 *   XA_E_TIMEOUT      its server does not answer in time
 *   XA_E_NOMEM
 */
#ifndef XA_TOKEN_STORE_H
#define XA_TOKEN_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/support/config.h"
#include "core/token/news.h"
#include "core/token/token.h"

struct xa_store; /* opaque */

enum xa_store_mode {
    XA_STORE_USE,  /* make what is missing inside the store's folder */
    XA_STORE_PROBE /* create nothing; a store that could be made is fine */
};

/*
 * Open the store that the configuration names.
 *
 *   config  borrowed until xa_store_close()
 *   out     set on XA_OK only
 *
 * XA_E_CONFIG: the operator must mend something (a newer format, a folder
 * that is none).  XA_E_STORE: folder missing, not writable, disk full.
 * A server that is out of reach does not fail the open.
 */
XA_MUST_CHECK
enum xa_rc xa_store_open(const struct xa_config *config,
                         enum xa_store_mode mode, struct xa_store **out,
                         struct xa_err *err);
void xa_store_close(struct xa_store **store);

/* "lmdb", for the status page; static. */
const char *xa_store_type(const struct xa_store *store);

/*
 * Write a new token.  Writing the same key again replaces it, so that a
 * repeated write does no harm.  What returns XA_OK is durable.
 *
 *   key, token  another id is in them when a server that did not confirm the
 *               first may still write it, some time, and another was asked
 */
XA_MUST_CHECK
enum xa_rc xa_store_create(struct xa_store *store, struct xa_key *key,
                           struct xa_token *token, struct xa_err *err);

/* Read a token, expired or not.  XA_E_NOTFOUND: surely not there. */
XA_MUST_CHECK
enum xa_rc xa_store_get(struct xa_store *store, const struct xa_key *key,
                        struct xa_token **out, struct xa_err *err);

/*
 * Remove a token with its schedule and subject entry.  XA_OK also when it
 * was not there.
 *
 *   out_removed  whether it was there; may be NULL
 */
XA_MUST_CHECK
enum xa_rc xa_store_remove(struct xa_store *store, const struct xa_key *key,
                           bool *out_removed, struct xa_err *err);

/*
 * Remove several, as xa_store_remove() each, in as few writes as the store
 * can.  All of them belong to the same call of a caller who can wait.
 *
 *   out_removed  how many were there; set on failure too, as far as it came
 */
XA_MUST_CHECK
enum xa_rc xa_store_remove_many(struct xa_store *store,
                                const struct xa_key *keys, size_t count,
                                uint64_t *out_removed, struct xa_err *err);

/* Whether other machines may use this store too. */
bool xa_store_is_shared(const struct xa_store *store);

/*
 * Whether this process is the one that removes what is due; to be asked
 * before each xa_store_expire(), and cheap.  A store of one machine needs no
 * leader: always true.  Of several daemons on a shared store one leads, and
 * another takes over when it ends or dies.
 */
XA_MUST_CHECK
enum xa_rc xa_store_lead(struct xa_store *store, bool *out_leads,
                         struct xa_err *err);

/* Lead no longer, so that another can at once; xa_store_close() does it too.
 * Best effort. */
void xa_store_resign(struct xa_store *store);

/* What one call of xa_store_expire() did. */
struct xa_expired {
    uint32_t removed; /* tokens */
    uint32_t skipped; /* entries that make no sense, left in place; counted
                         from the first of the calls that ended with `more` */
    char example[XA_SHA256_TEXT]; /* key of the one that was due last, so
                                     of a new one as a rule, as logs show it;
                                     "" when none has a key */
    int64_t oldest_us; /* expiry of the most overdue of `removed`; 0: none */
    bool more;         /* whether further ones may be due now */
};

/*
 * Remove at most `max` tokens that are due at now_us, the longest overdue
 * first.  One entry that makes no sense does not stop the others.
 */
XA_MUST_CHECK
enum xa_rc xa_store_expire(struct xa_store *store, int64_t now_us, uint32_t max,
                           struct xa_expired *out, struct xa_err *err);

/* Which tokens xa_store_list() visits; a zero field does not restrict. */
struct xa_query {
    const char *auth_id;       /* only tokens of this subject */
    const char *key_prefix;    /* only keys that begin so */
    int64_t expires_before_us; /* only tokens that expire before */
};

/* Where a listing goes on; start with XA_PAGE_FIRST. */
struct xa_page {
    char after[XA_SHA256_TEXT]; /* the last key visited */
    bool done;                  /* nothing is left */
};
#define XA_PAGE_FIRST                                                          \
    {                                                                          \
        .after = "", .done = false                                             \
    }

/* Called once a token; both lent for the call.  false ends the page. */
typedef bool xa_visit_fn(void *ctx, const struct xa_key *key,
                         const struct xa_token *token);

/*
 * Visit the next tokens in the order of their keys, at most `limit` of them,
 * and move the page on.  Memory does not grow with the number of tokens.  A
 * record that cannot be read is passed over.
 */
XA_MUST_CHECK
enum xa_rc xa_store_list(struct xa_store *store, const struct xa_query *query,
                         struct xa_page *page, uint32_t limit,
                         xa_visit_fn *visit, void *ctx, struct xa_err *err);

/* What an audit found. */
struct xa_audit {
    uint64_t tokens;          /* that can be read */
    uint64_t unreadable;      /* that cannot; they stay where they are */
    uint64_t unscheduled;     /* tokens without their schedule */
    uint64_t unlisted;        /* tokens without their subject entry */
    uint64_t stray_schedules; /* entries without a token that they fit */
    uint64_t stray_subjects;
};

/* Called now and then with how many entries were looked at; false ends the
 * audit. */
typedef bool xa_audit_progress_fn(void *ctx, uint64_t done);

enum xa_audit_mode {
    XA_AUDIT_LOOK,   /* compare each token with its schedule and its subject
                        entry, both ways */
    XA_AUDIT_REPAIR, /* make what is missing, remove what is stray */
    XA_AUDIT_ADOPT   /* tokens only: make what is missing */
};

/*
 * Compare the parts of the store with each other.  Memory does not grow with
 * the number of tokens, and the service goes on meanwhile.  What is counted
 * was mended if the mode says so, but for what cannot be read.
 *
 *   now_us    a token that is overdue is scheduled for now, so that the
 *             daemon finds it where it looks
 *   progress  may be NULL
 */
XA_MUST_CHECK
enum xa_rc xa_store_audit(struct xa_store *store, enum xa_audit_mode mode,
                          int64_t now_us, xa_audit_progress_fn *progress,
                          void *ctx, struct xa_audit *out, struct xa_err *err);

/* Whether the store is usable now, by a read that goes all the way. */
XA_MUST_CHECK
enum xa_rc xa_store_check(struct xa_store *store, struct xa_err *err);

/* What began or ended since, one event a call, for the log; false: nothing.
 * "consul.lost", say; cheap, to be asked after each use. */
bool xa_store_news(struct xa_store *store, struct xa_news_item *out);

#endif
