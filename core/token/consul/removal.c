/* removal.c - what is done about a schedule that is due. SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "core/token/consul/removal.h"

#include <string.h>

#define NAME_MAX_LEN 8192

/* The names of one step. */
struct names {
    struct xa_buf token;
    struct xa_buf schedule;
    struct xa_buf other; /* a subject entry, or the new schedule */
};

static void
free_names(struct names *names)
{
    xa_buf_free(&names->token);
    xa_buf_free(&names->schedule);
    xa_buf_free(&names->other);
}

size_t
xa_removal_fit(size_t operations)
{
    return (operations - 1) / XA_REMOVAL_OPERATIONS;
}

ptrdiff_t
xa_removal_of_operation(size_t operation)
{
    if (operation == 0)
        return -1;
    return (ptrdiff_t)((operation - 1) / XA_REMOVAL_OPERATIONS);
}

static void
set_name(struct names *names, const char *prefix, const struct xa_removal *step)
{
    xa_buf_clear(&names->token);
    xa_buf_clear(&names->schedule);
    xa_buf_clear(&names->other);
    xa_consul_put_token(&names->token, prefix, &step->key);
    xa_consul_put_schedule(&names->schedule, prefix, step->when, &step->key);
    if (step->kind == XA_MOVE_SCHEDULE)
        xa_consul_put_schedule(&names->other, prefix,
                               xa_consul_when(step->expires_us), &step->key);
    else
        xa_consul_put_subject(&names->other, prefix, step->subject, &step->key);
}

static enum xa_rc
check_names(const struct names *names, struct xa_err *err)
{
    enum xa_rc rc = xa_buf_check(&names->token, err);

    if (rc == XA_OK)
        rc = xa_buf_check(&names->schedule, err);
    if (rc == XA_OK)
        rc = xa_buf_check(&names->other, err);
    return rc;
}

static enum xa_rc
put_stray(struct xa_txn *txn, const char *prefix, const struct xa_removal *step,
          struct xa_err *err)
{
    XA_AUTO(xa_buf_free) struct xa_buf name = XA_BUF(NAME_MAX_LEN);
    enum xa_rc rc;

    xa_consul_put_subject(&name, prefix, step->stray, &step->key);
    rc = xa_buf_check(&name, err);
    if (rc == XA_OK)
        xa_txn_delete(txn, name.data);
    return rc;
}

/* Three operations: XA_REMOVAL_OPERATIONS. */
static enum xa_rc
put_step(struct xa_txn *txn, struct names *names, const char *prefix,
         const struct xa_removal *step, struct xa_err *err)
{
    enum xa_rc rc;

    set_name(names, prefix, step);
    rc = check_names(names, err);
    if (rc != XA_OK)
        return rc;
    switch (step->kind) {
    case XA_REMOVE_TOKEN:
        xa_txn_delete_cas(txn, names->token.data, step->index);
        xa_txn_delete(txn, names->schedule.data);
        xa_txn_delete(txn, names->other.data);
        break;
    case XA_REMOVE_ORPHAN:
        xa_txn_check_absent(txn, names->token.data);
        xa_txn_delete(txn, names->schedule.data);
        xa_txn_delete(txn, names->other.data);
        break;
    case XA_MOVE_SCHEDULE:
        xa_txn_check_index(txn, names->token.data, step->index);
        xa_txn_delete(txn, names->schedule.data);
        xa_txn_set(txn, names->other.data, step->subject,
                   strlen(step->subject));
        break;
    case XA_MOVE_SUBJECT:
        xa_txn_check_index(txn, names->token.data, step->index);
        xa_txn_set(txn, names->other.data, "", 0);
        return put_stray(txn, prefix, step, err);
    }
    return XA_OK;
}

enum xa_rc
xa_removal_write(struct xa_txn *txn, const char *prefix, const char *leader,
                 const char *session, const struct xa_removal *steps,
                 size_t count, struct xa_err *err)
{
    XA_AUTO(free_names)
    struct names names = {XA_BUF(NAME_MAX_LEN), XA_BUF(NAME_MAX_LEN),
                          XA_BUF(NAME_MAX_LEN)};
    enum xa_rc rc = XA_OK;

    xa_txn_check_session(txn, leader, session);
    for (size_t i = 0; rc == XA_OK && i < count; i++)
        rc = put_step(txn, &names, prefix, &steps[i], err);
    return rc;
}
