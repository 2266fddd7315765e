/* removal.h - what is done about a schedule that is due. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each step is three operations, so a transaction of 64 holds the fence and
 * 21 of them.  All can be done twice.
 */
#ifndef XA_TOKEN_CONSUL_REMOVAL_H
#define XA_TOKEN_CONSUL_REMOVAL_H

#include <stddef.h>
#include <stdint.h>

#include "core/token/consul/names.h"
#include "core/token/consul/txn.h"

#define XA_REMOVAL_OPERATIONS 3

enum xa_removal_kind {
    XA_REMOVE_TOKEN,  /* the record as it was read, schedule, subject entry */
    XA_REMOVE_ORPHAN, /* a schedule without a record, and its subject entry */
    XA_MOVE_SCHEDULE, /* to the expiry of a record that lives longer */
    XA_MOVE_SUBJECT   /* the entry, to the subject that the record names */
};

struct xa_removal {
    enum xa_removal_kind kind;
    struct xa_key key;
    int64_t when;                  /* of the schedule that is due */
    uint64_t index;                /* of the record; not of an orphan */
    int64_t expires_us;            /* of the record, likewise */
    char subject[XA_SUBJECT_TEXT]; /* of the record, or of an orphan */
    char stray[XA_SUBJECT_TEXT];   /* XA_MOVE_SUBJECT: what it was */
};

/* How many steps go into a transaction of so many operations, 4 or more. */
size_t xa_removal_fit(size_t operations);

/*
 * Write a transaction: the fence, then the steps.
 *
 *   txn      empty
 *   prefix   consul.prefix
 *   session  which must hold the lock `leader`, a whole name
 *
 * XA_E_NOMEM.  XA_E_INVALID: a name is too long.
 */
XA_MUST_CHECK
enum xa_rc xa_removal_write(struct xa_txn *txn, const char *prefix,
                            const char *leader, const char *session,
                            const struct xa_removal *steps, size_t count,
                            struct xa_err *err);

/* Which step an operation of such a transaction belongs to; -1: the fence. */
ptrdiff_t xa_removal_of_operation(size_t operation);

#endif
