/* findings.h - what has become of schedules that are due. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TOKEN_CONSUL_FINDINGS_H
#define XA_TOKEN_CONSUL_FINDINGS_H

#include <stddef.h>
#include <stdint.h>

#include "core/token/consul/client.h"
#include "core/token/consul/names.h"

#define XA_FINDINGS_MAX 128 /* as many as a transaction reads */

/* A schedule, as its name has it. */
struct xa_due {
    int64_t when;
    struct xa_key key;
};

enum xa_found {
    XA_FOUND_NO_RECORD, /* and its subject entry is known */
    XA_FOUND_NO_SENSE,  /* a record, or a schedule alone, that says nothing */
    XA_FOUND_EXPIRED,
    XA_FOUND_LIVING,
    XA_FOUND_GONE, /* the schedule itself, meanwhile */
    XA_FOUND_TWICE /* another schedule of the same token stands before it */
};

struct xa_finding {
    const struct xa_due *due; /* lent */
    enum xa_found what;
    uint64_t index;                /* of the record, if there is one */
    int64_t expires_us;            /* likewise */
    char subject[XA_SUBJECT_TEXT]; /* likewise */
    char listed[XA_SUBJECT_TEXT];  /* what the schedule says; "": not read,
                                      or no subject */
};

struct xa_findings {
    struct xa_finding items[XA_FINDINGS_MAX];
    size_t count;
};

/*
 * Read the records, and where they do not say all, the schedules.
 *
 *   due, count  at most XA_FINDINGS_MAX; lent as long as the findings are used
 *
 * Failures as xa_txn_run().
 */
XA_MUST_CHECK
enum xa_rc xa_findings_read(struct xa_consul *consul, const char *prefix,
                            const struct xa_due *due, size_t count,
                            int64_t now_us, struct xa_findings *out,
                            struct xa_err *err);

#endif
