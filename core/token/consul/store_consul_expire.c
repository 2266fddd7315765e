/* store_consul_expire.c - the Consul store: remove what is due. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/token/consul/removal.h"
#include "core/token/consul/store_consul.h"
#include "core/token/consul/sweep.h"
#include "core/token/consul/walk.h"

#define WORK_MS                                                                \
    100 /* after so long a call ends: the pause after it, and the              \
           renewal of the session, must come in time */

/* One call of expire(). */
struct call {
    struct xa_store_consul *store;
    struct xa_sweep *sweep;
    const char *prefix; /* consul.prefix */
    int64_t now_us;
    int64_t ends_ms;
    struct xa_expired done;
    struct xa_findings findings;
    struct xa_removal steps[2 * XA_FINDINGS_MAX];
    size_t step_count;
    bool is_deposed; /* another leads, or nobody does */
};

/* --- what is due --- */

/* It stays where it is, and is told. */
static void
skip(struct xa_sweep *sweep, const struct xa_key *key)
{
    sweep->skipped++;
    if (key)
        xa_key_shown(key, sweep->example);
}

static bool
take_name(void *ctx, const char *name)
{
    struct call *call = ctx;
    struct xa_sweep *sweep = call->sweep;
    struct xa_due *due = &sweep->queue[sweep->count];

    xa_buf_clear(&sweep->after);
    xa_buf_puts(&sweep->after,
                name + strlen(call->prefix) + strlen("schedule/"));
    if (!xa_consul_read_schedule(name, call->prefix, &due->when, &due->key))
        skip(sweep, NULL);
    else
        sweep->count++;
    return sweep->count < XA_SWEEP_QUEUE_MAX;
}

/* The next names below the prefix that the plan gave last. */
static enum xa_rc
read_names(struct call *call, struct xa_err *err)
{
    struct xa_sweep *sweep = call->sweep;
    XA_AUTO(xa_buf_free) struct xa_buf root = XA_BUF(XA_SWEEP_NAME_MAX);
    XA_AUTO(xa_buf_free) struct xa_buf after = XA_BUF(XA_SWEEP_NAME_MAX);
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

/* --- what to do --- */

static void
skip_senseless(struct call *call)
{
    const struct xa_findings *findings = &call->findings;

    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].what == XA_FOUND_NO_SENSE)
            skip(call->sweep, &findings->items[i].due->key);
}

static void
add_step(struct call *call, enum xa_removal_kind kind,
         const struct xa_finding *found, const char *subject)
{
    struct xa_removal *step = &call->steps[call->step_count++];

    *step = (struct xa_removal){
        .kind = kind,
        .key = found->due->key,
        .when = found->due->when,
        .index = found->index,
        .expires_us = found->expires_us,
    };
    memcpy(step->subject, subject, sizeof step->subject);
    memcpy(step->stray, found->listed, sizeof step->stray);
}

static void
add_steps(struct call *call, const struct xa_finding *found)
{
    switch (found->what) {
    case XA_FOUND_GONE:
    case XA_FOUND_NO_SENSE:
        break;
    case XA_FOUND_TWICE:
        xa_plan_again(&call->sweep->plan, found->due->when);
        break;
    case XA_FOUND_EXPIRED:
        add_step(call, XA_REMOVE_TOKEN, found, found->subject);
        break;
    case XA_FOUND_LIVING:
        if (found->listed[0] && strcmp(found->listed, found->subject) != 0)
            add_step(call, XA_MOVE_SUBJECT, found, found->subject);
        add_step(call, XA_MOVE_SCHEDULE, found, found->subject);
        break;
    case XA_FOUND_NO_RECORD:
        add_step(call, XA_REMOVE_ORPHAN, found, found->listed);
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
    XA_AUTO(xa_buf_free) struct xa_buf leader = XA_BUF(XA_SWEEP_NAME_MAX);
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

    if (operations > XA_FINDINGS_MAX)
        operations = XA_FINDINGS_MAX;
    if (count > operations / fit * fit)
        count = operations / fit * fit; /* so that transactions are full */
    if (count > max)
        count = max;
    rc = xa_findings_read(call->store->consul, call->prefix,
                          &sweep->queue[sweep->next], count, call->now_us,
                          &call->findings, err);
    if (rc != XA_OK)
        return rc;
    call->step_count = 0;
    for (size_t i = 0; i < count; i++)
        add_steps(call, &call->findings.items[i]);
    rc = run_all(call, err);
    if (rc != XA_OK || call->is_deposed)
        return rc;
    skip_senseless(call);
    sweep->next += count;
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
        xa_sweep_begin_anew(sweep, "");
        call.done.more = true; /* for whoever leads next */
    }
    *out = call.done;
    return XA_OK;
}
