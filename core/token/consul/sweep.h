/* sweep.h - how far removal has come; for store_consul*.c only. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef XA_TOKEN_CONSUL_SWEEP_H
#define XA_TOKEN_CONSUL_SWEEP_H

#include <stdbool.h>

#include "core/support/uuid.h"
#include "core/token/consul/findings.h"
#include "core/token/consul/plan.h"

#define XA_SWEEP_NAME_MAX 65536 /* bytes; what makes no sense may be long */
#define XA_SWEEP_QUEUE_MAX 8192 /* names in hand */

struct xa_sweep {
    struct xa_plan plan;
    char session[XA_UUID_TEXT]; /* as whose holder this process leads */
    bool is_checked;            /* Consul lets us look, in this pass */

    char prefix[XA_WHEN_TEXT]; /* whose names are read now */
    bool is_read;              /* all of them were */
    struct xa_buf after;       /* the latest of them, below the folder */
    unsigned depth;            /* for the walk */

    struct xa_due queue[XA_SWEEP_QUEUE_MAX];
    size_t count;
    size_t next;

    uint32_t skipped; /* in this pass */
    char example[XA_SHA256_TEXT];
};

/* As a new leader, or as none ("").  What was known is forgotten. */
void xa_sweep_begin_anew(struct xa_sweep *sweep, const char *session);

#endif
