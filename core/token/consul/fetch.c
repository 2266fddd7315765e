/* fetch.c - the values of many keys in few requests. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/consul/fetch.h"

#include <string.h>

void
xa_fetch_done(struct xa_fetch *fetch)
{
    xa_buf_free(&fetch->names);
    fetch->count = 0;
}

void
xa_fetch_clear(struct xa_fetch *fetch)
{
    xa_buf_clear(&fetch->names);
    fetch->count = 0;
}

void
xa_fetch_add(struct xa_fetch *fetch, const char *name)
{
    fetch->at[fetch->count++] = fetch->names.len;
    xa_buf_put(&fetch->names, name, strlen(name) + 1);
}

const char *
xa_fetch_name(const struct xa_fetch *fetch, size_t i)
{
    return fetch->names.data + fetch->at[i];
}

/* An answer that is being gone through. */
struct reading {
    const struct xa_fetch *fetch;
    size_t next; /* the first name of which nothing was said yet */
    size_t end;
    xa_fetch_fn *visit;
    void *ctx;
};

/* Say of the names before `end` that they are not there. */
static enum xa_rc
pass_over(struct reading *reading, size_t end, struct xa_err *err)
{
    enum xa_rc rc = XA_OK;

    while (rc == XA_OK && reading->next < end)
        rc = reading->visit(reading->ctx, reading->next++, NULL, err);
    return rc;
}

/* A key of the answer: one of the names, or what happens to begin so. */
static enum xa_rc
take_item(void *ctx, const struct xa_txn_item *item, struct xa_err *err)
{
    struct reading *reading = ctx;
    size_t i = reading->next;
    enum xa_rc rc;

    while (i < reading->end &&
           strcmp(xa_fetch_name(reading->fetch, i), item->name) != 0)
        i++;
    if (i == reading->end)
        return XA_OK;
    rc = pass_over(reading, i, err);
    if (rc != XA_OK)
        return rc;
    reading->next = i + 1;
    return reading->visit(reading->ctx, i, item, err);
}

/*
 * Read some of the names.
 *
 *   out_too_much  more than an answer may hold; nothing was visited then
 */
static enum xa_rc
read_some(struct reading *reading, struct xa_consul *consul, bool *out_too_much,
          struct xa_err *err)
{
    XA_AUTO(xa_txn_done) struct xa_txn txn = XA_TXN_EMPTY;
    XA_AUTO(xa_consul_answer_done)
    struct xa_consul_answer answer = XA_CONSUL_ANSWER;
    enum xa_rc rc;

    for (size_t i = reading->next; i < reading->end; i++)
        xa_txn_get_tree(&txn, xa_fetch_name(reading->fetch, i));
    rc = xa_txn_run(consul, &txn, XA_CONSUL_READ, xa_consul_deadline_ms(consul),
                    &answer, NULL, err);
    *out_too_much = rc == XA_E_INVALID;
    if (*out_too_much)
        return XA_OK;
    if (rc == XA_OK)
        rc = xa_txn_each(&answer, take_item, reading, err);
    return rc == XA_OK ? pass_over(reading, reading->end, err) : rc;
}

enum xa_rc
xa_fetch_run(const struct xa_fetch *fetch, struct xa_consul *consul,
             size_t operations, xa_fetch_fn *visit, void *ctx,
             struct xa_err *err)
{
    const struct xa_txn_item unreadable = {.name = "", .value = NULL};
    struct reading reading = {.fetch = fetch, .visit = visit, .ctx = ctx};
    size_t step = operations < XA_FETCH_MAX ? operations : XA_FETCH_MAX;
    enum xa_rc rc = xa_buf_check(&fetch->names, err);
    bool too_much;

    while (rc == XA_OK && reading.next < fetch->count) {
        size_t left = fetch->count - reading.next;

        reading.end = reading.next + (step < left ? step : left);
        rc = read_some(&reading, consul, &too_much, err);
        if (rc != XA_OK || !too_much)
            continue;
        step = (reading.end - reading.next) / 2;
        if (step > 0)
            continue;
        step = 1;
        rc = visit(ctx, reading.next++, &unreadable, err);
    }
    return rc;
}
