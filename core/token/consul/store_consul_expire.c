/* store_consul_expire.c - the Consul store: lead, and remove what is due. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/token/consul/plan.h"
#include "core/token/consul/record.h"
#include "core/token/consul/removal.h"
#include "core/token/consul/store_consul.h"
#include "core/token/consul/walk.h"

#define NAME_MAX_LEN 65536 /* bytes; what makes no sense may be long */
#define QUEUE_MAX 8192     /* names in hand */
#define CHUNK_MAX 128      /* names whose records are read at once */
#define WORK_MS                                                                \
    100 /* after so long a call ends: the pause after it, and the              \
           renewal of the session, must come in time */

/* A schedule that is due. */
struct due {
    int64_t when;
    struct xa_key key;
};

struct xa_sweep {
    struct xa_plan plan;
    char session[XA_UUID_TEXT]; /* as whose holder this process leads */
    bool is_checked;            /* Consul lets us look, in this pass */

    char prefix[XA_WHEN_TEXT]; /* whose names are read now */
    bool is_read;              /* all of them were */
    struct xa_buf after;       /* the latest of them, below the folder */
    unsigned depth;            /* for the walk */

    struct due queue[QUEUE_MAX];
    size_t count;
    size_t next;

    uint32_t skipped; /* in this pass */
    char example[XA_SHA256_TEXT];
};

/* What became of a schedule of the queue, as far as it is known. */
enum finding {
    FOUND_NO_RECORD,
    FOUND_NO_SENSE,
    FOUND_EXPIRED,
    FOUND_LIVING,
    FOUND_GONE, /* the schedule itself, meanwhile */
    FOUND_TWICE /* another schedule of the same token is in hand */
};

struct work {
    const struct due *due;
    enum finding finding;
    uint64_t index;
    int64_t expires_us;
    char subject[XA_SUBJECT_TEXT]; /* of the record */
    char listed[XA_SUBJECT_TEXT];  /* of the schedule; "": none was read */
};

/* One call of expire(). */
struct call {
    struct xa_store_consul *store;
    struct xa_sweep *sweep;
    const char *prefix; /* consul.prefix */
    int64_t now_us;
    int64_t ends_ms;
    struct xa_expired done;
    struct work works[CHUNK_MAX];
    size_t count;
    struct xa_removal steps[2 * CHUNK_MAX];
    size_t step_count;
    bool is_deposed; /* another leads, or nobody does */
};

/* --- to lead --- */

static void
begin_anew(struct xa_sweep *sweep, const char *session)
{
    xa_plan_reset(&sweep->plan);
    xa_buf_clear(&sweep->after);
    sweep->is_checked = false;
    sweep->is_read = true;
    sweep->count = 0;
    sweep->next = 0;
    strncpy(sweep->session, session, sizeof sweep->session - 1);
}

void
xa_sweep_free(struct xa_sweep **place)
{
    struct xa_sweep *sweep = XA_TAKE(*place);

    if (sweep)
        xa_buf_free(&sweep->after);
    free(sweep);
}

static enum xa_rc
make_lock(struct xa_store_consul *store, struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf name = XA_BUF(NAME_MAX_LEN);
    enum xa_rc rc;

    if (!store->sweep) {
        store->sweep = calloc(1, sizeof *store->sweep);
        if (!store->sweep)
            return xa_fail_nomem(err);
        store->sweep->after.max = NAME_MAX_LEN;
        begin_anew(store->sweep, "");
    }
    if (store->lock)
        return XA_OK;
    xa_buf_putf(&name, "%sexpiryd/leader", store->config->consul.prefix);
    rc = xa_buf_check(&name, err);
    if (rc != XA_OK)
        return rc;
    return xa_consul_lock_new(store->consul, name.data, &store->lock, err);
}

enum xa_rc
xa_store_consul_lead(struct xa_store *base, bool *out_leads, struct xa_err *err)
{
    struct xa_store_consul *store = (struct xa_store_consul *)base;
    const char *session;
    bool leads = false;
    enum xa_rc rc;

    rc = make_lock(store, err);
    if (rc == XA_OK)
        rc = xa_consul_lock_hold(store->lock, xa_clock_mono_ms(), &leads, err);
    if (rc != XA_OK)
        return xa_store_consul_fail(rc, err);
    session = leads ? xa_consul_lock_session(store->lock) : "";
    if (strcmp(session, store->sweep->session) != 0)
        begin_anew(store->sweep, session);
    *out_leads = leads;
    return XA_OK;
}

