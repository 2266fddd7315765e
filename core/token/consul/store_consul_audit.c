/* store_consul_audit.c - the Consul store: do its parts fit together? SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/token/consul/fetch.h"
#include "core/token/consul/mend.h"
#include "core/token/consul/names.h"
#include "core/token/consul/record.h"
#include "core/token/consul/store_consul.h"
#include "core/token/consul/walk.h"

enum folder { TOKENS, SCHEDULE, SUBJECTS };

/* A name of the folder that is gone through, and its token's record. */
struct entry {
    struct xa_key key;
    int64_t when;                  /* of a schedule */
    char subject[XA_SUBJECT_TEXT]; /* of a subject entry */

    uint64_t index;   /* of the record; 0: there is none */
    bool is_readable; /* the record */
    int64_t right_when;
    char right_subject[XA_SUBJECT_TEXT];
};

struct audit {
    struct xa_mend mend;
    int64_t now_us;
    xa_audit_progress_fn *progress;
    void *ctx;
    struct xa_audit found;
    uint64_t done;
    bool is_told_to_end;

    enum folder folder;
    struct entry entries[XA_FETCH_MAX];
    size_t count;
    struct xa_doubt doubts[XA_FETCH_MAX]; /* of some of the entries */
    size_t doubt_count;
    struct xa_fetch fetch;
    enum xa_rc rc;
    struct xa_err *err;
};

static void
audit_done(struct audit *audit)
{
    xa_fetch_done(&audit->fetch);
}

/* --- what is read --- */

/* Names that are written one after the other into a fetch. */
typedef void put_name_fn(const struct audit *audit, size_t i,
                         struct xa_buf *out);

static enum xa_rc
fetch(struct audit *audit, put_name_fn *put_name, size_t count,
      xa_fetch_fn *take, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf name = XA_BUF(XA_CONSUL_NAME_MAX);
    enum xa_rc rc;

    xa_fetch_clear(&audit->fetch);
    for (size_t i = 0; i < count; i++) {
        xa_buf_clear(&name);
        put_name(audit, i, &name);
        rc = xa_buf_check(&name, err);
        if (rc != XA_OK)
            return rc;
        xa_fetch_add(&audit->fetch, name.data);
    }
    return xa_fetch_run(&audit->fetch, audit->mend.consul,
                        audit->mend.operations, take, audit, err);
}

static void
put_token(const struct audit *audit, size_t i, struct xa_buf *out)
{
    xa_consul_put_token(out, audit->mend.prefix, &audit->entries[i].key);
}

static enum xa_rc
take_token(void *ctx, size_t i, const struct xa_txn_item *item,
           struct xa_err *err)
{
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    struct audit *audit = ctx;
    struct entry *entry = &audit->entries[i];
    enum xa_rc rc = XA_E_STORE;

    if (!item)
        return XA_OK;
    entry->index = item->index;
    if (item->value)
        rc =
            xa_consul_decode(item->value, item->len, &entry->key, &token, NULL);
    if (rc == XA_E_NOMEM)
        return xa_fail_nomem(err);
    entry->is_readable = rc == XA_OK;
    if (entry->is_readable) {
        entry->right_when = xa_consul_when(xa_token_expires_us(token));
        xa_consul_subject(xa_token_auth_id(token), entry->right_subject);
    }
    return XA_OK;
}

/* Entries in doubt: first those that are missing, then where they are. */

static void
put_schedule(const struct audit *audit, size_t i, struct xa_buf *out)
{
    xa_consul_put_schedule(out, audit->mend.prefix, audit->doubts[i].when,
                           &audit->doubts[i].key);
}

static void
put_subject(const struct audit *audit, size_t i, struct xa_buf *out)
{
    xa_consul_put_subject(out, audit->mend.prefix, audit->doubts[i].subject,
                          &audit->doubts[i].key);
}

static enum xa_rc
take_schedule(void *ctx, size_t i, const struct xa_txn_item *item,
              struct xa_err *err XA_UNUSED)
{
    struct xa_doubt *doubt = &((struct audit *)ctx)->doubts[i];

    doubt->lacks_schedule = !item || !item->value ||
                            item->len != strlen(doubt->subject) ||
                            memcmp(item->value, doubt->subject, item->len) != 0;
    return XA_OK;
}

static enum xa_rc
take_subject(void *ctx, size_t i, const struct xa_txn_item *item,
             struct xa_err *err XA_UNUSED)
{
    ((struct audit *)ctx)->doubts[i].lacks_subject = !item;
    return XA_OK;
}

