/* mend.h - what an audit doubts, confirmed and set right. SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An audit reads names, records and entries one after the other, while the
 * service goes on.  What seems wrong is wrong only if nothing of it has
 * changed meanwhile: a transaction checks that, and mends in the same step.
 */
#ifndef XA_TOKEN_CONSUL_MEND_H
#define XA_TOKEN_CONSUL_MEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/token/consul/client.h"
#include "core/token/consul/names.h"

/* A token that lacks entries, or an entry that no token has. */
struct xa_doubt {
    struct xa_key key;
    uint64_t token_index;          /* of the record; 0: there is none */
    int64_t when;                  /* of the schedule in question */
    char subject[XA_SUBJECT_TEXT]; /* of the entry in question */
    bool lacks_schedule;
    bool lacks_subject;
    bool is_stray_schedule;
    bool is_stray_subject;
    uint64_t index; /* of the stray entry */
    bool holds;     /* it is as it seemed, and was mended if that is wanted */
};

struct xa_mend {
    struct xa_consul *consul;
    const char *prefix;
    size_t operations; /* of a transaction */
    bool mends;        /* else it is only confirmed */
};

/* Go through them, and say in `holds` which were right.  Failures as
 * xa_txn_run(). */
XA_MUST_CHECK
enum xa_rc xa_mend_run(const struct xa_mend *mend, struct xa_doubt *doubts,
                       size_t count, struct xa_err *err);

/* Delete a key whose name is none of ours. */
XA_MUST_CHECK
enum xa_rc xa_mend_delete(const struct xa_mend *mend, const char *name,
                          struct xa_err *err);

#endif