void
xa_store_consul_resign(struct xa_store *base)
{
    struct xa_store_consul *store = (struct xa_store_consul *)base;

    if (!store->lock)
        return;
    xa_consul_lock_release(store->lock);
    begin_anew(store->sweep, "");
}

/* --- what is due --- */

/* It stays where it is, and is told. */
static void
skip(struct xa_sweep *sweep, const struct xa_key *key)
{
    sweep->skipped++;
    if (key && !sweep->example[0])
        xa_key_shown(key, sweep->example);
}

static bool
take_name(void *ctx, const char *name)
{
    struct call *call = ctx;
    struct xa_sweep *sweep = call->sweep;
    struct due *due = &sweep->queue[sweep->count];

    xa_buf_clear(&sweep->after);
    xa_buf_puts(&sweep->after,
                name + strlen(call->prefix) + strlen("schedule/"));
    if (!xa_consul_read_schedule(name, call->prefix, &due->when, &due->key))
        skip(sweep, NULL);
    else
        sweep->count++;
    return sweep->count < QUEUE_MAX;
}

/* The next names below the prefix that the plan gave last. */
static enum xa_rc
read_names(struct call *call, struct xa_err *err)
{
    struct xa_sweep *sweep = call->sweep;
    XA_AUTO(xa_buf_free) struct xa_buf root = XA_BUF(NAME_MAX_LEN);
    XA_AUTO(xa_buf_free) struct xa_buf after = XA_BUF(NAME_MAX_LEN);
    struct xa_walk walk = {
        .consul = call->store->consul,
        .begin = sweep->prefix,
        .depth = &sweep->depth,
    };
    enum xa_rc rc;

    xa_buf_putf(&root, "%sschedule/", call->prefix);
    xa_buf_puts(&after, xa_buf_text(&sweep->after));
    rc = xa_buf_check(&root, err);
    if (rc == XA_OK)
        rc = xa_buf_check(&after, err);
    if (rc != XA_OK)
        return rc;
    walk.root = root.data;
    walk.after = xa_buf_text(&after);
    rc = xa_walk_names(&walk, take_name, call, &sweep->is_read, err);
    return rc == XA_OK ? xa_buf_check(&sweep->after, err) : rc;
}

static bool
is_over(const struct call *call)
{
    return xa_clock_mono_ms() >= call->ends_ms;
}

/* Names in hand, or the end of the pass, or of the time. */
static enum xa_rc
fill_queue(struct call *call, struct xa_err *err)
{
    struct xa_sweep *sweep = call->sweep;
    enum xa_rc rc = XA_OK;

    while (rc == XA_OK && sweep->next == sweep->count && !is_over(call)) {
        sweep->next = 0;
        sweep->count = 0;
        if (sweep->is_read) {
            if (!xa_plan_next(&sweep->plan, sweep->prefix))
                return XA_OK;
            sweep->is_read = false;
            sweep->depth = 0;
            xa_buf_clear(&sweep->after);
        }
        rc = read_names(call, err);
    }
    return rc;
}

/* Who may not list is shown an empty list, so in each pass one key is asked
 * for that would be refused. */
static enum xa_rc
begin_pass(struct call *call, struct xa_err *err)
{
    struct xa_sweep *sweep = call->sweep;
    enum xa_rc rc;

    if (!sweep->is_checked || !sweep->plan.is_open) {
        sweep->is_checked = false;
        rc = xa_store_consul_check(&call->store->base, err);
        if (rc != XA_OK)
            return rc;
        sweep->is_checked = true;
    }
    if (sweep->plan.is_open)
        return XA_OK;
    xa_plan_begin(&sweep->plan, call->now_us / XA_US_PER_S,
                  call->store->config->expiry.look_back_s);
    sweep->skipped = 0;
    sweep->example[0] = '\0';
    return XA_OK;
}

/* --- records --- */

static struct work *
find_work(struct call *call, const struct xa_key *key)
{
    for (size_t i = 0; i < call->count; i++)
        if (strcmp(call->works[i].due->key.text, key->text) == 0)
            return &call->works[i];
    return NULL;
}