static enum xa_rc
take_stray(void *ctx, size_t i, const struct xa_txn_item *item,
           struct xa_err *err XA_UNUSED)
{
    ((struct audit *)ctx)->doubts[i].index = item ? item->index : 0;
    return XA_OK;
}

/* --- judging --- */

/* Keep of the doubts those that are some. */
static void
drop_doubts(struct audit *audit, bool (*is_one)(const struct xa_doubt *))
{
    size_t kept = 0;

    for (size_t i = 0; i < audit->doubt_count; i++)
        if (is_one(&audit->doubts[i]))
            audit->doubts[kept++] = audit->doubts[i];
    audit->doubt_count = kept;
}

static bool
lacks_something(const struct xa_doubt *doubt)
{
    return doubt->lacks_schedule || doubt->lacks_subject;
}

static bool
is_still_there(const struct xa_doubt *doubt)
{
    return doubt->index > 0;
}

static struct xa_doubt *
add_doubt(struct audit *audit, const struct entry *entry)
{
    struct xa_doubt *doubt = &audit->doubts[audit->doubt_count++];

    *doubt = (struct xa_doubt){
        .key = entry->key,
        .token_index = entry->index,
    };
    return doubt;
}

static int64_t
now_s(const struct audit *audit)
{
    return xa_consul_when(audit->now_us);
}

/* Each token wants its schedule and its subject entry. */
static enum xa_rc
judge_tokens(struct audit *audit, struct xa_err *err)
{
    enum xa_rc rc;

    for (size_t i = 0; i < audit->count; i++) {
        const struct entry *entry = &audit->entries[i];
        struct xa_doubt *doubt;

        audit->found.tokens += entry->is_readable;
        audit->found.unreadable += entry->index > 0 && !entry->is_readable;
        if (!entry->is_readable)
            continue;
        doubt = add_doubt(audit, entry);
        doubt->when = entry->right_when;
        memcpy(doubt->subject, entry->right_subject, sizeof doubt->subject);
    }
    rc = fetch(audit, put_schedule, audit->doubt_count, take_schedule, err);
    if (rc == XA_OK)
        rc = fetch(audit, put_subject, audit->doubt_count, take_subject, err);
    if (rc != XA_OK)
        return rc;
    drop_doubts(audit, lacks_something);
    for (size_t i = 0; i < audit->doubt_count; i++)
        if (audit->doubts[i].when < now_s(audit))
            audit->doubts[i].when = now_s(audit);
    return XA_OK;
}

/*
 * An entry is given the benefit of the doubt when the record is there but
 * cannot be read; and a schedule of a token that is overdue, because it
 * may have been made for a later look.
 */
static bool
fits(const struct audit *audit, const struct entry *entry)
{
    if (entry->index > 0 && !entry->is_readable)
        return true;
    if (entry->index == 0)
        return false;
    if (audit->folder == SUBJECTS)
        return strcmp(entry->subject, entry->right_subject) == 0;
    return entry->when == entry->right_when ||
           (entry->right_when <= now_s(audit) &&
            entry->when > entry->right_when);
}

/* Each schedule, or subject entry, wants its token. */
static enum xa_rc
judge_entries(struct audit *audit, struct xa_err *err)
{
    bool is_schedule = audit->folder == SCHEDULE;
    enum xa_rc rc;

    for (size_t i = 0; i < audit->count; i++) {
        const struct entry *entry = &audit->entries[i];
        struct xa_doubt *doubt;

        if (fits(audit, entry))
            continue;
        doubt = add_doubt(audit, entry);
        doubt->is_stray_schedule = is_schedule;
        doubt->is_stray_subject = !is_schedule;
        doubt->when = entry->when;
        memcpy(doubt->subject, entry->subject, sizeof doubt->subject);
    }
    rc = fetch(audit, is_schedule ? put_schedule : put_subject,
               audit->doubt_count, take_stray, err);
    if (rc == XA_OK)
        drop_doubts(audit, is_still_there);
    return rc;
}

/* --- the walk --- */

static void
count_doubts(struct audit *audit)
{
    for (size_t i = 0; i < audit->doubt_count; i++) {
        const struct xa_doubt *doubt = &audit->doubts[i];

        if (!doubt->holds)
            continue;
        audit->found.unscheduled += doubt->lacks_schedule;
        audit->found.unlisted += doubt->lacks_subject;
        audit->found.stray_schedules += doubt->is_stray_schedule;
        audit->found.stray_subjects += doubt->is_stray_subject;
    }
}

