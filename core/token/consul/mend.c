/* mend.c - what an audit doubts, confirmed and set right. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/consul/mend.h"

#include <string.h>

#include "core/token/consul/txn.h"

#define OPERATIONS 3  /* at most, of one doubt */
#define DOUBTS_MAX 21 /* in a transaction of 64 */

/* A transaction that is being written. */
struct plan {
    const struct xa_mend *mend;
    struct xa_txn txn;
    struct xa_buf name;
};

static void
plan_done(struct plan *plan)
{
    xa_txn_done(&plan->txn);
    xa_buf_free(&plan->name);
}

static const char *
token_name(struct plan *plan, const struct xa_doubt *doubt)
{
    xa_buf_clear(&plan->name);
    xa_consul_put_token(&plan->name, plan->mend->prefix, &doubt->key);
    return xa_buf_text(&plan->name);
}

static const char *
schedule_name(struct plan *plan, const struct xa_doubt *doubt)
{
    xa_buf_clear(&plan->name);
    xa_consul_put_schedule(&plan->name, plan->mend->prefix, doubt->when,
                           &doubt->key);
    return xa_buf_text(&plan->name);
}

static const char *
subject_name(struct plan *plan, const struct xa_doubt *doubt)
{
    xa_buf_clear(&plan->name);
    xa_consul_put_subject(&plan->name, plan->mend->prefix, doubt->subject,
                          &doubt->key);
    return xa_buf_text(&plan->name);
}

/* The checks of one doubt, and what mends it. */
static void
add(struct plan *plan, const struct xa_doubt *doubt)
{
    bool is_stray = doubt->is_stray_schedule || doubt->is_stray_subject;
    bool mends = plan->mend->mends;
    struct xa_txn *txn = &plan->txn;
    const char *name = token_name(plan, doubt);

    if (doubt->token_index > 0)
        xa_txn_check_index(txn, name, doubt->token_index);
    else
        xa_txn_check_absent(txn, name);
    if (is_stray) {
        name = doubt->is_stray_schedule ? schedule_name(plan, doubt)
                                        : subject_name(plan, doubt);
        xa_txn_check_index(txn, name, doubt->index);
        if (mends)
            xa_txn_delete_cas(txn, name, doubt->index);
    }
    if (mends && doubt->lacks_schedule)
        xa_txn_set(txn, schedule_name(plan, doubt), doubt->subject,
                   strlen(doubt->subject));
    if (mends && doubt->lacks_subject)
        xa_txn_set(txn, subject_name(plan, doubt), "", 0);
}

static size_t
count_operations(const struct xa_doubt *doubt, bool mends)
{
    if (doubt->is_stray_schedule || doubt->is_stray_subject)
        return mends ? 3 : 2;
    return 1 + (size_t)(mends && doubt->lacks_schedule) +
           (size_t)(mends && doubt->lacks_subject);
}

/* The doubt to which an operation of the transaction belongs. */
static size_t
doubt_of(const struct xa_doubt *const *doubts, size_t count, size_t operation,
         bool mends)
{
    size_t i = 0;

    for (; i + 1 < count; i++) {
        size_t own = count_operations(doubts[i], mends);

        if (operation < own)
            break;
        operation -= own;
    }
    return i;
}

/*
 * All of them in one transaction.
 *
 *   out_wrong  which of them does not hold; count: all of them do
 */
static enum xa_rc
try_all(const struct xa_mend *mend, struct xa_doubt *const *doubts,
        size_t count, size_t *out_wrong, struct xa_err *err)
{
    XA_AUTO(plan_done)
    struct plan plan = {
        .mend = mend,
        .txn = XA_TXN_EMPTY,
        .name = XA_BUF(XA_CONSUL_NAME_MAX),
    };
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    struct xa_txn_refusal refusal = {0};
    enum xa_rc rc;

    for (size_t i = 0; i < count; i++)
        add(&plan, doubts[i]);
    rc = xa_buf_check(&plan.name, err);
    if (rc != XA_OK)
        return rc;
    rc = xa_txn_run(
        mend->consul, &plan.txn, mend->mends ? XA_CONSUL_WRITE : XA_CONSUL_READ,
        xa_consul_deadline_ms(mend->consul), &answer, &refusal, err);
    *out_wrong = count;
    if (rc != XA_E_INVALID)
        return rc;
    *out_wrong = doubt_of((const struct xa_doubt *const *)doubts, count,
                          refusal.operation, mend->mends);
    return XA_OK;
}

/* Leave out one after the other what does not hold, until the rest does. */
static enum xa_rc
run_some(const struct xa_mend *mend, struct xa_doubt *doubts, size_t count,
         struct xa_err *err)
{
    struct xa_doubt *left[DOUBTS_MAX];
    size_t wrong;
    enum xa_rc rc;

    for (size_t i = 0; i < count; i++)
        left[i] = &doubts[i];
    while (count > 0) {
        rc = try_all(mend, left, count, &wrong, err);
        if (rc != XA_OK)
            return rc;
        if (wrong == count) {
            while (count > 0)
                left[--count]->holds = true;
            return XA_OK;
        }
        count--;
        memmove(&left[wrong], &left[wrong + 1],
                (count - wrong) * sizeof left[0]);
    }
    return XA_OK;
}

enum xa_rc
xa_mend_run(const struct xa_mend *mend, struct xa_doubt *doubts, size_t count,
            struct xa_err *err)
{
    size_t step = mend->operations / OPERATIONS;
    enum xa_rc rc = XA_OK;

    if (step > DOUBTS_MAX)
        step = DOUBTS_MAX;
    if (step == 0)
        step = 1;
    for (size_t i = 0; rc == XA_OK && i < count; i += step)
        rc = run_some(mend, &doubts[i], count - i < step ? count - i : step,
                      err);
    return rc;
}

enum xa_rc
xa_mend_delete(const struct xa_mend *mend, const char *name, struct xa_err *err)
{
    XA_AUTO(xa_txn_done) struct xa_txn txn = XA_TXN_EMPTY;
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;

    xa_txn_delete(&txn, name);
    return xa_txn_run(mend->consul, &txn, XA_CONSUL_WRITE,
                      xa_consul_deadline_ms(mend->consul), &answer, NULL, err);
}