static enum xa_rc
take_record(void *ctx, const struct xa_txn_item *item, struct xa_err *err)
{
    struct call *call = ctx;
    XA_AUTO(xa_token_free) struct xa_token *token = NULL;
    struct work *work;
    struct xa_key key;
    enum xa_rc rc;

    if (!xa_consul_read_token(item->name, call->prefix, &key))
        return XA_OK; /* something that begins with one of our names */
    work = find_work(call, &key);
    if (!work)
        return XA_OK;
    rc = xa_consul_decode(item->value, item->len, &key, &token, err);
    if (rc != XA_OK && rc != XA_E_STORE)
        return rc;
    work->finding = FOUND_NO_SENSE;
    if (rc == XA_E_STORE)
        return XA_OK;
    work->finding =
        xa_token_is_expired(token, call->now_us) ? FOUND_EXPIRED : FOUND_LIVING;
    work->index = item->index;
    work->expires_us = xa_token_expires_us(token);
    xa_consul_subject(xa_token_auth_id(token), work->subject);
    return XA_OK;
}

/* The value of a schedule is 32 digits. */
static enum xa_rc
take_schedule(void *ctx, const struct xa_txn_item *item,
              struct xa_err *err XA_UNUSED)
{
    struct call *call = ctx;
    char text[XA_SUBJECT_TEXT];
    struct work *work;
    struct xa_key key;
    int64_t when;

    if (!xa_consul_read_schedule(item->name, call->prefix, &when, &key))
        return XA_OK;
    work = find_work(call, &key);
    if (!work || work->due->when != when)
        return XA_OK;
    if (work->finding == FOUND_GONE)
        work->finding = FOUND_NO_RECORD;
    if (item->len != sizeof text - 1)
        return XA_OK;
    memcpy(text, item->value, item->len);
    text[item->len] = '\0';
    if (xa_str_is_hex(text, item->len))
        memcpy(work->listed, text, sizeof text);
    return XA_OK;
}

typedef void put_name_fn(struct xa_buf *out, const char *prefix,
                         const struct work *work);

static void
put_record_name(struct xa_buf *out, const char *prefix, const struct work *work)
{
    xa_consul_put_token(out, prefix, &work->due->key);
}

static void
put_schedule_name(struct xa_buf *out, const char *prefix,
                  const struct work *work)
{
    xa_consul_put_schedule(out, prefix, work->due->when, &work->due->key);
}

/* Read one key of each work that is (or, while nothing is known, may be) of
 * two findings. */
static enum xa_rc
read_keys(struct call *call, enum finding one, enum finding other,
          put_name_fn *put_name, xa_txn_item_fn *take, struct xa_err *err)
{
    struct xa_consul *consul = call->store->consul;
    XA_AUTO(xa_txn_done) struct xa_txn txn = XA_TXN_EMPTY;
    XA_AUTO(xa_buf_free) struct xa_buf name = XA_BUF(NAME_MAX_LEN);
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    enum xa_rc rc;

    for (size_t i = 0; i < call->count; i++) {
        struct work *work = &call->works[i];

        if (work->finding != one && work->finding != other)
            continue;
        xa_buf_clear(&name);
        put_name(&name, call->prefix, work);
        rc = xa_buf_check(&name, err);
        if (rc != XA_OK)
            return rc;
        xa_txn_get_tree(&txn, name.data);
    }
    if (txn.count == 0)
        return XA_OK;
    rc = xa_txn_run(consul, &txn, XA_CONSUL_READ, xa_consul_deadline_ms(consul),
                    &answer, NULL, err);
    return rc == XA_OK ? xa_txn_each(&answer, take, call, err) : rc;
}

static void
take_works(struct call *call, size_t count)
{
    struct xa_sweep *sweep = call->sweep;

    call->count = 0;
    for (size_t i = 0; i < count; i++) {
        struct due *due = &sweep->queue[sweep->next + i];
        bool is_second = find_work(call, &due->key) != NULL;

        call->works[call->count++] = (struct work){
            .due = due,
            .finding = is_second ? FOUND_TWICE : FOUND_NO_RECORD,
        };
    }
}

/* Records that are large together are read fewer at a time; one that is too
 * large alone makes no sense. */