/* The names in hand.  false ends the walk. */
static bool
judge(struct audit *audit)
{
    struct xa_err *err = audit->err;
    enum xa_rc rc;

    audit->doubt_count = 0;
    rc = fetch(audit, put_token, audit->count, take_token, err);
    if (rc == XA_OK)
        rc = audit->folder == TOKENS ? judge_tokens(audit, err)
                                     : judge_entries(audit, err);
    if (rc == XA_OK)
        rc = xa_mend_run(&audit->mend, audit->doubts, audit->doubt_count, err);
    if (rc == XA_OK)
        count_doubts(audit);
    audit->rc = rc;
    audit->done += audit->count;
    audit->count = 0;
    if (rc == XA_OK && audit->progress)
        audit->is_told_to_end = !audit->progress(audit->ctx, audit->done);
    return rc == XA_OK && !audit->is_told_to_end;
}

static bool
read_name(const struct audit *audit, const char *name, struct entry *entry)
{
    const char *prefix = audit->mend.prefix;

    *entry = (struct entry){0};
    switch (audit->folder) {
    case TOKENS:
        return xa_consul_read_token(name, prefix, &entry->key);
    case SCHEDULE:
        return xa_consul_read_schedule(name, prefix, &entry->when, &entry->key);
    case SUBJECTS:
        return xa_consul_read_subject(name, prefix, entry->subject,
                                      &entry->key);
    }
    return false;
}

/* What is none of ours cannot be read, among the tokens, and is stray
 * elsewhere. */
static bool
judge_nonsense(struct audit *audit, const char *name)
{
    audit->done++;
    if (audit->folder == TOKENS) {
        audit->found.unreadable++;
        return true;
    }
    if (audit->mend.mends)
        audit->rc = xa_mend_delete(&audit->mend, name, audit->err);
    if (audit->rc != XA_OK)
        return false;
    if (audit->folder == SCHEDULE)
        audit->found.stray_schedules++;
    else
        audit->found.stray_subjects++;
    return true;
}

static bool
take_name(void *ctx, const char *name)
{
    struct audit *audit = ctx;

    if (!read_name(audit, name, &audit->entries[audit->count]))
        return judge_nonsense(audit, name);
    return ++audit->count < XA_FETCH_MAX || judge(audit);
}

static enum xa_rc
walk(struct audit *audit, enum folder folder, struct xa_err *err)
{
    static const char *const names[] = {"tokens/", "schedule/", "subjects/"};
    XA_AUTO(xa_buf_free) struct xa_buf root = XA_BUF(XA_CONSUL_NAME_MAX);
    struct xa_walk plan = {
        .consul = audit->mend.consul, .begin = "", .after = ""};
    bool ended;
    enum xa_rc rc;

    audit->folder = folder;
    xa_buf_putf(&root, "%s%s", audit->mend.prefix, names[folder]);
    rc = xa_buf_check(&root, err);
    if (rc != XA_OK)
        return rc;
    plan.root = root.data;
    rc = xa_walk_names(&plan, take_name, audit, &ended, err);
    if (rc == XA_OK)
        rc = audit->rc;
    if (rc == XA_OK && audit->count > 0 && !audit->is_told_to_end) {
        judge(audit);
        rc = audit->rc;
    }
    return rc;
}

enum xa_rc
xa_store_consul_audit(struct xa_store *base, enum xa_audit_mode mode,
                      int64_t now_us, xa_audit_progress_fn *progress, void *ctx,
                      struct xa_audit *out, struct xa_err *err)
{
    struct xa_store_consul *store = (struct xa_store_consul *)base;
    XA_AUTO(audit_done)
    struct audit audit = {
        .mend = {.consul = store->consul,
                 .prefix = store->config->consul.prefix,
                 .operations = store->config->expiry.txn_operations,
                 .mends = mode != XA_AUDIT_LOOK},
        .now_us = now_us,
        .progress = progress,
        .ctx = ctx,
        .fetch = XA_FETCH_EMPTY,
        .err = err,
    };
    enum folder last = mode == XA_AUDIT_ADOPT ? TOKENS : SUBJECTS;
    enum xa_rc rc;

    rc = xa_store_consul_check(base, err); /* or all would seem empty */
    for (int folder = TOKENS;
         rc == XA_OK && folder <= (int)last && !audit.is_told_to_end; folder++)
        rc = walk(&audit, (enum folder)folder, err);
    if (rc != XA_OK)
        return xa_store_consul_fail(rc, err);
    *out = audit.found;
    return XA_OK;
}