static enum xa_rc
read_records(struct call *call, size_t count, struct xa_err *err)
{
    enum xa_rc rc;

    for (;; count /= 2) {
        take_works(call, count);
        rc = read_keys(call, FOUND_NO_RECORD, FOUND_NO_RECORD, put_record_name,
                       take_record, err);
        if (rc != XA_E_INVALID)
            return rc;
        if (count <= 1)
            break;
    }
    call->works[0].finding = FOUND_NO_SENSE;
    return XA_OK;
}

/* Without a record, the schedule alone knows whose entry is to go; with one
 * that lives on, whether the entry is of the right subject. */
static enum xa_rc
read_schedules(struct call *call, struct xa_err *err)
{
    for (size_t i = 0; i < call->count; i++)
        if (call->works[i].finding == FOUND_NO_RECORD)
            call->works[i].finding = FOUND_GONE; /* until it is seen */
    return read_keys(call, FOUND_GONE, FOUND_LIVING, put_schedule_name,
                     take_schedule, err);
}

/* A schedule that says nothing, of a token that is not there. */
static void
judge_orphans(struct call *call)
{
    for (size_t i = 0; i < call->count; i++)
        if (call->works[i].finding == FOUND_NO_RECORD &&
            !call->works[i].listed[0])
            call->works[i].finding = FOUND_NO_SENSE;
}

static void
skip_senseless(struct call *call)
{
    for (size_t i = 0; i < call->count; i++)
        if (call->works[i].finding == FOUND_NO_SENSE)
            skip(call->sweep, &call->works[i].due->key);
}

/* --- what to do --- */

static void
add_step(struct call *call, enum xa_removal_kind kind, const struct work *work,
         const char *subject)
{
    struct xa_removal *step = &call->steps[call->step_count++];

    *step = (struct xa_removal){
        .kind = kind,
        .key = work->due->key,
        .when = work->due->when,
        .index = work->index,
        .expires_us = work->expires_us,
    };
    memcpy(step->subject, subject, sizeof step->subject);
    memcpy(step->stray, work->listed, sizeof step->stray);
}

static void
add_steps(struct call *call, const struct work *work)
{
    switch (work->finding) {
    case FOUND_GONE:
    case FOUND_NO_SENSE:
        break;
    case FOUND_TWICE:
        xa_plan_again(&call->sweep->plan, work->due->when);
        break;
    case FOUND_EXPIRED:
        add_step(call, XA_REMOVE_TOKEN, work, work->subject);
        break;
    case FOUND_LIVING:
        if (work->listed[0] && strcmp(work->listed, work->subject) != 0)
            add_step(call, XA_MOVE_SUBJECT, work, work->subject);
        add_step(call, XA_MOVE_SCHEDULE, work, work->subject);
        break;
    case FOUND_NO_RECORD:
        add_step(call, XA_REMOVE_ORPHAN, work, work->listed);
        break;
    }
}

/* --- do it --- */

static void
count_done(struct call *call, const struct xa_removal *steps, size_t count)
{
    struct xa_expired *done = &call->done;

    for (size_t i = 0; i < count; i++) {
        if (steps[i].kind != XA_REMOVE_TOKEN)
            continue;
        if (done->removed++ == 0 || steps[i].expires_us < done->oldest_us)
            done->oldest_us = steps[i].expires_us;
    }
}

/*
 * A check did not hold.  Of the fence: another leads by now.  Of a step: the
 * token was changed since it was read, so it is left for the next pass, and
 * the others are tried again without it.
 */
static void
drop_refused(struct call *call, struct xa_removal *steps, size_t *count,
             size_t operation)
{
    ptrdiff_t which = xa_removal_of_operation(operation);

    if (which < 0 || (size_t)which >= *count) {
        call->is_deposed = true;
        return;
    }
    xa_plan_again(&call->sweep->plan, steps[which].when);
    memmove(&steps[which], &steps[which + 1],
            (*count - (size_t)which - 1) * sizeof steps[0]);
    --*count;
}

/* One transaction of steps, without those that are refused. */
static enum xa_rc
run_steps(struct call *call, struct xa_removal *steps, size_t count,
          struct xa_err *err)
{
    struct xa_consul *consul = call->store->consul;
    XA_AUTO(xa_buf_free) struct xa_buf leader = XA_BUF(NAME_MAX_LEN);
    enum xa_rc rc = XA_OK;

    xa_buf_putf(&leader, "%sexpiryd/leader", call->prefix);
    while (count > 0 && !call->is_deposed) {
        XA_AUTO(xa_txn_done) struct xa_txn txn = XA_TXN_EMPTY;
        XA_AUTO(xa_consul_answer_done)
        struct xa_consul_answer answer = XA_CONSUL_ANSWER;
        struct xa_txn_refusal refusal = {0};

        rc = xa_buf_check(&leader, err);
        if (rc == XA_OK)
            rc = xa_removal_write(&txn, call->prefix, leader.data,
                                  call->sweep->session, steps, count, err);
        if (rc != XA_OK)
            return rc;
        rc = xa_txn_run(consul, &txn, XA_CONSUL_WRITE,
                        xa_consul_deadline_ms(consul), &answer, &refusal, err);
        if (rc != XA_E_INVALID)
            break;
        rc = XA_OK;
        drop_refused(call, steps, &count, refusal.operation);
    }
    if (rc == XA_OK && !call->is_deposed)
        count_done(call, steps, count);
    return rc;
}

static enum xa_rc
run_all(struct call *call, struct xa_err *err)
{
    size_t fit = xa_removal_fit(call->store->config->expiry.txn_operations);
    enum xa_rc rc = XA_OK;

    for (size_t i = 0; rc == XA_OK && i < call->step_count && !call->is_deposed;
         i += fit) {
        size_t left = call->step_count - i;

        rc = run_steps(call, &call->steps[i], left < fit ? left : fit, err);
    }
    return rc;
}

/* Some of the queue: read, decide, write. */
static enum xa_rc
work_off(struct call *call, size_t max, struct xa_err *err)
{
    struct xa_sweep *sweep = call->sweep;
    uint32_t operations = call->store->config->expiry.txn_operations;
    size_t fit = xa_removal_fit(operations);
    size_t count = sweep->count - sweep->next;
    enum xa_rc rc;

    if (operations > CHUNK_MAX)
        operations = CHUNK_MAX;
    if (count > operations / fit * fit)
        count = operations / fit * fit; /* so that transactions are full */
    if (count > max)
        count = max;
    rc = read_records(call, count, err);
    if (rc == XA_OK)
        rc = read_schedules(call, err);
    if (rc != XA_OK)
        return rc;
    judge_orphans(call);
    call->step_count = 0;
    for (size_t i = 0; i < call->count; i++)
        add_steps(call, &call->works[i]);
    rc = run_all(call, err);
    if (rc != XA_OK || call->is_deposed)
        return rc;
    skip_senseless(call);
    sweep->next += call->count;
    return XA_OK;
}

static enum xa_rc
sweep_some(struct call *call, uint32_t max, struct xa_err *err)
{
    struct xa_sweep *sweep = call->sweep;
    enum xa_rc rc = begin_pass(call, err);

    while (rc == XA_OK && call->done.removed < max) {
        rc = fill_queue(call, err);
        if (rc != XA_OK || sweep->next == sweep->count)
            return rc;
        rc = work_off(call, max - call->done.removed, err);
        if (call->is_deposed || is_over(call))
            return rc;
    }
    return rc;
}

enum xa_rc
xa_store_consul_expire(struct xa_store *base, int64_t now_us, uint32_t max,
                       struct xa_expired *out, struct xa_err *err)
{
    struct xa_store_consul *store = (struct xa_store_consul *)base;
    struct xa_sweep *sweep = store->sweep;
    struct call call = {
        .store = store,
        .sweep = sweep,
        .prefix = store->config->consul.prefix,
        .now_us = now_us,
        .ends_ms = xa_clock_mono_ms() + WORK_MS,
    };
    enum xa_rc rc;

    if (!sweep || !sweep->session[0])
        return xa_fail(err, XA_E_UNAVAILABLE, "this process does not lead");
    rc = sweep_some(&call, max, err);
    if (rc != XA_OK)
        sweep->is_checked = false;
    /* What was removed before a failure is told; the next call meets it. */
    if (rc != XA_OK && call.done.removed == 0)
        return xa_store_consul_fail(rc, err);
    call.done.skipped = sweep->skipped;
    memcpy(call.done.example, sweep->example, sizeof sweep->example);
    call.done.more = sweep->plan.is_open || sweep->next < sweep->count;
    if (call.is_deposed) {
        xa_consul_lock_lost(store->lock);
        begin_anew(sweep, "");
        call.done.more = true; /* for whoever leads next */
    }
    *out = call.done;
    return XA_OK;
}
